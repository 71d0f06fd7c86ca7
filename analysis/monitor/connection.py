"""The monitor's connection to the database: read-only, bounded in time, and made anew when it was lost."""

import asyncio

import asyncpg

from analysis.errors import TargetError
from analysis.settings import Settings
from analysis.target.database import connect, sql

RECONNECT_S = 0.5  # first pause after a failed attempt; it doubles up to
RECONNECT_MOST_S = 5.0
ANSWER_S = 75.0  # a little more than the statement_timeout of session.sql: then nobody is there to time out

# What it looks like when the database refuses, is away, or goes away.
FAILURES = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TargetError)


class Database:
    """The database, which may come and go."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._pause_s = 0.0

    async def connection(self) -> asyncpg.Connection:
        """An open connection: the one that was there, or a new one. After a failed attempt the next one waits.

        Raises:
            TargetError: the database cannot be reached or refuses us.
            asyncpg.PostgresError: it refuses how our session has to be.
        """
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        await asyncio.sleep(self._pause_s)
        self._pause_s = min(max(RECONNECT_S, 2 * self._pause_s), RECONNECT_MOST_S)
        self._connection = await connect(self._settings, command_timeout=ANSWER_S)
        await self._connection.execute(sql("monitor/session"))
        self._pause_s = 0.0
        return self._connection

    def drop(self) -> None:
        """Give the connection up without a word to the other side, which may not listen any more."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None
