"""Where the clients of one load process put down what they saw: the run record, and Locust's statistics.

One ledger a process and a run; all users share it. Locust's statistics, and all that is made of them while a run goes on, say what
will be judged: in an open workload a send's time begins when it was due (see docs/workloads.md).
"""

import time
from collections.abc import Callable
from typing import Any, Final, Protocol

from analysis.record import RecordWriter
from locustfiles.clients.channel import Wrong
from locustfiles.clients.events import Row
from locustfiles.clients.http import Answer
from locustfiles.clients.watch import Watch

GENERATION: Final = (
    10_000  # sends whose deliveries are timed for Locust's page: this many, and the ones before
)

Fire = Callable[..., None]  # `environment.events.request.fire`


class SocketLedger(Protocol):
    """Where a socket puts down what it saw."""

    @property
    def events(self) -> Callable[[tuple[Any, ...]], None]:
        """Adds a row to the table of that name."""

    @property
    def sockets(self) -> Callable[[tuple[Any, ...]], None]:
        """Adds a row to the table of that name."""

    def step(self, name: str, elapsed_ns: int | None, length: int = 0, error: str | None = None) -> None:
        """A step of the socket took so long; None = it has no duration."""

    def note_delivery(self, client_generated_id: str, received_ns: int, length: int) -> None:
        """A message arrived."""

    def note_wrong(self, wrong: Wrong, row: Row, recipient_id: str) -> None:
        """A subscription has brought a message again, or after a later one."""

    def note_stray(self, row: Row, recipient_id: str) -> None:
        """An INSERT or UPDATE came that is not of the chat of its subscription, or by none."""


class RequestFailedError(Exception):
    """What Locust shows as a request's failure."""


class Ledger:
    """The record, the `request` event, and the watch for what is certainly wrong.

    Args:
        record: a row for everything that happens goes here.
        fire: fires Locust's `request` event: ``environment.events.request.fire``.
        watch: None = nobody is in any chat.

    Attributes:
        watch: tells what is certain while the run goes on.
        sends, events, sockets, marks, pages, calls, attempts: add a row to the record's table of that name.
    """

    def __init__(self, record: RecordWriter, fire: Fire, watch: Watch | None = None) -> None:
        self.sends = record.adder("sends")
        self.events = record.adder("events")
        self.sockets = record.adder("sockets")
        self.marks = record.adder("marks")
        self.pages = record.adder("pages")
        self.calls = record.adder("calls")
        self.attempts = record.adder("attempts")
        self.watch = watch or Watch()
        self.note_wrong, self.note_stray = self.watch.event, self.watch.stray
        self._fire = fire
        self._left: dict[str, int] = {}  # when a message left this process, by its client_generated_id
        self._left_before: dict[str, int] = {}

    def request(self, method: str, name: str, url: str, answer: Answer, since_ns: int | None = None) -> None:
        """Show an HTTP call in Locust's statistics.

        Args:
            since_ns: by `time.monotonic_ns`, from when on somebody waited for it; None = since it left.
        """
        error = None if answer.error is None else RequestFailedError(_summary(answer))
        self.fire(method, name, url, answer, error, since_ns)

    def fire(
        self,
        method: str,
        name: str,
        url: str,
        answer: Answer,
        error: RequestFailedError | None,
        since_ns: int | None = None,
    ) -> None:
        """Show a call in Locust's statistics, failed by `error`; `since_ns` as for `request`."""
        elapsed_ms = (answer.answered_ns - (answer.left_ns if since_ns is None else since_ns)) / 1e6
        self._fire(
            request_type=method,
            name=name,
            response_time=elapsed_ms,
            response_length=len(answer.content),
            response=answer,
            context={},
            exception=error,
            start_time=time.time() - elapsed_ms / 1000,
            url=url,
        )

    def step(self, name: str, elapsed_ns: int | None, length: int = 0, error: str | None = None) -> None:
        """Show a step of a socket in Locust's statistics; `elapsed_ns` None = it has no duration."""
        elapsed_ms = None if elapsed_ns is None else elapsed_ns / 1e6
        self._fire(
            request_type="WS",
            name=name,
            response_time=elapsed_ms,
            response_length=length,
            response=None,
            context={},
            exception=None if error is None else RequestFailedError(error),
            start_time=time.time() - (elapsed_ms or 0.0) / 1000,
            url=None,
        )

    def note_leaving(self, client_generated_id: str) -> None:
        """A message leaves now: its deliveries to users of this process can be timed."""
        if len(self._left) >= GENERATION:
            self._left_before, self._left = self._left, {}
        self._left.setdefault(client_generated_id, time.monotonic_ns())  # a repeat left before

    def note_delivery(self, client_generated_id: str, received_ns: int, length: int) -> None:
        """A message arrived at a user of this process; timed if this process also sent it."""
        left_ns = self._left.get(client_generated_id) or self._left_before.get(client_generated_id)
        if left_ns is not None:
            self.step("delivery", received_ns - left_ns, length)


def _summary(answer: Answer) -> str:
    """Few different words, since Locust keeps a row for each: the record has the server's own."""
    return f"HTTP {answer.status_code}" if answer.status_code else str(answer.error)
