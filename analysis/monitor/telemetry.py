"""Reads the server's own figures. What this role may not read is left out, and named once."""

from pathlib import Path
from typing import Any

import asyncpg

from analysis.target.database import SQL, sql

GAUGES = tuple(sorted(path.stem for path in (SQL / "monitor" / "gauges").glob("*.sql")))


class Telemetry:
    """The gauges that can be read here.

    Attributes:
        left_out: gauge → why it cannot be read.
    """

    def __init__(self) -> None:
        self._readable = list(GAUGES)
        self.left_out: dict[str, str] = {}

    async def read(self, connection: asyncpg.Connection) -> list[tuple[str, float]]:
        """Name and value of each gauge now."""
        values: list[tuple[str, float]] = []
        for name in list(self._readable):
            try:
                rows = await connection.fetch(sql(f"monitor/gauges/{name}"))
            except (
                asyncpg.InsufficientPrivilegeError,
                asyncpg.UndefinedTableError,
                asyncpg.UndefinedColumnError,
            ) as error:
                self._readable.remove(name)
                self.left_out[name] = str(error)
            else:
                values += [(row["name"], row["value"]) for row in rows if row["value"] is not None]
        return values

    async def statements(self, connection: asyncpg.Connection) -> list[dict[str, Any]]:
        """The statements that took the most time, or nothing where they cannot be read."""
        try:
            return [dict(row) for row in await connection.fetch(sql("monitor/statements"))]
        except asyncpg.PostgresError as error:
            self.left_out["statements"] = str(error)
            return []


def content(telemetry: Telemetry, statements: list[dict[str, Any]]) -> dict[str, Any]:
    """For ``database/statements.json``."""
    return {"left_out": telemetry.left_out, "statements": statements}


STATEMENTS_FILE = Path("statements.json")
