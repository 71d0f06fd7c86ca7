"""A TCP proxy that breaks connections, or lets nothing through in one direction, when it is told to."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit


class TcpProxy:
    """Listens on loopback while its block lasts; the traffic of any protocol passes as it is.

    Attributes:
        url: the target's, with the proxy's address in place of the target's.
    """

    def __init__(self, target: str, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s
        parts = urlsplit(target)
        assert parts.hostname
        assert parts.port
        self._parts = parts
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="TCP proxy")
        self._writers: set[asyncio.StreamWriter] = set()
        self._to_client: asyncio.Event
        self._to_server: asyncio.Event
        self.url = ""

    def __enter__(self) -> "TcpProxy":
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

    def reset_all(self) -> None:
        """Break every connection that is open now."""
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._writers)])

    def silence(self, *, to_client: bool, to_server: bool) -> None:
        """From now on let nothing through in these directions; the connections stay open."""
        if to_client:
            self._loop.call_soon_threadsafe(self._to_client.clear)
        if to_server:
            self._loop.call_soon_threadsafe(self._to_server.clear)

    def let_through(self) -> None:
        """Let everything through again, first of all what was held back."""
        self._loop.call_soon_threadsafe(self._to_client.set)
        self._loop.call_soon_threadsafe(self._to_server.set)

    async def _listen(self) -> None:
        self._to_client, self._to_server = asyncio.Event(), asyncio.Event()
        self._to_client.set()
        self._to_server.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._parts.netloc.rpartition("@")
        self.url = urlunsplit(self._parts._replace(netloc=f"{user}{at}127.0.0.1:{port}"))

    async def _end(self) -> None:
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        target_writer: asyncio.StreamWriter | None = None
        self._writers.add(writer)
        try:
            target_reader, target_writer = await asyncio.open_connection(
                self._parts.hostname, self._parts.port
            )
            async with asyncio.TaskGroup() as both:
                both.create_task(_pass(reader, target_writer, self._to_server, 0.0))
                both.create_task(_pass(target_reader, writer, self._to_client, self._delay_s))
        except OSError:
            writer.transport.abort()
        finally:
            self._writers.discard(writer)
            for each in (writer, target_writer):
                if each is not None:
                    each.close()


async def _pass(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, may: asyncio.Event, delay_s: float
) -> None:
    with suppress(OSError):  # either side may go at any moment; then the other one goes too
        while data := await reader.read(1 << 16):
            await may.wait()
            if delay_s:
                await asyncio.sleep(delay_s)
            writer.write(data)
            await writer.drain()
    writer.close()
