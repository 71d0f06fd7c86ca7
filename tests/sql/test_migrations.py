"""Promise: the migrations can be run by hand, again, after an interruption, and be taken back; verification tells."""

import asyncio
import subprocess

import asyncpg
import pytest

from tests.analysis.targets import MIGRATIONS
from tests.sql.databases import People, apply, connected, not_in_place, psql, psql_command

FIRST, SECOND, THIRD = MIGRATIONS
ROLLBACKS = tuple(f"rollback/{name}" for name in reversed(MIGRATIONS))

# What somebody breaks, in which migration, and the check that must say so.
DAMAGE = [
    ("drop index uq_chat_messages_chat_id_seq", FIRST, "index uq_chat_messages_chat_id_seq"),
    ("alter table chat_messages drop constraint chat_messages_status_check", FIRST,
     "constraint chat_messages_status_check"),
    ("alter table chat_messages disable trigger trg_00_ignore_server_columns", FIRST,
     "trigger trg_00_ignore_server_columns"),
    ("grant select on chat_seq_counters to anon", FIRST, "table chat_seq_counters, closed to clients"),
    ("update pg_index set indisvalid = false where indexrelid = 'idx_chat_messages_status'::regclass", FIRST,
     "index idx_chat_messages_status"),
    ("alter table chat_messages disable trigger trg_assign_seq", SECOND, "trigger trg_assign_seq"),
    ("drop function get_latest_seq(uuid)", SECOND, "get_latest_seq"),
    ("alter publication supabase_realtime drop table chat_messages", THIRD, "chat_messages"),
    ("alter table chats replica identity default", THIRD, "chats"),
]  # fmt: skip


HOLD_UP = """
create function hold_up() returns trigger language plpgsql as $$
begin perform pg_advisory_xact_lock(42); return new; end $$;
create trigger hold_up before update on chat_messages for each row
when (new.message_text = '9000') execute function hold_up();
"""
WAITING = (
    "select pid from pg_stat_activity where datname = current_database() "
    "and wait_event_type = 'Lock' and wait_event = 'advisory'"
)


def findings(url: str) -> dict[str, list[str]]:
    async def look() -> dict[str, list[str]]:
        async with connected(url) as db:
            return {name: await not_in_place(db, name) for name in MIGRATIONS}

    return asyncio.run(look())


def test_by_hand_then_again_then_back_then_once_more(bare_database: str) -> None:
    before = findings(bare_database)
    assert all(before.values())
    apply(bare_database, "sample_data", *MIGRATIONS)
    in_place: dict[str, list[str]] = {name: [] for name in MIGRATIONS}
    assert findings(bare_database) == in_place
    apply(bare_database, *MIGRATIONS, "sample_data")
    assert findings(bare_database) == in_place

    async def seqs() -> list[int]:
        async with connected(bare_database) as db:
            return [row["seq"] for row in await db.fetch("select seq from chat_messages order by seq")]

    assert asyncio.run(seqs()) == [1, 2]
    for _ in range(2):
        apply(bare_database, *ROLLBACKS)
        after = findings(bare_database)
        assert all(set(before[name]) <= set(after[name]) for name in MIGRATIONS)
    apply(bare_database, *MIGRATIONS)
    assert findings(bare_database) == in_place
    assert asyncio.run(seqs()) == [1, 2]


@pytest.mark.parametrize(("statement", "migration", "check"), DAMAGE, ids=[row[2] for row in DAMAGE])
def test_verification_names_what_is_broken(database: str, statement: str, migration: str, check: str) -> None:
    async def break_it() -> None:
        async with connected(database) as db:
            await db.execute(statement)

    asyncio.run(break_it())
    found = findings(database)
    assert [name for name, named in found.items() if named] == [migration]
    assert all(check in named for named in found[migration])


def test_what_is_broken_is_mended_by_running_the_migrations_again(database: str) -> None:
    async def break_all() -> None:
        async with connected(database) as db:
            for statement, _, _ in DAMAGE:
                await db.execute(statement)

    asyncio.run(break_all())
    apply(database, *MIGRATIONS)
    left = [named for found in findings(database).values() for named in found]
    # What an administrator switched off or granted on purpose is not switched back.
    assert all("closed to clients" in named for named in left), left


def test_in_one_transaction_it_stops_before_anything_has_changed(bare_database: str) -> None:
    before = findings(bare_database)
    for name in (FIRST, SECOND):
        done = psql(bare_database, name, "--single-transaction")
        assert done.returncode != 0
        assert "cannot run inside one transaction; nothing has been changed" in done.stderr
    assert findings(bare_database) == before


def test_the_second_needs_the_first_and_the_first_stays_while_the_second_is_there(bare_database: str) -> None:
    done = psql(bare_database, SECOND)
    assert done.returncode != 0
    assert "migration 01" in done.stderr.lower()
    apply(bare_database, FIRST, SECOND)
    done = psql(bare_database, f"rollback/{FIRST}")
    assert done.returncode != 0
    assert "migration 02 is still in place; nothing has been changed" in done.stderr
    assert findings(bare_database)[FIRST] == []


def test_two_at_once_do_not_get_in_each_others_way(bare_database: str) -> None:
    async def hold() -> subprocess.CompletedProcess[str]:
        async with connected(bare_database) as db:
            await db.execute("select pg_advisory_lock(hashtextextended('chatsoak migrations', 0))")
            return await asyncio.to_thread(psql, bare_database, FIRST)

    done = asyncio.run(hold())
    assert done.returncode != 0
    assert "another session is running a migration now" in done.stderr
    apply(bare_database, *MIGRATIONS)


def test_a_connection_lost_in_the_midst_of_the_backfill_costs_nothing(bare_database: str) -> None:
    """A trigger holds the backfill up in its second batch; there its session is ended."""

    async def test() -> None:
        async with connected(bare_database) as db, connected(bare_database) as holder:
            people = await People().move_in(db)
            await db.execute(
                "insert into chat_messages (chat_id, sender_id, message_text, created_at) "
                "select $1, $2, n::text, now() + n * interval '1 s' from generate_series(1, 12000) n",
                people.chat,
                people.ann,
            )
            await db.execute(HOLD_UP)
            await holder.execute("select pg_advisory_lock(42)")
            running = await asyncio.create_subprocess_exec(
                *psql_command(bare_database, FIRST),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await until(db, f"select exists ({WAITING})")
            assert await db.fetchval("select count(*) from chat_messages where seq is not null") == 5000
            await db.execute(f"select pg_terminate_backend(pid) from ({WAITING}) waiting")
            assert await running.wait() != 0
            await db.execute("drop function hold_up() cascade")
        apply(bare_database, *MIGRATIONS)
        async with connected(bare_database) as db:
            assert await db.fetchval("select count(*) from chat_messages") == 12001
            wrong = await db.fetchval(
                "select count(*) from (select seq, row_number() over (order by created_at) as place "
                "from chat_messages) numbered where seq is distinct from place"
            )
            assert wrong == 0

    asyncio.run(test())
    assert findings(bare_database) == {name: [] for name in MIGRATIONS}


async def until(db: asyncpg.Connection, question: str) -> None:
    """Wait for a yes. Bounded."""
    async with asyncio.timeout(60):
        while not await db.fetchval(question):
            await asyncio.sleep(0.02)
