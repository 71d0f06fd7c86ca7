"""Promise: a token gives the rights of the API's roles, and of no other role of the database."""

import asyncio

import asyncpg
import pytest

from staging.database import as_caller, open_pool
from tests.staging.stages import RunningStage


async def who_am_i(dsn: str, role: str) -> str:
    pool = await open_pool(dsn, 2)
    try:
        async with as_caller(pool, {"role": role}) as connection:
            return str(await connection.fetchval("select current_user"))
    finally:
        await pool.close()


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role"])
def test_a_role_of_the_api_is_taken_on(stage: RunningStage, role: str) -> None:
    assert asyncio.run(who_am_i(stage.database_url, role)) == role


@pytest.mark.parametrize("role", ["postgres", "no such role", 'anon"; --'])
def test_any_other_is_refused_as_postgresql_refuses_an_unknown_one(stage: RunningStage, role: str) -> None:
    with pytest.raises(asyncpg.InvalidParameterValueError, match="does not exist"):
        asyncio.run(who_am_i(stage.database_url, role))
