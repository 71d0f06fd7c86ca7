"""WebSocket frames from a server: bytes in, whole text messages out.

Nearly everything that Realtime sends is an unfragmented text frame, many of them in one read. Those are cut out of
the read right here, which costs a fifth of what the `websockets` library's parser does (docs/performance.md). Every
other frame, whole, goes to that library's sans-I/O protocol, which knows fragments, pings, the closing handshake
and every way to break the rules; since it gets whole frames only, both parsers always stand at the same frame.
Source: RFC 6455, section 5, https://www.rfc-editor.org/rfc/rfc6455#section-5
"""

from typing import Final

from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State

LARGEST_MESSAGE: Final = 5_000_000  # bytes; Supabase Realtime's own bound for a frame

_FIN_TEXT: Final = 0x80 | Opcode.TEXT
_MASKED: Final = 0x80


class FrameReader:
    """Puts a server's text messages together.

    Args:
        protocol: in state OPEN. What it wants to answer waits in its `data_to_send`; when it leaves OPEN, the
            connection is over, and nothing that comes after is read.
    """

    __slots__ = ("_fragments", "_have", "_is_text", "_need", "_parts", "_protocol")

    def __init__(self, protocol: ClientProtocol) -> None:
        self._protocol = protocol
        self._parts: list[bytes] = []  # reads that do not make up a frame yet
        self._have = 0
        self._need = 0  # bytes that the frame under way takes at least
        self._fragments: list[bytes] | None = None  # of the message under way
        self._is_text = False

    def receive(self, data: bytes) -> list[bytes]:  # noqa: PLR0912 - a call costs as much as the frame
        """The text messages that are whole now, as valid UTF-8. Others are answered or dropped by the protocol."""
        if self._have and not (data := self._joined(data)):
            return []
        messages: list[bytes] = []
        position, end = 0, len(data)
        plain = self._fragments is None and self._protocol.state is State.OPEN
        while end - position >= 2:
            first, length = data[position], data[position + 1]
            start = position + 2
            if length == 126:
                start += 2
                length = data[start - 2] << 8 | data[start - 1] if start <= end else 0
            elif length == 127:
                start += 8
                length = int.from_bytes(data[start - 8 : start], "big") if start <= end else 0
            elif length & _MASKED:
                return self._broken(data[position:], messages)
            if length > LARGEST_MESSAGE:
                return self._broken(data[position:], messages)
            stop = start + length
            if stop <= end and first == _FIN_TEXT and plain:
                message = data[start:stop]
                if message.isascii() or self._is_utf8(message):
                    messages.append(message)
                else:
                    plain = False
            elif stop > end:
                self._need = stop - position
                break
            else:
                self._unusual(data[position:stop], messages)
                plain = self._fragments is None and self._protocol.state is State.OPEN
            position = stop
        else:
            self._need = 2
        if position < end:
            self._parts.append(data[position:])
            self._have = end - position
        return messages

    def _joined(self, data: bytes) -> bytes:
        """The reads since the last whole frame, with `data`; nothing as long as they cannot make up a frame."""
        self._parts.append(data)
        self._have += len(data)
        if self._have < self._need:
            return b""
        data = b"".join(self._parts)
        self._parts.clear()
        self._have = 0
        return data

    def _broken(self, data: bytes, messages: list[bytes]) -> list[bytes]:
        """The protocol ends the connection at the head of this frame, so its rest is not waited for."""
        self._unusual(data, messages)
        return messages

    def _unusual(self, data: bytes, messages: list[bytes]) -> None:
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if not isinstance(event, Frame):
                continue
            if event.opcode in {Opcode.TEXT, Opcode.BINARY}:
                self._is_text = event.opcode is Opcode.TEXT
                self._fragments = []
            elif event.opcode is not Opcode.CONT:
                continue
            assert self._fragments is not None, "the protocol refuses a continuation of nothing"
            self._fragments.append(bytes(event.data))
            if event.fin:
                message = b"".join(self._fragments)
                self._fragments = None
                if self._is_text and self._is_utf8(message):
                    messages.append(message)

    def _is_utf8(self, message: bytes) -> bool:
        """Whether it is; a message that is not ends the connection."""
        try:
            message.decode()
        except UnicodeDecodeError as error:
            self._protocol.fail(CloseCode.INVALID_DATA, f"{error.reason} at position {error.start}")
            return False
        return True
