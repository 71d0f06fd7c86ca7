"""The server's side of a run: gauges, waits, statements, and the plan of the history query, as they are written down."""

import time
from collections.abc import Iterable

import asyncpg

from analysis.monitor import plans
from analysis.monitor.masking import masked
from analysis.monitor.statements import Statements
from analysis.monitor.telemetry import Parts, Telemetry, Write

GAUGES_EVERY_S = 5.0


class ServerWatch:
    """What is looked at beside the run's rows. Every method raises what a lost connection raises, and nothing else."""

    def __init__(self, write: Write) -> None:
        """`write` adds rows to a table of ``database/``."""
        self._write = write
        self._parts = Parts(write)
        self._telemetry = Telemetry(self._parts, write)
        self._statements = Statements(self._parts, write)
        self._gauges_due = 0.0

    async def begin(self, connection: asyncpg.Connection) -> None:
        """Before the load: what we may not see, and the counters of statements."""
        await self._read_rights(connection)
        await self._statements.begin(connection)

    async def resume(
        self, connection: asyncpg.Connection, statements: Iterable[tuple[str, int, float]]
    ) -> None:
        """In place of `begin`, after a monitor that was killed: `statements` are their counters before the load."""
        self._statements.resume(statements)
        await self._read_rights(connection)

    async def _read_rights(self, connection: asyncpg.Connection) -> None:
        for row in await self._parts.fetch("rights", connection, "monitor/rights"):
            self._parts.leave_out(row["part"], row["why"], for_good=True)

    async def look(self, connection: asyncpg.Connection) -> None:
        """With every poll: who waits for whom; the gauges when they are due."""
        await self._read_waits(connection)
        if time.monotonic() >= self._gauges_due:
            self._gauges_due = time.monotonic() + GAUGES_EVERY_S
            await self._telemetry.read(connection)

    async def end(self, connection: asyncpg.Connection, newest: dict[bytes, int]) -> None:
        """After the last look at the rows.

        Args:
            newest: each chat of the run with its newest seq.
        """
        await self._telemetry.read(connection, all_of_them=True)
        await self._statements.end(connection)
        await plans.explain(connection, newest, self._parts, self._write)

    async def _read_waits(self, connection: asyncpg.Connection) -> None:
        at_ns = time.monotonic_ns()
        rows = await self._parts.fetch("waits", connection, "monitor/waits")
        self._write("waits", [(at_ns, *_wait(row)) for row in rows])


def _wait(row: asyncpg.Record) -> tuple[object, ...]:
    """A row of ``sql/monitor/waits.sql`` with its statements masked."""
    return tuple(
        masked(value) if name.endswith("_statement") and value is not None else value
        for name, value in row.items()
    )
