"""The three migrations: which are in place, and applying them as psql would, a statement at a time.

They commit in between and build indexes concurrently, so no transaction is put around a file.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import asyncpg

from analysis.settings import Settings
from analysis.target.database import connect, place, refusals, sql
from analysis.target.statements import split

NAMES = (
    "migration_01_add_seq_and_status",
    "migration_02_triggers_and_functions",
    "migration_03_realtime_publication",
)


@dataclass(frozen=True, slots=True)
class State:
    """What the verification of one migration found.

    Attributes:
        missing: what is not as it should be, in words; empty: the migration is in place.
    """

    number: int
    name: str
    checked: int
    missing: tuple[str, ...]

    @property
    def in_place(self) -> bool:
        """Whether everything the migration makes is there."""
        return not self.missing

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "in_place": self.in_place}

    def __str__(self) -> str:
        said = "in place" if self.in_place else "not in place: " + "; ".join(self.missing)
        return f"{self.name} ({self.checked} checks): {said}"


async def states(settings: Settings) -> list[State]:
    """The state of each migration.

    Raises:
        TargetError: the database cannot be read.
    """
    connection = await connect(settings)
    try:
        with refusals(settings, "Reading the state of the migrations", "try again"):
            return await read_states(connection)
    finally:
        await connection.close()


async def read_states(connection: asyncpg.Connection) -> list[State]:
    """The state of each migration, over an open connection."""
    found = []
    for number, name in enumerate(NAMES, 1):
        try:
            rows = await connection.fetch(sql(f"verify/{name}"))
        except asyncpg.PostgresConnectionError:
            raise  # says nothing about the migration
        except asyncpg.PostgresError as error:
            found.append(State(number, name, 1, (f"it cannot be verified: {error}",)))
            continue
        missing = tuple(f"{row['check']}: {row['detail']}" for row in rows if not row["ok"])
        found.append(State(number, name, len(rows), missing))
    return found


async def apply(settings: Settings, to: int, say: Callable[[str], None], may: Callable[[str], bool]) -> None:
    """Say what will be applied where, ask `may`, and apply migrations 01 to `to`. Each is safe to run again.

    Raises:
        TargetError: a statement was refused; what went before it stays, and running again goes on from there.
    """
    say(f"Migrations 01 to {to:02} will be applied to {place(settings)}.")
    if not may("Go on?"):
        say("Nothing was changed.")
        return
    for name in NAMES[:to]:
        connection = await connect(settings)  # a fresh session for each file, as with psql -f
        connection.add_log_listener(lambda _, message: say(f"  {message.message}"))
        try:
            say(name)
            with refusals(settings, name, "mend that and run chatsoak migrate again"):
                for statement in split(sql(name)):
                    await connection.execute(statement)
        finally:
            await connection.close()
