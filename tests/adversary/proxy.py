"""A proxy between chatsoak and its target that understands enough HTTP/1.1 and WebSocket to do harm to one chat alone.

It runs an event loop of its own in a thread. What it does with a request or an event is up to a `Tamper`; whatever
that leaves alone passes byte for byte.
"""

import asyncio
import base64
import json
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

END = b"\r\n\r\n"
TEXT = 0x81  # a final text frame: RFC 6455, section 5.2
MASKED = 0x80
SHORT, LONG, LONGEST = 125, 126, 127


@dataclass(frozen=True)
class Message:
    """A request or an answer.

    Attributes:
        whole: False: it breaks off in the middle of its body, and the connection with it.
    """

    head: bytes
    body: bytes
    whole: bool = True

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def wire(self) -> bytes:
        """What is written of it."""
        return self.head + (self.body if self.whole else self.body[: len(self.body) // 2])

    def with_json(self, body: Any) -> Self:
        """The same with another body."""
        encoded = json.dumps(body).encode()
        return replace(self, head=_with_length(self.head, len(encoded)), body=encoded)

    def broken_off(self) -> Self:
        """The same, but not whole."""
        return replace(self, whole=False)


@dataclass(frozen=True)
class Request(Message):
    """A request on its way to the target."""

    @property
    def method(self) -> str:
        return self.head.split(b" ", 1)[0].decode()

    @property
    def path(self) -> str:
        return urlsplit(self._target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self._target).query).items()}

    @property
    def caller(self) -> str | None:
        """The id of whoever's token it bears."""
        return subject_of(self.token) if self.token else None

    @property
    def token(self) -> str | None:
        """The token that it bears."""
        _, found, rest = self.head.partition(b"Authorization: Bearer ")
        return rest.partition(b"\r\n")[0].decode() if found else None

    @property
    def _target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def without(self, parameter: str) -> "Request":
        """The same request without a parameter of its query."""
        method, target, rest = self.head.split(b" ", 2)
        parts = urlsplit(target.decode())
        query = urlencode([(name, value) for name, value in parse_qsl(parts.query) if name != parameter])
        return replace(self, head=b" ".join((method, parts._replace(query=query).geturl().encode(), rest)))


@dataclass(frozen=True)
class Response(Message):
    """An answer on its way back."""

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


def subject_of(token: str) -> str | None:
    """Whose JWT this is. Nobody checks it here: the target does."""
    return claims_of(token).get("sub")


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT claims, as unchecked; nothing, where it is none."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(parts[1] + "=="))
    return claims


def answer(status: int, body: Any) -> Response:
    """An answer that the target did not give."""
    encoded = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} Tampered\r\nContent-Type: application/json\r\nContent-Length: {len(encoded)}"
    return Response(head.encode() + END, encoded)


Forward = Callable[[Request], Awaitable[Response]]


class Tamper(Protocol):
    """Decides what becomes of everything that passes. Called in the proxy's thread."""

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        """The answer to a request; None = the connection is reset."""

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """What a client gets instead of a frame ``[join_ref, ref, topic, event, payload]`` of Realtime.

        Args:
            listener: number of the client's WebSocket.
        """

    def heard(self, listener: int, frame: list[Any]) -> None:
        """A frame that a client has sent."""


class Proxy:
    """Listens on loopback while its block lasts.

    Attributes:
        url: in place of the target's.
        errors: what a tamper raised; whoever was served then was cut off.
    """

    def __init__(self, target: str, tamper: Tamper) -> None:
        parts = urlsplit(target)
        assert parts.hostname
        assert parts.port
        self._target = parts.hostname, parts.port
        self._tamper = tamper
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._listeners = count(1)
        self.errors: list[Exception] = []
        self.url = ""

    def __enter__(self) -> "Proxy":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 22)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            # Either side may go at any moment; then the other one goes too.
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._converse(reader, writer)
        except Exception as error:
            self.errors.append(error)
            raise
        finally:
            writer.close()

    async def _forward(self, request: Request) -> Response:
        """Ask the target, on a connection of its own: an idle one might be closed by the target at that moment."""
        reader, writer = await asyncio.open_connection(*self._target, limit=1 << 22)
        try:
            writer.write(request.wire)
            if not request.whole:
                await writer.drain()
                raise ConnectionAbortedError
            head = await reader.readuntil(END)
            return Response(head, await reader.readexactly(_length(head)))
        finally:
            writer.close()

    async def _upgraded(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        target_reader, target_writer = await asyncio.open_connection(*self._target, limit=1 << 22)
        target_writer.write(head)
        listener = next(self._listeners)
        talking = asyncio.create_task(self._talk(listener, reader, target_writer))
        try:
            writer.write(await target_reader.readuntil(END))
            await self._events(listener, target_reader, writer)
        finally:
            talking.cancel()
            target_writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(END)
            if b"upgrade: websocket" in head.lower():
                await self._upgraded(head, reader, writer)
                return
            request = Request(head, await reader.readexactly(_length(head)))
            response = await self._tamper.exchange(request, self._forward)
            if response is None:
                writer.transport.abort()
                return
            writer.write(response.wire)
            await writer.drain()
            if not response.whole:
                return

    async def _events(
        self, listener: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Frames from the target, one by one."""
        while True:
            head, mask, payload = await _frame(reader)
            if head[0] == TEXT:
                for message in self._tamper.event(listener, json.loads(payload), payload):
                    writer.write(_text_frame(message))
            else:
                writer.write(head + mask + payload)
            await writer.drain()

    async def _talk(self, listener: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Frames from the client, which pass as they are."""
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head, mask, payload = await _frame(reader)
                if head[0] == TEXT:
                    self._tamper.heard(listener, json.loads(_unmasked(mask, payload)))
                writer.write(head + mask + payload)
                await writer.drain()
        writer.close()


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes, bytes]:
    """Head, mask (empty: none) and payload of the next frame of a WebSocket."""
    head = await reader.readexactly(2)
    masked, length = head[1] & MASKED, head[1] & ~MASKED
    if length >= LONG:
        more = await reader.readexactly(2 if length == LONG else 8)
        head, length = head + more, int.from_bytes(more)
    mask = await reader.readexactly(4 if masked else 0)
    return head, mask, await reader.readexactly(length)


def _unmasked(mask: bytes, payload: bytes) -> bytes:
    return bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))


def _text_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size <= SHORT:
        return bytes([TEXT, size]) + payload
    if size < 1 << 16:
        return bytes([TEXT, LONG]) + size.to_bytes(2) + payload
    return bytes([TEXT, LONGEST]) + size.to_bytes(8) + payload


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


def _with_length(head: bytes, length: int) -> bytes:
    lines = [
        b"Content-Length: %d" % length if line.lower().startswith(b"content-length:") else line
        for line in head.split(b"\r\n")
    ]
    return b"\r\n".join(lines)
