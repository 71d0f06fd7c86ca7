"""A WebSocket over a gevent socket: handshake and outgoing frames by the `websockets` library, incoming by `FrameReader`.

Measured side by side (docs/performance.md): the library's own parser is general and takes several times as long a
frame; its handshake and its masking cost once, or rarely.
"""

import contextlib

import gevent.socket
from websockets.client import ClientProtocol
from websockets.exceptions import InvalidStatus
from websockets.frames import Close, Frame
from websockets.frames import Opcode as FrameOpcode
from websockets.protocol import State
from websockets.uri import parse_uri

from locustfiles.clients.connection import connected
from locustfiles.clients.errors import NotSentError, RealtimeError
from locustfiles.clients.frames import FrameReader, Message, Opcode

READ_BYTES = 65536
END_OF_HEAD = b"\r\n\r\n"


class WebSocket:
    """An open WebSocket. One greenlet reads; any may write.

    Args:
        url: ``ws://`` or ``wss://``, with its query. It may hold a key, and is in no error's text.

    Raises:
        RealtimeError: refused, or unreachable.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        uri = parse_uri(url)
        try:
            self._socket = connected(uri.host, uri.port, timeout_s, tls=uri.secure)
        except NotSentError as error:
            raise RealtimeError(str(error)) from None
        self._reader = FrameReader()
        self._early: list[Message] = []
        try:
            self._shake_hands(ClientProtocol(uri, max_size=None))
        except OSError as error:
            self._socket.close()
            raise RealtimeError(f"handshake: {type(error).__name__}: {error}") from None
        except BaseException:
            self._socket.close()
            raise
        self._socket.settimeout(None)

    def receive(self) -> list[Message]:
        """Wait for the next messages; an empty list means that the connection has ended.

        Raises:
            FrameError: the server broke the protocol.
            OSError: the connection broke.
        """
        if self._early:
            early, self._early = self._early, []
            return early
        while data := self._socket.recv(READ_BYTES):
            if messages := self._reader.receive(data):
                return messages
        return []

    def send_text(self, data: bytes) -> None:
        """Send a text message. Raises OSError when the connection is broken."""
        self._send(Frame(FrameOpcode.TEXT, data))

    def pong(self, payload: bytes) -> None:
        """Answer a ping."""
        self._send(Frame(FrameOpcode.PONG, payload))

    def close(self, code: int = 1000) -> None:
        """Say goodbye if the server still listens, and close the socket."""
        with contextlib.suppress(OSError):  # it is gone already, which is what we want
            self._send(Frame(FrameOpcode.CLOSE, Close(code, "").serialize()))
        self.cut()

    def cut(self) -> None:
        """Close the socket without a word, as a lost network does. A greenlet in `receive` wakes with an error."""
        with contextlib.suppress(OSError):  # not connected any more
            self._socket.shutdown(gevent.socket.SHUT_RDWR)
        self._socket.close()

    def _send(self, frame: Frame) -> None:
        self._socket.sendall(frame.serialize(mask=True))

    def _shake_hands(self, protocol: ClientProtocol) -> None:
        protocol.send_request(protocol.connect())
        for data in protocol.data_to_send():
            self._socket.sendall(data)
        buffer = b""
        while END_OF_HEAD not in buffer:
            data = self._socket.recv(READ_BYTES)
            if not data:
                raise RealtimeError("the server closed the connection during the WebSocket handshake")
            buffer += data
        head, _, rest = buffer.partition(END_OF_HEAD)
        protocol.receive_data(head + END_OF_HEAD)
        if protocol.state is State.OPEN:
            self._early = self._reader.receive(rest)  # frames may follow in the same read
            return
        protocol.receive_data(rest)
        while protocol.handshake_exc is None:
            data = self._socket.recv(READ_BYTES)
            if not data:
                protocol.receive_eof()
                break
            protocol.receive_data(data)
        error = protocol.handshake_exc
        if isinstance(error, InvalidStatus):
            raise RealtimeError(f"the WebSocket was refused with {error.response.status_code}")
        raise RealtimeError(f"the WebSocket handshake failed: {type(error).__name__}")


__all__ = ["Opcode", "WebSocket"]
