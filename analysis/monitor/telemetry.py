"""Reads the server's own figures. What cannot be read here, a privilege missing for one, is left out and named."""

from pathlib import Path
from typing import Any

import asyncpg

from analysis.record.run import write_json
from analysis.target.database import SQL, sql

STATEMENTS_FILE = "statements.json"

_GAUGES = "monitor/gauges"


class Telemetry:
    """The gauges of ``sql/monitor/gauges/`` as far as they can be read.

    Attributes:
        left_out: gauge → why it cannot be read.
    """

    def __init__(self) -> None:
        self._readable = sorted(path.stem for path in (SQL / _GAUGES).glob("*.sql"))
        self.left_out: dict[str, str] = {}

    async def read(self, connection: asyncpg.Connection) -> list[tuple[str, float]]:
        """Name and value of each gauge now.

        Raises:
            asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError: the connection was lost.
        """
        values: list[tuple[str, float]] = []
        for name in list(self._readable):
            try:
                rows = await connection.fetch(sql(f"{_GAUGES}/{name}"))
            except asyncpg.PostgresConnectionError:
                raise
            except asyncpg.PostgresError as error:
                self._readable.remove(name)
                self.left_out[name] = str(error)
            else:
                values += [(row["name"], row["value"]) for row in rows if row["value"] is not None]
        return values

    async def write_statements(self, connection: asyncpg.Connection, folder: Path) -> None:
        """Write the statements that took the most time, and what was left out, to ``statements.json``.

        Raises:
            asyncpg.PostgresConnectionError, asyncpg.InterfaceError, OSError: the connection was lost.
        """
        statements: list[dict[str, Any]] = []
        try:
            statements = [dict(row) for row in await connection.fetch(sql("monitor/statements"))]
        except asyncpg.PostgresConnectionError:
            raise
        except asyncpg.PostgresError as error:
            self.left_out["statements"] = str(error)
        write_json(folder / STATEMENTS_FILE, {"left_out": self.left_out, "statements": statements})
