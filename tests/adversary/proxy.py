"""A proxy between chatsoak and its target that understands enough HTTP/1.1 and WebSocket to do harm to one chat alone.

It runs an event loop of its own in a thread. What it does with a request or an event is up to a `Tamper`; whatever
that leaves alone passes byte for byte.
"""

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

END = b"\r\n\r\n"
TEXT = 0x81  # a final text frame: RFC 6455, section 5.2
SHORT, LONG, LONGEST = 125, 126, 127


@dataclass(frozen=True)
class Request:
    """A request on its way to the target."""

    head: bytes
    body: bytes

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
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def _target(self) -> str:
        return self.head.split(b" ", 2)[1].decode()

    def with_json(self, body: Any) -> "Request":
        """The same request with another body."""
        encoded = json.dumps(body).encode()
        return replace(self, head=_with_length(self.head, len(encoded)), body=encoded)


@dataclass(frozen=True)
class Response:
    """An answer on its way back."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def with_json(self, body: Any) -> "Response":
        """The same answer with another body."""
        encoded = json.dumps(body).encode()
        return replace(self, head=_with_length(self.head, len(encoded)), body=encoded)


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
            writer.write(request.head + request.body)
            head = await reader.readuntil(END)
            return Response(head, await reader.readexactly(_length(head)))
        finally:
            writer.close()

    async def _upgraded(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        target_reader, target_writer = await asyncio.open_connection(*self._target, limit=1 << 22)
        target_writer.write(head)
        copying = asyncio.create_task(_copy(reader, target_writer))
        try:
            writer.write(await target_reader.readuntil(END))
            await self._events(target_reader, writer)
        finally:
            copying.cancel()
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
            writer.write(response.head + response.body)
            await writer.drain()

    async def _events(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Frames from the target, which are never masked, one by one."""
        listener = next(self._listeners)
        while True:
            head = await reader.readexactly(2)
            length = head[1]
            if length >= LONG:
                more = await reader.readexactly(2 if length == LONG else 8)
                head, length = head + more, int.from_bytes(more)
            payload = await reader.readexactly(length)
            if head[0] == TEXT:
                for message in self._tamper.event(listener, json.loads(payload), payload):
                    writer.write(_text_frame(message))
            else:
                writer.write(head + payload)
            await writer.drain()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.close()


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
