"""Which statements took the server's time? Counters of pg_stat_statements at the first look and at the last."""

import time
from collections.abc import Iterable, Mapping

import asyncpg

from analysis.monitor.telemetry import Parts, Write

PART = "statements"
TEXTS = (
    100  # statements whose texts are written down, of those that were called: by time, and as many by calls
)


class Statements:
    """The counters, and what they were at the first look."""

    def __init__(self, parts: Parts, write: Write) -> None:
        self._parts = parts
        self._write = write
        self._calls: dict[str, int] = {}  # at the first look
        self._total_ms: dict[str, float] = {}

    async def begin(self, connection: asyncpg.Connection) -> None:
        """Write down the counters as they are before the load; texts come with the last look."""
        rows, reset_us = await self._read(connection)
        self._calls = {row["key"]: row["calls"] for row in rows}
        self._total_ms = {row["key"]: row["total_ms"] for row in rows}
        self._add(rows, reset_us, {})

    def resume(self, first: Iterable[tuple[str, int, float]]) -> None:
        """Go on from the counters that were written down at the first look: key, calls, total_ms."""
        for key, calls, total_ms in first:
            self._calls[key], self._total_ms[key] = calls, total_ms

    async def end(self, connection: asyncpg.Connection) -> None:
        """Write down those that were called since, with their texts, normalised by the server."""
        rows, reset_us = await self._read(connection)
        rows = [row for row in rows if row["calls"] != self._calls.get(row["key"])]
        wanted = _most(rows, "calls", self._calls) | _most(rows, "total_ms", self._total_ms)
        found = await self._parts.fetch(PART, connection, "monitor/statement_texts", sorted(wanted))
        texts = {row["key"]: row["query"] for row in found}
        self._add(rows, reset_us, texts)

    async def _read(self, connection: asyncpg.Connection) -> tuple[list[asyncpg.Record], int | None]:
        rows = await self._parts.fetch(PART, connection, "monitor/statements")
        reset = await self._parts.fetch(PART, connection, "monitor/statements_reset")
        return rows, reset[0]["reset_us"] if reset else None

    def _add(self, rows: list[asyncpg.Record], reset_us: int | None, texts: Mapping[str, str]) -> None:
        at_ns = time.monotonic_ns()
        columns = ("calls", "total_ms", "rows", "blocks_hit", "blocks_read", "wal_bytes")
        self._write(
            "statements",
            [
                (at_ns, row["key"], texts.get(row["key"]), *(row[name] for name in columns), reset_us)
                for row in rows
            ],
        )


def _most(rows: list[asyncpg.Record], column: str, before: Mapping[str, float]) -> set[str]:
    """Keys of those that grew most in `column`; after a reset all of it is new."""

    def grown(row: asyncpg.Record) -> float:
        since = float(row[column]) - before.get(row["key"], 0)
        return since if since >= 0 else float(row[column])

    return {row["key"] for row in sorted(rows, key=grown, reverse=True)[:TEXTS]}
