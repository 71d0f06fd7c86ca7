"""Requests to one origin on behalf of one person: heads made once, outcomes told apart, Locust told."""

import time
from dataclasses import dataclass
from typing import Any

import orjson

from analysis.record.tables import Outcome
from locustfiles.clients.connection import Connection
from locustfiles.clients.errors import NoAnswerError, NotSentError
from locustfiles.clients.meter import Meter, RefusedError

LONGEST_ERROR = 200


@dataclass(slots=True)
class Reply:
    """What became of a request. Times are CLOCK_MONOTONIC in ns; `status` 0 = no answer."""

    outcome: Outcome
    status: int
    body: bytes
    left_ns: int
    answered_ns: int
    error: str | None


class Api:
    """An origin, connections to it, and the headers that every request carries.

    Several greenlets may ask at once (open workload): each gets a connection of its own.
    """

    def __init__(self, url: str, timeout_s: float, meter: Meter) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._idle = [Connection(url, timeout_s)]
        self._authority = self._idle[0].authority
        self._meter = meter
        self._common = b""
        self.set_headers({})

    def set_headers(self, headers: dict[str, str]) -> None:
        """Headers beside Host and Content-Type, e.g. a new access token."""
        lines = {"Host": self._authority, "Accept": "application/json", **headers}
        for name, value in lines.items():
            if "\r" in value or "\n" in value:
                raise ValueError(f"header {name} holds a line break")
        self._common = "".join(f"{name}: {value}\r\n" for name, value in lines.items()).encode("latin-1")

    def request(
        self, name: str, method: str, target: str, body: bytes | None = None, headers: str = ""
    ) -> Reply:
        """Send a request and wait for its answer.

        Args:
            name: in Locust's statistics.
            target: path and query, percent-encoded.
            headers: more header lines, each with its line end.
        """
        head = f"{method} {target} HTTP/1.1\r\n{headers}".encode("latin-1") + self._common
        if body is None:
            return self.send(name, method, head + b"\r\n")
        return self.send(
            name,
            method,
            head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body,
        )

    def send(self, name: str, method: str, request: bytes) -> Reply:
        """Send a whole request, as bytes."""
        connection = self._idle.pop() if self._idle else Connection(self._url, self._timeout_s)
        asked_ns = time.monotonic_ns()
        try:
            answer = connection.exchange(request)
        except NotSentError as error:
            reply = Reply(Outcome.FAIL, 0, b"", asked_ns, time.monotonic_ns(), str(error))
        except NoAnswerError as error:
            reply = Reply(Outcome.INFO, 0, b"", asked_ns, time.monotonic_ns(), str(error))
        else:
            self._idle.append(connection)
            status = answer.status
            if 200 <= status < 300:
                self._meter.record(method, name, answer.left_ns, answer.done_ns, len(answer.body))
                return Reply(Outcome.OK, status, answer.body, answer.left_ns, answer.done_ns, None)
            reply = Reply(
                outcome_of(status),
                status,
                answer.body,
                answer.left_ns,
                answer.done_ns,
                _said(status, answer.body),
            )
        self._meter.record(
            method, name, reply.left_ns, reply.answered_ns, len(reply.body), RefusedError(reply.error)
        )
        return reply

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()


def outcome_of(status: int) -> Outcome:
    """Jepsen's word for an HTTP status: a refusal before anything was written is `fail`, the unknown is `info`.

    408 and all 5xx are unknown: something between us and the database gave up, and the write may have happened.
    """
    if 200 <= status < 300:
        return Outcome.OK
    return Outcome.FAIL if 300 <= status < 500 and status != 408 else Outcome.INFO


def found(body: bytes, path: tuple[str, ...]) -> Any:
    """What lies at a dotted path in a JSON body; None when it is not there or the body is no JSON."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def dotted(path: str) -> tuple[str, ...]:
    """The names of a dotted path; empty for an empty one."""
    return tuple(path.split(".")) if path else ()


def _said(status: int, body: bytes) -> str:
    words = found(body, ())
    if isinstance(words, dict):
        words = words.get("message") or words.get("msg") or words.get("error")
    if not isinstance(words, str):
        words = body[:LONGEST_ERROR].decode("utf-8", "replace")
    return f"{status} {words[:LONGEST_ERROR]}".strip()
