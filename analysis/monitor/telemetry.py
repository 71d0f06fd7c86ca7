"""Reads the server's own figures. What cannot be read here, a privilege missing for one, is left out and named."""

import re
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import asyncpg

from analysis.record.tables import UNCHANGED_S
from analysis.target.database import SQL, sql

GAUGES = "monitor/gauges"

Row = tuple[Any, ...]
Write = Callable[[str, Iterable[Row]], None]  # rows of a table of ``database/``

_FOR_VERSIONS = re.compile(r"(?P<part>.+?)(?:_(?P<bound>since|until)_(?P<major>\d+))?")


class Parts:
    """The parts of the server's figures, each read on its own, so that one that cannot be read costs only itself."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._given_up: set[str] = set()
        self._said: set[tuple[str, str]] = set()

    async def fetch(
        self, part: str, connection: asyncpg.Connection, statement: str, *arguments: object
    ) -> list[Any]:
        """The rows of ``sql/<statement>.sql``; none where the server refuses, which is written down once for each reason.

        Raises:
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError: the connection was lost.
        """
        if part in self._given_up:
            return []
        try:
            return list(await connection.fetch(sql(statement), *arguments))
        except asyncpg.PostgresError as error:
            if is_lost(error):
                raise
            self.leave_out(part, str(error), for_good=is_for_good(error))
            return []

    def leave_out(self, part: str, why: str, *, for_good: bool) -> None:
        """Write down that `part` could not be read, and why; once. For good: it is not tried again."""
        if for_good:
            self._given_up.add(part)
        if (part, why) not in self._said:
            self._said.add((part, why))
            self._write("left_out", [(time.monotonic_ns(), part, why, for_good)])


def is_lost(error: asyncpg.PostgresError) -> bool:
    """Whether the connection is gone with it, or about to go: no answer about what was asked."""
    ended = isinstance(error, asyncpg.OperatorInterventionError) and not isinstance(
        error, asyncpg.QueryCanceledError
    )
    return ended or isinstance(error, asyncpg.PostgresConnectionError)


def is_for_good(error: asyncpg.PostgresError) -> bool:
    """Whether it will not be otherwise the next time: no right, no such view, column or extension (SQLSTATE class 42),
    or an extension that the server was not started with. Anything else, a lock that somebody holds for one, may pass.
    """
    lasting = (asyncpg.exceptions.SyntaxOrAccessError, asyncpg.FeatureNotSupportedError)
    return isinstance(error, lasting) or type(error) is asyncpg.ObjectNotInPrerequisiteStateError


class Telemetry:
    """The gauges of ``sql/monitor/gauges/`` that this server's version has, as far as they can be read.

    Most of them stand still most of the time: one that has not changed is written down every `UNCHANGED_S` only, which
    keeps the record of a day small. Whoever reads them carries the last value on.
    """

    def __init__(self, parts: Parts, write: Write) -> None:
        self._parts = parts
        self._write = write
        self._written: dict[str, tuple[int, float]] = {}  # when, and what

    async def read(self, connection: asyncpg.Connection, *, all_of_them: bool = False) -> None:
        """Write down the gauges as they are now: those that have changed, or `all_of_them`.

        Raises:
            asyncpg.PostgresError, asyncpg.InterfaceError, OSError: the connection was lost.
        """
        at_ns = time.monotonic_ns()  # one time for all of them: they are a row of a table
        for part, name in gauge_files(connection.get_server_version().major).items():
            rows = await self._parts.fetch(part, connection, name)
            values = [(row["name"], row["value"]) for row in rows if row["value"] is not None]
            new = [one for one in values if all_of_them or self._is_new(*one, at_ns)]
            self._written.update((name, (at_ns, value)) for name, value in new)
            self._write("gauges", [(at_ns, *one) for one in new])

    def _is_new(self, name: str, value: float, at_ns: int) -> bool:
        then_ns, before = self._written.get(name, (0, None))
        return value != before or at_ns - then_ns >= UNCHANGED_S * 1e9


def gauge_files(major: int) -> dict[str, str]:
    """Part → name of its statement for `sql`, for a server of this major version.

    A file ``checkpoints_since_17.sql`` is for version 17 and later, ``checkpoints_until_16.sql`` for 16 and earlier.
    """
    found = {}
    for path in sorted((SQL / GAUGES).glob("*.sql")):
        if fits(path, major):
            named = _FOR_VERSIONS.fullmatch(path.stem)
            assert named is not None
            found[named["part"]] = f"{GAUGES}/{path.stem}"
    return found


def fits(path: Path, major: int) -> bool:
    """Whether the statement in `path` is for a server of this major version."""
    named = _FOR_VERSIONS.fullmatch(path.stem)
    assert named is not None
    if named["bound"] is None:
        return True
    bound = int(named["major"])
    return major >= bound if named["bound"] == "since" else major <= bound
