"""Puts the app's schema and the three migrations from ``sql/`` into the database, as a person would: with psql.

psql matters: the migrations commit in between and build indexes concurrently, which no single transaction can.
"""

import asyncio
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from staging.database import SQL
from staging.errors import StageError
from staging.postgres import binaries

FILES = (
    SQL / "schema" / "supabase_furniture.sql",
    SQL / "schema" / "app.sql",
    SQL / "migration_01_add_seq_and_status.sql",
    SQL / "migration_02_triggers_and_functions.sql",
    SQL / "migration_03_realtime_publication.sql",
    SQL / "staging" / "setup.sql",
)


async def apply(dsn: str) -> None:
    """Bring the database up to date. Every file is idempotent.

    Raises:
        StageError: psql refused a file; the sentence has its words.
    """
    for file in FILES:
        await _run(file, dsn)


async def _run(file: Path, dsn: str) -> None:
    target = urlsplit(dsn)
    environment = {
        **os.environ,
        "PGHOST": target.hostname or "",
        "PGPORT": str(target.port or 5432),
        "PGUSER": unquote(target.username or ""),
        "PGPASSWORD": unquote(target.password or ""),
        "PGDATABASE": target.path.lstrip("/") or "postgres",
        "PGOPTIONS": "-c client_min_messages=warning",
    }
    process = await asyncio.create_subprocess_exec(
        str(binaries() / "psql"),
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        f"--file={file}",
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    _, said = await process.communicate()
    if process.returncode != 0:
        words = " ".join(said.decode(errors="replace").split())
        raise StageError(f"sql/{file.relative_to(SQL)} could not be applied: {words}")
