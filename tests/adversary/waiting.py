"""Waits, at the database, for what Realtime and the monitor do there."""

import asyncio

import asyncpg

AGAIN_S = 0.02
STILL_S = 0.1  # longer than between two statements of one look, far less than the second between two looks
HEARD_WITHIN_S = 10.0


async def realtime_has_read(database: asyncpg.Connection) -> None:
    """Wait until Realtime has handed out all that is committed now. It shows nobody a row that is deleted before it came to it,
    and of a number that nobody was shown and no look saw, nobody can tell that it was ever given to a message.

    Twice: what it read first it has handed out when it reads again, for which there has to be more to read.
    """
    read_up_to = (
        "select coalesce(bool_and(confirmed_flush_lsn >= $1::pg_lsn), true) from pg_replication_slots "
        "where database = current_database() and plugin = 'pgoutput'"
    )
    async with asyncio.timeout(HEARD_WITHIN_S):
        for _ in range(2):
            written = await database.fetchval(
                "select pg_logical_emit_message(true, 'adversary', 'read so far?')"
            )
            while not await database.fetchval(read_up_to, written):
                await asyncio.sleep(AGAIN_S)


async def monitor_has_looked(database: asyncpg.Connection) -> None:
    """Wait until the monitor has looked once more: what happens now has most of the time until its next look."""
    newest = (
        "select max(query_start) from pg_stat_activity "
        "where datname = current_database() and application_name = 'chatsoak-monitor'"
    )
    async with asyncio.timeout(HEARD_WITHIN_S):
        begun = await database.fetchval(newest)
        while begun == (now := await database.fetchval(newest)):
            await asyncio.sleep(AGAIN_S)
        while begun != now:
            begun = now
            await asyncio.sleep(STILL_S)
            now = await database.fetchval(newest)
