"""The stage's PostgreSQL runs as production would: durable, decoding logically, watched, and on loopback only."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest

from tests.staging.stages import RunningStage


def ask(dsn: str, query: str) -> Any:
    async def asked() -> Any:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("wal_level", "logical"),
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("shared_preload_libraries", "pg_stat_statements"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("timezone", "UTC"),
    ],
)
def test_it_is_set_as_production_is(stage: RunningStage, setting: str, value: str) -> None:
    assert ask(stage.database_url, f"show {setting}") == value


def test_it_counts_statements(stage: RunningStage) -> None:
    mark = "select 'seen by pg_stat_statements' as probe"
    ask(stage.database_url, mark)
    calls = "select calls from pg_stat_statements where query like 'select $1 as probe'"
    assert ask(stage.database_url, calls) >= 1


def test_it_is_postgresql_18_with_the_three_migrations(stage: RunningStage) -> None:
    assert ask(stage.database_url, "select current_setting('server_version_num')::int / 10000") == 18
    assert ask(stage.database_url, "select to_regclass('uq_chat_messages_chat_id_seq') is not null")
    assert ask(stage.database_url, "select count(*) from pg_trigger where tgname = 'trg_assign_seq'") == 1
    published = "select count(*) from pg_publication_tables where pubname = 'supabase_realtime'"
    assert ask(stage.database_url, published) == 5


def test_nothing_listens_beyond_loopback(stage: RunningStage) -> None:
    server = psutil.Process(stage.pid)
    listening = []
    for process in [server, *server.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # a backend that has just ended
            listening += [c.laddr for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    assert {address.ip for address in listening} == {"127.0.0.1"}
    ports = {urlsplit(stage.app_url).port, urlsplit(stage.database_url).port}
    assert {address.port for address in listening} == ports


def test_it_lets_nobody_in_without_the_password(stage: RunningStage) -> None:
    target = urlsplit(stage.database_url)
    with pytest.raises(asyncpg.InvalidPasswordError):
        ask(f"postgresql://postgres:guessed@{target.hostname}:{target.port}/postgres", "select 1")
