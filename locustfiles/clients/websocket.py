"""A WebSocket to a server, for one greenlet that reads and any that write.

The `websockets` library's sans-I/O protocol shakes hands, masks what we send and answers pings and closes;
`FrameReader` cuts out what comes in.
"""

import time
from typing import Final

from gevent.lock import BoundedSemaphore
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode
from websockets.protocol import State
from websockets.uri import parse_uri

from locustfiles.clients.frames import LARGEST_MESSAGE, FrameReader
from locustfiles.clients.http import words
from locustfiles.clients.stream import ConnectError, Origin, Stream

GOODBYE_S: Final = 1.0  # how long the server may take to close after a close frame
END_OF_HEAD: Final = b"\r\n\r\n"
LONGEST_HEAD: Final = 65_536  # bytes


class RealtimeError(Exception):
    """The words of Realtime's refusal, or why the socket is down."""


class WebSocket:
    """An open WebSocket.

    Attributes:
        received_ns: by `time.monotonic_ns`, when what was read last had come in: the server's last sign of life.
    """

    __slots__ = ("_early", "_lock", "_protocol", "_reader", "_stream", "_timeout_s", "received_ns")

    def __init__(self, url: str, timeout_s: float) -> None:
        """Connect.

        Args:
            url: ``ws://`` or ``wss://``, with its query. It may hold a key, and is in no error's text.
            timeout_s: for connecting, for the handshake, and for each later write.

        Raises:
            RealtimeError: refused, or unreachable.
        """
        self._timeout_s = timeout_s
        self._lock = BoundedSemaphore(1)
        self._protocol = ClientProtocol(parse_uri(url), max_size=LARGEST_MESSAGE)
        try:
            self._stream = Stream.connect(Origin.of(url), timeout_s)
        except ConnectError as error:
            raise RealtimeError(f"not connected: {error}") from None
        try:
            self._early = self._shake_hands()
        except OSError as error:
            self._stream.close()
            raise RealtimeError(f"WebSocket handshake: {(error.strerror or str(error)).lower()}") from None
        except BaseException:
            self._stream.close()
            raise
        self._reader = FrameReader(self._protocol)
        self.received_ns = self._stream.came_ns

    def receive(self) -> list[bytes] | None:
        """Wait for one read and return the text messages that are whole by it; None at the end.

        Raises:
            OSError: the connection broke.
        """
        if self._early:
            data, self._early = self._early, b""
        else:
            closing = self._protocol.state is not State.OPEN
            try:
                data = self._stream.recv(GOODBYE_S if closing else None)
            except TimeoutError:  # the server does not answer our goodbye; `end` says why we said it
                return None
            if not data:
                return None
            self.received_ns = self._stream.came_ns
        messages = self._reader.receive(data)
        if self._protocol.writes:
            self._flush()
        return messages

    def has_unread(self) -> bool:
        """Whether something has come in that `receive` has not taken yet."""
        return bool(self._early) or self._stream.has_unread()

    def send_text(self, data: bytes) -> None:
        """Send a text message.

        Raises:
            OSError: the connection is broken, or closing.
        """
        if self._protocol.state is not State.OPEN:
            raise ConnectionError("the WebSocket is closing")
        self._protocol.send_text(data)
        self._flush()

    def say_goodbye(self) -> None:
        """Begin the closing handshake; the reader meets the end when the server has answered.

        Raises:
            OSError: the connection is broken.
        """
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._flush()

    def cut(self) -> None:
        """End the connection without a word, as a lost network does. The reader meets the end at once."""
        self._stream.shutdown()

    def release(self) -> None:
        """Give the socket back, after the reader has met the end."""
        self._stream.close()

    @property
    def end(self) -> str:
        """Why it ended, in a few words."""
        protocol = self._protocol
        if protocol.parser_exc is not None:
            return f"the server broke the protocol: {protocol.parser_exc}"
        if protocol.close_rcvd is not None:
            reason = f" ({protocol.close_rcvd.reason})" if protocol.close_rcvd.reason else ""
            return f"the server closed the socket with code {int(protocol.close_rcvd.code)}{reason}"
        if protocol.close_sent is not None:
            return f"closed by us with code {int(protocol.close_sent.code)}"
        return "the connection ended without a close frame"

    def _flush(self) -> None:
        with self._lock:  # a frame must be whole before another one's first byte
            for data in self._protocol.data_to_send():
                if data:  # empty = half-close, which the end of the reader does
                    self._stream.send(data, self._timeout_s)

    def _shake_hands(self) -> bytes:
        """Open the WebSocket; returns bytes that came after the server's head."""
        protocol, stream = self._protocol, self._stream
        protocol.send_request(protocol.connect())
        self._flush()
        deadline = time.monotonic() + self._timeout_s
        received = b""
        while END_OF_HEAD not in received:
            data = stream.recv(max(0.0, deadline - time.monotonic()))
            received += data
            if not data or len(received) > LONGEST_HEAD:
                raise RealtimeError("the server's answer to the WebSocket handshake is no HTTP")
        head, _, rest = received.partition(END_OF_HEAD)
        protocol.receive_data(head + END_OF_HEAD)
        if protocol.state is State.OPEN:
            return rest
        if rest:
            protocol.receive_data(rest)
        while protocol.handshake_exc is None:  # a refusal's body is part of its words
            data = stream.recv(max(0.0, deadline - time.monotonic()))
            if not data:
                protocol.receive_eof()
                break
            protocol.receive_data(data)
        error = protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            said = words(error.response.status_code, bytes(error.response.body or b""))
            raise RealtimeError(f"the WebSocket was refused: {said}")
        raise RealtimeError(f"the WebSocket handshake failed: {error}")
