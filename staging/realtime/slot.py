"""The replication slot of Realtime: a connection, a temporary slot on it, and what is read through both.

The slot is temporary, as Supabase's is: it dies with its connection and holds back no WAL afterwards. What was
committed between two slots is lost to Realtime.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from staging.database import sql
from staging.realtime.changes import Texts
from staging.realtime.payloads import ColumnFacts, Facts
from staging.realtime.values import array_literal

__all__ = ["MAX_MESSAGES", "PUBLICATION", "Ask", "Slot", "key_of", "open_slot"]

PUBLICATION = "supabase_realtime"
# Messages a look, about three a change. The limit acts where a transaction ends, so a large one arrives whole.
MAX_MESSAGES = 500
VISIBLE_AGAIN_S = 0.001  # a commit is visible a moment after it can be read


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody who may or may not see rows: the values of each row's primary key, in the key's order."""

    role: str
    claims: str
    rows: list[tuple[str, ...]]


class Slot:
    """An open slot. One caller at a time."""

    def __init__(self, connection: asyncpg.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    async def read(self) -> list[bytes]:
        """The next messages of pgoutput, empty if there are none. What is read is consumed, and visible to everybody."""
        rows = await self._connection.fetch(sql("realtime_read_slot"), self._name, MAX_MESSAGES, PUBLICATION)
        written_by = sorted({row["xid"] for row in rows})
        while written_by and not await self._connection.fetchval(sql("realtime_is_visible"), written_by):
            await asyncio.sleep(VISIBLE_AGAIN_S)
        return [row["data"] for row in rows]

    async def published(self) -> frozenset[int]:
        """The oids of the tables in the publication."""
        rows = await self._connection.fetch(sql("realtime_published"), PUBLICATION)
        return frozenset(row["oid"] for row in rows)

    async def facts(self, oid: int, roles: frozenset[str]) -> Facts:
        """What the catalogue says of a table. No columns: it is gone."""
        rows = await self._connection.fetch(sql("realtime_relation"), oid, sorted(roles))
        columns = (
            ColumnFacts(
                row["name"],
                row["type_name"],
                row["declared_type"],
                row["in_primary_key"],
                frozenset(row["readers"]),
            )
            for row in rows
        )
        return Facts(bool(rows and rows[0]["has_rls"]), tuple(columns))

    async def visible(self, oid: int, facts: Facts, asks: list[Ask]) -> list[set[tuple[str, ...]]]:
        """For each ask, those of its rows that row level security lets it see, now."""
        width = len(facts.key)
        literals = [array_literal([row[i] for row in ask.rows]) for ask in asks for i in range(width)]
        answers = await self._connection.fetch(
            "select asker, place from pg_temp.visible_rows($1, $2, $3, $4, $5, $6)",
            oid,
            [column.name for column in facts.key],
            [column.declared_type for column in facts.key],
            [ask.role for ask in asks],
            [ask.claims for ask in asks],
            literals,
        )
        seen: list[set[tuple[str, ...]]] = [set() for _ in asks]
        for asker, place in answers:
            seen[asker - 1].add(asks[asker - 1].rows[place - 1])
        return seen


def key_of(facts: Facts, row: Texts) -> tuple[str, ...] | None:
    """The row's primary key. None: it is not all there."""
    values = [row.get(column.name) for column in facts.key]
    return tuple(value for value in values if value is not None) if None not in values else None


@asynccontextmanager
async def open_slot(dsn: str) -> AsyncIterator[Slot]:
    """A fresh slot, which sees every transaction that commits from now on.

    Waits for transactions that are open at this moment, as PostgreSQL must to start decoding.
    """
    settings = {"application_name": "realtime", "timezone": "UTC", "datestyle": "ISO", "bytea_output": "hex"}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    try:
        await connection.execute(sql("realtime_visible_rows"))
        name = f"supabase_realtime_replication_slot_{os.getpid()}_{connection.get_server_pid()}"
        await connection.fetchval(sql("realtime_create_slot"), name)
        yield Slot(connection, name)
    finally:
        connection.terminate()
