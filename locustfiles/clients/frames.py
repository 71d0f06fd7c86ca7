"""WebSocket frames from a server: bytes in, whole messages out. Pure.

Written for the one case that counts, many small whole text frames in one read, and complete for the others:
fragments, control frames between them, long lengths, and frames cut anywhere by the network.
Source: RFC 6455, section 5, https://www.rfc-editor.org/rfc/rfc6455#section-5
"""

from enum import IntEnum

LARGEST_MESSAGE = 8_000_000  # Supabase Realtime's own bound is 5,000,000 bytes


class Opcode(IntEnum):
    """Kinds of messages that `FrameReader` gives out."""

    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


class FrameError(Exception):
    """The server broke the protocol; the connection has to be closed with `code`."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


Message = tuple[int, bytes]

_CONTINUATION = 0x0
_FIN = 0x80
_WHOLE_TEXT = _FIN | Opcode.TEXT


class FrameReader:
    """Puts messages together from what the socket gives."""

    __slots__ = ("_fragments", "_fragments_bytes", "_kind", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._kind: int | None = None  # of the fragmented message under way
        self._fragments: list[bytes] = []
        self._fragments_bytes = 0

    def receive(self, data: bytes) -> list[Message]:
        """The messages that are whole now, as (opcode, payload), control frames among them in their order.

        Raises:
            FrameError: a masked or malformed frame, or a message larger than `LARGEST_MESSAGE`.
        """
        buffer = self._rest + data if self._rest else data
        position = 0
        end = len(buffer)
        messages: list[Message] = []
        while end - position >= 2:
            first = buffer[position]
            length = buffer[position + 1]
            start = position + 2
            if length > 125:
                if length == 126:
                    if end - start < 2:
                        break
                    length = buffer[start] << 8 | buffer[start + 1]
                    start += 2
                elif length == 127:
                    if end - start < 8:
                        break
                    length = int.from_bytes(buffer[start : start + 8], "big")
                    start += 8
                    if length > LARGEST_MESSAGE:
                        raise FrameError(1009, f"a frame of {length} bytes")
                else:
                    raise FrameError(1002, "a masked frame from the server")
            stop = start + length
            if stop > end:
                break
            if first == _WHOLE_TEXT and self._kind is None:
                messages.append((Opcode.TEXT, buffer[start:stop]))
            else:
                self._other(first, buffer[start:stop], messages)
            position = stop
        self._rest = buffer[position:]
        return messages

    def _other(self, first: int, payload: bytes, messages: list[Message]) -> None:
        if first & 0x70:
            raise FrameError(1002, "reserved bits are set")
        opcode = first & 0x0F
        final = bool(first & _FIN)
        if opcode in (Opcode.CLOSE, Opcode.PING, Opcode.PONG):
            if not final or len(payload) > 125:
                raise FrameError(1002, "a control frame that is fragmented or too long")
            messages.append((opcode, payload))
            return
        if opcode == _CONTINUATION:
            if self._kind is None:
                raise FrameError(1002, "a continuation of nothing")
        elif opcode in (Opcode.TEXT, Opcode.BINARY):
            if self._kind is not None:
                raise FrameError(1002, "a new message within a fragmented one")
            self._kind = opcode
        else:
            raise FrameError(1002, f"unknown opcode {opcode}")
        self._fragments.append(payload)
        self._fragments_bytes += len(payload)
        if self._fragments_bytes > LARGEST_MESSAGE:
            raise FrameError(1009, f"a message of {self._fragments_bytes} bytes and more")
        if final:
            messages.append((self._kind, b"".join(self._fragments)))
            self._kind = None
            self._fragments = []
            self._fragments_bytes = 0
