"""Promise: `chatsoak migrate` brings a database up to date without psql, and says which migrations are in place."""

import json
from typing import Any

from tests.analysis.targets import Target, run, value


def states(target: Target) -> list[dict[str, Any]]:
    done = target.chatsoak("migrate", "--status", "--json")
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_from_nothing_to_all_of_them(target: Target, bare_database: str) -> None:
    target = target.but(DATABASE_URL=bare_database)
    assert [state["in_place"] for state in states(target)] == [False, False, False]
    done = target.chatsoak("migrate", "--to", "1", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    assert [state["in_place"] for state in json.loads(done.stdout)] == [True, False, False]
    assert target.chatsoak("migrate", "--yes").returncode == 0
    assert [state["in_place"] for state in states(target)] == [True, True, True]
    again = target.chatsoak("migrate", "--yes")
    assert again.returncode == 0, again.stderr


def test_messages_that_are_there_are_numbered(target: Target, bare_database: str) -> None:
    person, chat = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
    run(
        bare_database,
        f"insert into auth.users (id, email) values ('{person}', 'a@example.com')",
        f"insert into accounts (id, name, email) values ('{person}', 'a', 'a@example.com')",
        f"insert into chats (id, type, created_by) values ('{chat}', 'group', '{person}')",
        f"insert into chat_messages (chat_id, sender_id, message_text) select '{chat}', '{person}', n::text "
        "from generate_series(1, 1000) n",
    )
    assert target.but(DATABASE_URL=bare_database).chatsoak("migrate", "--yes").returncode == 0
    assert value(bare_database, "select count(distinct seq) from chat_messages") == 1000
    assert value(bare_database, "select max(seq) from chat_messages") == 1000


def test_a_statement_that_is_refused_is_named_with_its_remedy(target: Target, bare_database: str) -> None:
    done = target.but(DATABASE_URL=bare_database).chatsoak("migrate", "--yes")
    assert done.returncode == 0, done.stderr
    run(
        bare_database,
        "drop table public.chat_seq_counters cascade",
        "drop table public.chat_messages cascade",
    )
    refused = target.but(DATABASE_URL=bare_database).chatsoak("migrate", "--yes")
    assert refused.returncode == 2
    assert "migration_01_add_seq_and_status was refused" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


def test_it_asks_first_and_says_where(target: Target, bare_database: str) -> None:
    done = target.but(DATABASE_URL=bare_database).chatsoak("migrate")
    assert done.returncode == 2
    assert "will be applied to postgres@127.0.0.1" in done.stderr
    assert "--yes" in done.stderr.splitlines()[-1]
    column = "select count(*) from information_schema.columns where table_name = 'chat_messages' and column_name = 'seq'"
    assert value(bare_database, column) == 0
