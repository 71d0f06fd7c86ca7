"""A TCP proxy that, when it is told to, breaks connections or cuts them off, refuses them, delays, or is silent in one direction."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from urllib.parse import urlsplit, urlunsplit


class _Direction:
    """One of the two ways through the proxy, of all connections."""

    def __init__(self, delay_s: float) -> None:
        self.delay_s = delay_s
        self.may_pass = asyncio.Event()
        self.may_pass.set()
        self.to_be_cut: set[asyncio.StreamWriter] = set()  # by where their data goes

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes, to the end."""
        with suppress(OSError):  # either side may go at any moment; then the other one goes too
            while data := await reader.read(1 << 16):
                await self.may_pass.wait()
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                is_cut = writer in self.to_be_cut
                writer.write(data[: len(data) // 2] if is_cut else data)
                await writer.drain()
                if is_cut:
                    self.to_be_cut.discard(writer)
                    break
        writer.close()


class TcpProxy:
    """Listens on loopback while its block lasts; the traffic of any protocol passes as it is.

    In every method `to_client` and `to_server` are the directions that are meant.

    Args:
        delay_s: how long everything on its way to the client is held back.

    Attributes:
        url: the target's, with the proxy's address in place of the target's.
        accepted: how many connections were let through so far.
    """

    def __init__(self, target: str, delay_s: float = 0.0) -> None:
        self._delay_s = delay_s
        parts = urlsplit(target)
        assert parts.hostname
        assert parts.port
        self._parts = parts
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="TCP proxy")
        self._open: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}  # the client's → the target's
        self._to_client: _Direction
        self._to_server: _Direction
        self._refuses = False
        self.accepted = 0
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
        self._loop.call_soon_threadsafe(lambda: [writer.transport.abort() for writer in list(self._open)])

    def refuse(self) -> None:
        """From now on break every new connection at once."""
        self._refuses = True

    def cut_off(self, *, to_client: bool = False, to_server: bool = False) -> None:
        """Of what passes next on every connection that is open now, let half through, and end the connection."""

        def mark() -> None:
            if to_client:
                self._to_client.to_be_cut.update(self._open)
            if to_server:
                self._to_server.to_be_cut.update(self._open.values())

        self._loop.call_soon_threadsafe(mark)

    def delay(self, seconds: float, *, to_client: bool = False, to_server: bool = False) -> None:
        """From now on hold everything back for so long."""
        for direction in self._these(to_client=to_client, to_server=to_server):
            direction.delay_s = seconds

    def silence(self, *, to_client: bool = False, to_server: bool = False) -> None:
        """From now on let nothing through; the connections stay open."""
        for direction in self._these(to_client=to_client, to_server=to_server):
            self._loop.call_soon_threadsafe(direction.may_pass.clear)

    def let_through(self) -> None:
        """Let everything through again, first of all what was held back."""
        self._refuses = False
        for direction in (self._to_client, self._to_server):
            direction.delay_s = 0.0
            self._loop.call_soon_threadsafe(direction.may_pass.set)

    def _these(self, *, to_client: bool, to_server: bool) -> list[_Direction]:
        return [self._to_client] * to_client + [self._to_server] * to_server

    async def _listen(self) -> None:
        self._to_client, self._to_server = _Direction(self._delay_s), _Direction(0.0)
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
        if self._refuses:
            writer.transport.abort()
            return
        target_writer: asyncio.StreamWriter | None = None
        try:
            target_reader, target_writer = await asyncio.open_connection(
                self._parts.hostname, self._parts.port
            )
            self._open[writer] = target_writer
            self.accepted += 1
            async with asyncio.TaskGroup() as both:
                both.create_task(self._to_server.carry(reader, target_writer))
                both.create_task(self._to_client.carry(target_reader, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._open.pop(writer, None)
            for each in (writer, target_writer):
                if each is not None:
                    each.close()
