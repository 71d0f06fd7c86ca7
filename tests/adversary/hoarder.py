"""Takes every connection that a PostgreSQL server has left, and each that somebody else gives back, as long as its block lasts."""

import asyncio
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

import asyncpg

NAME = "hoarder"
AT_ONCE = 8  # attempts under way
AGAIN_S = 0.005


class Hoarder:
    """Works in a thread of its own; `__enter__` returns once the server has refused a connection for want of any left."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=NAME)
        self._held: list[asyncpg.Connection] = []
        self._is_full = asyncio.Event()
        self._hoarding: list[asyncio.Task[None]] = []

    def __enter__(self) -> "Hoarder":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._begin(), self._loop).result(120)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def fetch(self, statement: str) -> list[Any]:
        """What a connection that it holds is answered: there is no other one."""
        return asyncio.run_coroutine_threadsafe(self._held[0].fetch(statement), self._loop).result(10)

    async def _begin(self) -> None:
        self._hoarding = [asyncio.create_task(self._hoard()) for _ in range(AT_ONCE)]
        await self._is_full.wait()

    async def _hoard(self) -> None:
        while True:
            try:
                settings = {"application_name": NAME}
                self._held.append(await asyncpg.connect(self._url, server_settings=settings, timeout=30))
            except asyncpg.TooManyConnectionsError:
                self._is_full.set()
                await asyncio.sleep(AGAIN_S)

    async def _end(self) -> None:
        for one in self._hoarding:
            one.cancel()
        await asyncio.gather(*self._hoarding, return_exceptions=True)
        for connection in self._held:
            with suppress(OSError, asyncpg.InterfaceError):
                connection.terminate()
