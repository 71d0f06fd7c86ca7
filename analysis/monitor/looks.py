"""The monitor's looks at the database: baseline, polls while the load runs, and the last sweep.

Each look is one read-only REPEATABLE READ transaction, so that everything it reads belongs to one snapshot.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from analysis.monitor.answers import Answers
from analysis.monitor.memory import Hole, Look, Memory
from analysis.monitor.rows import read
from analysis.record.tables import UNSETTLED_A_POLL
from analysis.target.database import sql

# `status.stuck` counts on UNSETTLED_A_POLL of either kind. Of those that nobody has received yet we look at more, in
# practice at all, because it is by these looks that the time they stayed `sent` is judged.
UNDELIVERED_A_POLL = 4 * UNSETTLED_A_POLL
SETTLED_A_POLL = 2_000  # so that a deletion, or a status set back, is seen within (rows / 2,000) polls
ROWS_AT_ONCE = 5_000  # asked for, or held, at a time


@dataclass(frozen=True, slots=True)
class Snapshot:
    """By which snapshot a look has read.

    Attributes:
        asked_ns: right before it was asked for, by our monotonic clock. Its answer may be held up: it was taken at any time
            between this and `at_ns`.
        at_ns: right after its answer was there.
        database_us: the database's clock then.
        xmin: the oldest transaction that was still running.
        next_xid: of the next transaction; whichever ran then and had an id has a smaller one.
        server_us: since when the server was there, by its own clock.
    """

    asked_ns: int
    at_ns: int
    database_us: int
    xmin: int
    next_xid: int
    server_us: int


@dataclass(frozen=True, slots=True)
class UnseenSend:
    """An acknowledged send whose row no look has brought. Ids are 16 bytes; the first may be unknown."""

    message_id: bytes | None
    sender_id: bytes
    client_generated_id: bytes | None


@asynccontextmanager
async def snapshot(connection: asyncpg.Connection) -> AsyncIterator[Snapshot]:
    """One snapshot for everything inside."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        asked_ns = time.monotonic_ns()
        row = await connection.fetchrow(sql("monitor/snapshot"))
        at_ns = time.monotonic_ns()
        yield Snapshot(asked_ns, at_ns, row["database_us"], row["xmin"], row["next_xid"], row["server_us"])


async def baseline(connection: asyncpg.Connection, chats: Sequence[str]) -> list[tuple[bytes, int, int]]:
    """Each chat with its newest seq and its number of rows."""
    rows = await connection.fetch(sql("monitor/baseline"), [UUID(chat) for chat in chats])
    return [(row["chat_id"].bytes, row["seq"], row["rows"]) for row in rows]


async def poll(
    connection: asyncpg.Connection,
    memory: Memory,
    look: Look,
    answers: Answers,
    *,
    at_everything: bool = False,
) -> None:
    """What is new, what may have moved, what was acknowledged and is not there, and a slice of what should rest.

    The cost follows the new rows.

    Args:
        at_everything: every row that is known has its turn.
    """
    chats, frontiers = memory.frontiers
    most = (UNDELIVERED_A_POLL, UNSETTLED_A_POLL, SETTLED_A_POLL)
    asked = memory.due(*((len(memory),) * len(most) if at_everything else most))
    memory.take_in(read(await connection.fetch(sql("monitor/new_rows"), _uuids(chats), frontiers)), look)
    memory.take_in(read(await connection.fetch(sql("monitor/rows_without_seq"), _uuids(chats))), look)
    await _look_for(connection, memory, asked, look)
    messages, sends = answers.sought(memory)
    await _look_for(connection, memory, messages, look)
    await _look_for_sends(connection, memory, sends, look)
    memory.looked(asked)
    answers.looked(memory, look)


async def sweep(
    connection: asyncpg.Connection,
    memory: Memory,
    look: Look,
    began_us: int,
    unseen: Sequence[UnseenSend],
) -> None:
    """Every row of the run: by chat, by what was ever seen, and by what was acknowledged and never seen."""
    chats, seqs = memory.baseline
    cursor = await connection.cursor(sql("monitor/rows_of_run"), _uuids(chats), seqs, began_us)
    while rows := await cursor.fetch(ROWS_AT_ONCE):
        memory.take_in(read(rows), look)
    await _look_for(connection, memory, memory.not_seen_by(look), look)
    await _look_for(connection, memory, [send.message_id for send in unseen if send.message_id], look)
    keyed = [(send.sender_id, send.client_generated_id) for send in unseen if send.client_generated_id]
    await _look_for_sends(connection, memory, keyed, look)


async def look_into(
    connection: asyncpg.Connection, memory: Memory, holes: Sequence[Hole], look: Look
) -> None:
    """What has come into these holes, after the last sweep."""
    for start in range(0, len(holes), ROWS_AT_ONCE):
        chats, lows, highs = zip(*holes[start : start + ROWS_AT_ONCE], strict=True)
        memory.take_in(
            read(await connection.fetch(sql("monitor/rows_in_holes"), _uuids(chats), lows, highs)), look
        )


async def _look_for(connection: asyncpg.Connection, memory: Memory, ids: Sequence[bytes], look: Look) -> None:
    """Read these messages; those known and not there any more are gone."""
    for start in range(0, len(ids), ROWS_AT_ONCE):
        part = ids[start : start + ROWS_AT_ONCE]
        memory.take_in(read(await connection.fetch(sql("monitor/rows_by_id"), _uuids(part))), look)
        memory.miss(part, look)


async def _look_for_sends(
    connection: asyncpg.Connection, memory: Memory, sends: Sequence[tuple[bytes, bytes]], look: Look
) -> None:
    """Read what these senders have stored with these keys."""
    for start in range(0, len(sends), ROWS_AT_ONCE):
        senders, keys = zip(*sends[start : start + ROWS_AT_ONCE], strict=True)
        found = await connection.fetch(sql("monitor/rows_of_sends"), _uuids(senders), _uuids(keys))
        memory.take_in(read(found), look)


def _uuids(ids: Sequence[bytes]) -> list[UUID]:
    return [UUID(bytes=one) for one in ids]
