"""HTTP/1.1 of one user to one origin: keep-alive connections, and no request ever written twice.

geventhttpclient's C parser reads the answers. Its client is left out: it builds every request anew and repeats
one whose connection broke. Here a request moves to another connection only if not one byte of it had left: a
POST that is written twice may be a message that is sent twice, and the record would not know.
"""

import math
import re
import time
from dataclasses import dataclass, field
from typing import Final

import orjson
from geventhttpclient.response import HTTPParseError, HTTPResponse

from analysis.record.codes import Outcome
from locustfiles.clients.outcomes import outcome_of
from locustfiles.clients.stream import ConnectError, Origin, SendError, Stream

MAX_IDLE: Final = 4  # connections that one user keeps for later; more are open only while more is under way
# A connection that the server is about to close for idleness must not get a request, which would be lost on the way. What it says about
# that, less so much, is Node's rule, too (http.Agent, agentKeepAliveTimeoutBuffer).
IDLE_MARGIN_S: Final = 1.0
LONGEST_WORDS: Final = 200  # characters of a server's refusal that are kept

_TIMEOUT = re.compile(r"(?i)\btimeout=(\d+)")  # in seconds: RFC 2068, section 19.7.1.1
_WORDS_FIELDS = ("error", "message", "msg", "error_description", "detail")


@dataclass(slots=True)
class Answer:
    """What became of a request; made before it leaves, so that it tells the truth also when its greenlet is killed.

    Attributes:
        status_code: 0 = no answer.
        content: the body.
        left_ns: when the exchange began: before a connection was made, where none stood. Who sends waits for that, too.
        answered_ns: when the answer had come in, complete; or when we gave up.
        error: None when ok; otherwise what went wrong, in a few words.
    """

    outcome: Outcome = Outcome.FAIL
    status_code: int = 0
    content: bytes = field(default=b"", repr=False)  # may hold tokens
    left_ns: int = field(default_factory=time.monotonic_ns)
    answered_ns: int = 0
    error: str | None = "stopped before it left"

    @property
    def text(self) -> str:
        """The body as text, for listeners of Locust's `request` event."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> object:
        """The parsed body; None when it is no JSON."""
        try:
            return orjson.loads(self.content)
        except orjson.JSONDecodeError:
            return None


class _Parser(HTTPResponse):
    """Reads one answer after another from a connection; of the headers only what the C parser needs itself.

    Attributes:
        idle_s: for how long the server keeps the connection between two requests, as its first answer says; endless: it does not.
    """

    def __init__(self) -> None:
        super().__init__()
        self.complete = False
        self.surplus = False  # bytes that no request asked for
        self.body = b""
        self.idle_s = math.inf
        self._is_first = True
        self._name, self._value = "", ""  # of a header, which may come in pieces

    def next(self) -> None:
        """Another request has been written."""
        self.complete = False
        self.body = b""

    def _on_message_begin(self) -> None:
        self.surplus = self.complete

    def _on_status(self, words: str) -> None:
        pass

    def _on_header_field(self, name: str) -> None:
        if self._is_first:
            if self._value:
                self._note_header()
            self._name += name

    def _on_header_value(self, value: str) -> None:
        if self._is_first:
            self._value += value

    def _on_headers_complete(self) -> bool:
        if self._is_first:
            self._note_header()
            self._is_first = self.get_code() < 200
        return False  # a body may follow: no HEAD request is ever made

    def _on_body(self, chunk: bytearray) -> None:
        if not self.complete:
            self.body += chunk

    def _on_message_complete(self) -> None:
        if self.get_code() >= 200:  # an interim answer is followed by the real one
            self.complete = True
        else:
            self.body = b""

    def _note_header(self) -> None:
        if self._name.lower() == "keep-alive" and (told := _TIMEOUT.search(self._value)):
            self.idle_s = float(told[1])
        self._name, self._value = "", ""


class _Connection:
    __slots__ = ("parser", "stream", "usable_until")

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.parser = _Parser()
        self.usable_until = math.inf  # by `time.monotonic`, between two requests

    def is_usable(self) -> bool:
        """Whether it may get another request."""
        # What can be read is its end, or what nobody asked for.
        return time.monotonic() < self.usable_until and not self.stream.has_unread()

    def rest(self) -> None:
        """Nobody uses it for a while."""
        self.usable_until = time.monotonic() + self.parser.idle_s - IDLE_MARGIN_S


class HttpClient:
    """The connections of one user to one origin. Its greenlets may use it at the same time.

    Args:
        url: scheme, host and port of the server; a path is ignored.
        timeout_s: longest wait for a connection, and for an answer.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        self.origin = Origin.of(url)
        self._timeout_s = timeout_s
        self._idle: list[_Connection] = []
        self._closed = False

    def exchange(self, request: bytes, answer: Answer) -> None:
        """Write `request` and note in `answer` what becomes of it. Never raises for what server or network are like."""
        answer.left_ns = time.monotonic_ns()
        connection: _Connection | None = None
        keep = False
        try:
            connection = self._written(request, answer)
            status, keep = self._read(connection)
            answer.status_code, answer.content = status, connection.parser.body
            answer.outcome, answer.error = outcome_of(status), None
            answer.answered_ns = max(answer.left_ns, connection.stream.came_ns)
            if answer.outcome is not Outcome.OK:
                answer.error = words(status, answer.content)
        except TimeoutError:
            answer.error = "timed out"
        except (OSError, HTTPParseError) as error:
            answer.error = _reason(error)
        finally:
            answer.answered_ns = answer.answered_ns or time.monotonic_ns()
            if connection is not None:
                if keep and not self._closed and len(self._idle) < MAX_IDLE:
                    connection.rest()
                    self._idle.append(connection)
                else:
                    connection.stream.close()

    def close(self) -> None:
        """Close the idle connections; those in use close when their answers are complete."""
        self._closed = True
        while self._idle:
            self._idle.pop().stream.close()

    def _written(self, request: bytes, answer: Answer) -> _Connection:
        """Write `request` to a connection that stands, an idle one before a new one.

        Raises:
            OSError: no connection could be made, or it broke; `answer.outcome` says whether anything had left.
        """
        while True:
            reused = bool(self._idle)
            connection = self._idle.pop() if reused else self._connect()
            if reused and not connection.is_usable():
                connection.stream.close()
                continue
            connection.parser.next()
            answer.outcome, answer.error = Outcome.INFO, "stopped before the answer"
            try:
                connection.stream.send(request, self._timeout_s)
            except BaseException as error:
                connection.stream.close()
                if isinstance(error, SendError) and error.nothing_left:
                    answer.outcome = Outcome.FAIL
                    if reused:
                        continue
                raise
            return connection

    def _connect(self) -> _Connection:
        return _Connection(Stream.connect(self.origin, self._timeout_s))

    def _read(self, connection: _Connection) -> tuple[int, bool]:
        """Read the answer; returns its status and whether the connection may be used again."""
        parser, stream = connection.parser, connection.stream
        data = stream.recv(self._timeout_s)
        parser.feed(data)
        if not parser.complete:
            deadline = time.monotonic() + self._timeout_s
            while not parser.complete:
                if not data:
                    raise ConnectionResetError("closed before the answer was complete")
                data = stream.recv(max(0.0, deadline - time.monotonic()))
                parser.feed(data)  # an empty read ends a body that only the connection's end delimits
        return parser.get_code(), bool(data) and not parser.surplus and parser.should_keep_alive()


def _reason(error: Exception) -> str:
    if isinstance(error, ConnectError):
        return f"not connected: {error}"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return f"no HTTP answer: {error}"


def words(status: int, body: bytes) -> str:
    """The status and the server's own words, where it sent some as JSON."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if isinstance(said, dict):
        for name in _WORDS_FIELDS:
            if isinstance(words := said.get(name), str) and words:
                return f"{status} {words[:LONGEST_WORDS]}"
    return str(status)
