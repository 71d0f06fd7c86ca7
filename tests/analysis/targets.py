"""A real target for the tests of `chatsoak`'s own commands: the stage, and databases of their own beside its."""

import asyncio
import os
import subprocess
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from analysis.settings import Settings, load
from analysis.target.statements import split
from tests.analysis import forked
from tests.staging.stages import RunningStage

ROOT = Path(__file__).resolve().parents[2]
COMMAND_S = 60.0
SCHEMA = ("schema/supabase_furniture", "schema/app")
MIGRATIONS = (
    "migration_01_add_seq_and_status",
    "migration_02_triggers_and_functions",
    "migration_03_realtime_publication",
)


@dataclass(frozen=True)
class Target:
    """What a person would fill into ``.env.staging`` for the stage, with a database of the test's choice."""

    host: str
    environment: Mapping[str, str]

    @classmethod
    def of(cls, stage: RunningStage, reports: Path, database_url: str | None = None) -> "Target":
        return cls(
            stage.app_url,
            {
                "NEXT_PUBLIC_SUPABASE_URL": stage.supabase_url,
                "NEXT_PUBLIC_SUPABASE_ANON_KEY": stage.anon_key,
                "SUPABASE_SERVICE_ROLE_KEY": stage.service_role_key,
                "DATABASE_URL": database_url or stage.database_url,
                "CHATSOAK_REPORTS_DIR": str(reports),
            },
        )

    def but(self, **changes: str) -> "Target":
        """The same with other settings."""
        return Target(self.host, {**self.environment, **changes})

    @property
    def settings(self) -> Settings:
        """As the code reads them."""
        return load(Path("no such file"), {name.lower(): value for name, value in self.environment.items()})

    @property
    def secrets(self) -> list[str]:
        """What must show nowhere."""
        password = urlsplit(self.environment["DATABASE_URL"]).password
        keys = ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY")
        return [password or "", *(self.environment[key] for key in keys)]

    def chatsoak(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run the command to its end, as a person would."""
        return chatsoak(*arguments, environment=self.environment, stdin=stdin)


def chatsoak(
    *arguments: str, environment: Mapping[str, str] | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``chatsoak`` with nothing of a target in its environment but `environment`."""
    return forked.run(arguments, ROOT, {**bare_environment(), **(environment or {})}, stdin, COMMAND_S)


def bare_environment() -> dict[str, str]:
    """This process's environment without a target in it."""
    foreign = ("NEXT_PUBLIC_", "SUPABASE_", "DATABASE_URL", "CHATSOAK_")
    return {name: value for name, value in os.environ.items() if not name.startswith(foreign)}


@contextmanager
def new_database(server: str, template: str | None = None) -> Iterator[str]:
    """The URL of a database on the server of the URL `server`, gone afterwards."""
    name = f"test_{uuid.uuid4().hex}"
    run(server, f"create database {name}" + (f" template {template}" if template else ""))
    try:
        yield urlsplit(server)._replace(path=f"/{name}").geturl()
    finally:
        run(server, f"drop database {name} with (force)")


def run_files(database_url: str, names: Iterable[str]) -> None:
    """Run ``sql/<name>.sql`` of each of `names`."""
    for name in names:
        run(database_url, *split((ROOT / "sql" / f"{name}.sql").read_text(encoding="utf-8")))


def run(database_url: str, *statements: str) -> None:
    """Run statements, each on its own, in one session."""

    async def all_of_them() -> None:
        connection = await asyncpg.connect(database_url)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(all_of_them())


def value(database_url: str, query: str, *arguments: Any) -> Any:
    """The first value of the first row."""

    async def one() -> Any:
        connection = await asyncpg.connect(database_url)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    return asyncio.run(one())
