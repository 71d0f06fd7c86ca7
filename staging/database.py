"""Connections to PostgreSQL, and transactions under somebody's own rights.

A request runs as PostgREST runs it: one transaction, the caller's role, and the caller's claims in
``request.jwt.claims``, so that row level security decides.
Source: https://docs.postgrest.org/en/stable/references/transactions.html
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from staging.tokens import Claims

SQL = Path(__file__).resolve().parents[1] / "sql"
API_ROLES = frozenset({"anon", "authenticated", "service_role"})


@cache
def sql(name: str) -> str:
    """The statement in ``sql/staging/<name>.sql``."""
    return (SQL / "staging" / f"{name}.sql").read_text(encoding="utf-8")


async def open_pool(dsn: str, size: int) -> asyncpg.Pool:
    """A pool of at most `size` connections, with json and jsonb decoded."""
    return await asyncpg.create_pool(
        dsn, min_size=2, max_size=size, init=_prepare, reset=_nothing_to_reset, command_timeout=60
    )


async def _prepare(connection: asyncpg.Connection) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(
            kind,
            encoder=lambda value: orjson.dumps(value).decode(),
            decoder=orjson.loads,
            schema="pg_catalog",
        )


async def _nothing_to_reset(connection: asyncpg.Connection) -> None:
    """Every setting is local to its transaction, so a returned connection is clean: saves a round trip."""


@asynccontextmanager
async def as_caller(pool: asyncpg.Pool, claims: Claims) -> AsyncIterator[asyncpg.Connection]:
    """A transaction under the rights of the token whose claims these are.

    Raises:
        asyncpg.InvalidParameterValueError: the token's role is none that the API knows.
    """
    role = claims["role"]
    if role not in API_ROLES:
        raise asyncpg.InvalidParameterValueError(f'role "{role}" does not exist')  # as SET ROLE would
    connection = await pool.acquire()
    try:
        # One round trip for three statements; the simple protocol takes no parameters, hence the quoting.
        await connection.execute(
            f"begin; select set_config('role', {_quoted(role)}, true), "
            f"set_config('request.jwt.claims', {_quoted(json.dumps(claims))}, true)"
        )
        try:
            yield connection
        except BaseException:
            await _roll_back(connection)
            raise
        await connection.execute("commit")
    finally:
        await pool.release(connection)


async def _roll_back(connection: asyncpg.Connection) -> None:
    if not connection.is_closed():
        await connection.execute("rollback")


def _quoted(text: str) -> str:
    """`text` as a literal; standard_conforming_strings is on, and json.dumps has escaped every control character."""
    return "'" + text.replace("'", "''") + "'"


def plain(record: asyncpg.Record) -> dict[str, Any]:
    """A row as a dict."""
    return dict(record.items())
