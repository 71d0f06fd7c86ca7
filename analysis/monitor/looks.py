"""The monitor's looks at the database: baseline, polls while the load runs, and the last sweep.

Each look is one read-only REPEATABLE READ transaction, so that everything it reads belongs to one snapshot.
"""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from analysis.monitor.memory import Look, Memory
from analysis.monitor.rows import Stored, read
from analysis.target.database import sql

UNSETTLED_A_POLL = 5000
SETTLED_A_POLL = 2000
IDS_A_QUERY = 5000


@dataclass(frozen=True, slots=True)
class Snapshot:
    """By which snapshot a look has read."""

    at_ns: int
    database_us: int
    xmin: int


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
        row = await connection.fetchrow(sql("monitor/snapshot"))
        yield Snapshot(time.monotonic_ns(), row["database_us"], row["xmin"])


async def baseline(connection: asyncpg.Connection, chats: Sequence[str]) -> list[tuple[bytes, int, int]]:
    """Each chat with its newest seq and its number of rows."""
    rows = await connection.fetch(sql("monitor/baseline"), [UUID(chat) for chat in chats])
    return [(row["chat_id"].bytes, row["seq"], row["rows"]) for row in rows]


async def poll(connection: asyncpg.Connection, memory: Memory, number: int, taken: Snapshot) -> Look:
    """What is new, what may have moved, and a slice of what should rest. The cost follows the new rows."""
    chats, frontiers = memory.frontiers
    found = read(await connection.fetch(sql("monitor/new_rows"), _uuids(chats), frontiers))
    found += read(await connection.fetch(sql("monitor/rows_without_seq"), _uuids(chats)))
    asked = memory.due(UNSETTLED_A_POLL, SETTLED_A_POLL)
    found += await _by_id(connection, asked)
    look = memory.see(found, asked, number, taken.at_ns)
    memory.looked()
    return look


async def sweep(
    connection: asyncpg.Connection,
    memory: Memory,
    number: int,
    taken: Snapshot,
    began_us: int,
    unseen: Sequence[UnseenSend],
) -> Look:
    """Every row of the run: by chat, by what was ever seen, and by what was acknowledged and never seen."""
    chats, seqs = memory.baseline
    found = read(await connection.fetch(sql("monitor/rows_of_run"), _uuids(chats), seqs, began_us))
    there = {row.message_id for row in found}
    asked = memory.all()
    found += await _by_id(connection, [message for message in asked if message not in there])
    found += await _by_id(connection, [send.message_id for send in unseen if send.message_id])
    keyed = [send for send in unseen if send.client_generated_id]
    for start in range(0, len(keyed), IDS_A_QUERY):
        part = keyed[start : start + IDS_A_QUERY]
        senders = _uuids([send.sender_id for send in part])
        keys = [UUID(bytes=send.client_generated_id) for send in part]
        found += read(await connection.fetch(sql("monitor/rows_of_sends"), senders, keys))
    return memory.see(found, asked, number, taken.at_ns)


async def _by_id(connection: asyncpg.Connection, ids: Sequence[bytes]) -> list[Stored]:
    found: list[Stored] = []
    for start in range(0, len(ids), IDS_A_QUERY):
        part = _uuids(ids[start : start + IDS_A_QUERY])
        found += read(await connection.fetch(sql("monitor/rows_by_id"), part))
    return found


def _uuids(ids: Sequence[bytes]) -> list[UUID]:
    return [UUID(bytes=one) for one in ids]
