"""Promise: participants, and nobody else, read and write a chat; whoever calls a function acts for themself."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.sql.databases import ANON, OUTSIDER, PARTICIPANT, SERVICE, People, acting_as, connected

REFUSED = "refused"

# What each asker may do: how many rows a statement reads or changes, or that it is refused outright.
MATRIX = [
    ("select from chats where id = $1", "chat", {ANON: 0, OUTSIDER: 0, PARTICIPANT: 1, SERVICE: 1}),
    (
        "select from chat_participants where chat_id = $1",
        "chat",
        {ANON: 0, OUTSIDER: 0, PARTICIPANT: 2, SERVICE: 2},
    ),
    (
        "select from chat_messages where chat_id = $1",
        "chat",
        {ANON: 0, OUTSIDER: 0, PARTICIPANT: 1, SERVICE: 1},
    ),
    (
        "update chats set name = 'x' where id = $1",
        "chat",
        {ANON: REFUSED, OUTSIDER: 0, PARTICIPANT: 1, SERVICE: 1},
    ),
    (
        "update chats set created_by = null where id = $1",
        "chat",
        {ANON: REFUSED, OUTSIDER: REFUSED, PARTICIPANT: REFUSED, SERVICE: 1},
    ),
    ("delete from chats where id = $1", "chat", {ANON: 0, OUTSIDER: 0, PARTICIPANT: 0, SERVICE: 1}),
    (
        "update chat_messages set message_text = 'x' where id = $1",
        "message",
        {ANON: 0, OUTSIDER: 0, PARTICIPANT: 0, SERVICE: 1},  # Ben asks, and it is Ann's
    ),
    (
        "delete from chat_messages where id = $1",
        "message",
        {ANON: 0, OUTSIDER: 0, PARTICIPANT: 0, SERVICE: 1},
    ),
    (
        "insert into chat_participants (chat_id, user_id) values ($1, $2)",
        "chat",
        {ANON: REFUSED, OUTSIDER: REFUSED, PARTICIPANT: 1, SERVICE: 1},
    ),
    (
        "insert into chat_messages (chat_id, sender_id, message_text) values ($1, auth.uid(), 'x')",
        "chat",
        {ANON: REFUSED, OUTSIDER: REFUSED, PARTICIPANT: 1},
    ),
    (
        "insert into chat_messages (chat_id, sender_id, message_text) values ($1, (select $2::uuid), 'forged')",
        "chat",
        {ANON: REFUSED, OUTSIDER: REFUSED, PARTICIPANT: REFUSED, SERVICE: 1},
    ),
]


def asker(people: People, name: str) -> tuple[str, uuid.UUID | None]:
    return {
        ANON: (ANON, None),
        OUTSIDER: ("authenticated", people.oz),
        PARTICIPANT: ("authenticated", people.ben),
        SERVICE: (SERVICE, None),
    }[name]


def with_people(database: str, test: Callable[[asyncpg.Connection, People], Awaitable[None]]) -> None:
    async def run() -> None:
        async with connected(database) as db:
            await test(db, await People().move_in(db))

    asyncio.run(run())


def test_who_may_do_what(database: str) -> None:
    async def test(db: asyncpg.Connection, people: People) -> None:
        for statement, about, allowed in MATRIX:
            arguments = [getattr(people, about), *([people.oz] if "$2" in statement else [])]
            for name, wanted in allowed.items():
                async with acting_as(db, *asker(people, name)):
                    try:
                        done: object = int((await db.execute(statement, *arguments)).rpartition(" ")[2])
                    except asyncpg.InsufficientPrivilegeError:
                        done = REFUSED
                assert done == wanted, f"{name}: {statement}"

    with_people(database, test)


@pytest.mark.parametrize("column", ["seq", "status", "client_generated_id", "sender_id", "chat_id"])
def test_a_sender_cannot_rewrite_what_the_server_sets(database: str, column: str) -> None:
    values = {"seq": "99", "status": "'read'"}

    async def test(db: asyncpg.Connection, people: People) -> None:
        async with acting_as(db, "authenticated", people.ann):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await db.execute(
                    f"update chat_messages set {column} = {values.get(column, 'gen_random_uuid()')} where id = $1",
                    people.message,
                )

    with_people(database, test)


def test_what_a_sender_puts_into_the_servers_columns_is_ignored(database: str) -> None:
    async def test(db: asyncpg.Connection, people: People) -> None:
        async with acting_as(db, "authenticated", people.ann):
            row = await db.fetchrow(
                "insert into chat_messages (chat_id, sender_id, message_text, seq, status) "
                "values ($1, $2, 'x', 77, 'read') returning seq, status",
                people.chat,
                people.ann,
            )
        assert tuple(row) == (2, "sent")

    with_people(database, test)


CALLS = (
    "mark_messages_as_delivered($1, $2)",
    "mark_messages_as_read($1, $2)",
    "get_unread_count($1, $2)",
)


@pytest.mark.parametrize("call", CALLS)
def test_a_function_acts_for_its_caller_only(database: str, call: str) -> None:
    async def test(db: asyncpg.Connection, people: People) -> None:
        refused = (
            (ANON, None, people.ben),
            ("authenticated", people.oz, people.oz),
            ("authenticated", people.ben, people.ann),
        )
        for role, caller, claimed in refused:
            async with acting_as(db, role, caller):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await db.fetchval(f"select {call}", people.chat, claimed)
        for role, caller in (("authenticated", people.ben), (SERVICE, None)):
            async with acting_as(db, role, caller):
                assert await db.fetchval(f"select * from {call}", people.chat, people.ben) == 1

    with_people(database, test)


def test_the_latest_seq_is_told_to_participants_only(database: str) -> None:
    async def test(db: asyncpg.Connection, people: People) -> None:
        for role, caller in ((ANON, None), ("authenticated", people.oz)):
            async with acting_as(db, role, caller):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await db.fetchval("select get_latest_seq($1)", people.chat)
        async with acting_as(db, "authenticated", people.ben):
            assert await db.fetchval("select get_latest_seq($1)", people.chat) == 1

    with_people(database, test)


def test_every_function_of_the_app_pins_its_search_path(database: str) -> None:
    async def test(db: asyncpg.Connection, _: People) -> None:
        rows = await db.fetch(
            "select proname, coalesce(proconfig::text, '') as settings from pg_proc "
            "where pronamespace = 'public'::regnamespace and prokind = 'f'"
        )
        assert len(rows) >= 10
        assert [row["proname"] for row in rows if "search_path=" not in row["settings"]] == []

    with_people(database, test)
