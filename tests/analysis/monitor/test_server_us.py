"""Promise: each look says since when PostgreSQL was there: a start and a crash are told, a reset of its counters is neither."""

import asyncio
import os
import signal
import time
from urllib.parse import urlsplit

import asyncpg
import pytest

from analysis.monitor import looks
from tests.analysis.monitor.runs import PATIENCE_S
from tests.analysis.monitor.server import Server, running_server

ADMIN, READER = "postgres", "reader"


def url_of(server: Server, role: str) -> str:
    url = urlsplit(server.url)
    return f"postgresql://{role}@{url.hostname}:{url.port}/postgres"


async def since(server: Server, role: str) -> int:
    """`server_us` as this role sees it, once the server takes connections."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection = await asyncpg.connect(url_of(server, role))
        except (OSError, asyncpg.PostgresError):
            assert time.monotonic() < deadline, "the server did not come back"
            await asyncio.sleep(0.05)
            continue
        try:
            async with looks.snapshot(connection) as taken:
                return taken.server_us
        finally:
            await connection.close()


async def crash(server: Server) -> None:
    """A backend is killed: the postmaster ends all others and starts anew, without ending itself."""
    connection = await asyncpg.connect(server.url)
    started = await connection.fetchval("select pg_postmaster_start_time()")
    os.kill(await connection.fetchval("select pg_backend_pid()"), signal.SIGKILL)
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.execute("select pg_sleep(60)")
    await since(server, ADMIN)
    connection = await asyncpg.connect(server.url)
    assert await connection.fetchval("select pg_postmaster_start_time()") == started
    await connection.close()


async def reset(server: Server, *counters: str) -> None:
    connection = await asyncpg.connect(server.url)
    await connection.execute("select pg_stat_reset()")
    for one in counters:
        await connection.execute("select pg_stat_reset_shared($1)", one)
    await connection.close()


def test_a_crash_and_a_start_are_told_and_a_reset_of_counters_is_not() -> None:
    """To a role that may see the server's processes, and to one that may not."""

    async def story(server: Server) -> None:
        connection = await asyncpg.connect(server.url)
        await connection.execute(f"create role {READER} login")
        started_us = int((await connection.fetchval("select pg_postmaster_start_time()")).timestamp() * 1e6)
        await connection.close()
        first = {role: await since(server, role) for role in (ADMIN, READER)}
        assert all(abs(told - started_us) < PATIENCE_S * 1e6 for told in first.values())
        for counter in ("bgwriter", "bgwriter", "archiver"):
            await reset(server, counter)
            assert {role: await since(server, role) for role in first} == first
        await reset(server, "bgwriter", "archiver", "wal")
        assert await since(server, ADMIN) == first[ADMIN]
        crashed = dict(first)
        for _ in range(2):
            before = {role: await since(server, role) for role in crashed}
            await crash(server)
            crashed = {role: await since(server, role) for role in before}
            assert all(crashed[role] > before[role] for role in crashed), (before, crashed)
        await reset(server, "bgwriter")
        assert {role: await since(server, role) for role in crashed} == crashed
        await asyncio.to_thread(server.stop)
        await asyncio.to_thread(server.start)
        again = {role: await since(server, role) for role in crashed}
        assert all(again[role] > crashed[role] for role in again)

    with running_server() as server:
        asyncio.run(story(server))
