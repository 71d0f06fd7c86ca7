"""Database changes over real sockets: who hears what, in which order, and what happens when things break."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterator

import asyncpg
import pytest

from staging.database import sql
from tests.staging.realtime.phoenix import Phoenix, phoenix
from tests.staging.stages import Person, RunningStage, running_stage

MESSAGES = {"event": "*", "schema": "public", "table": "chat_messages"}
WAITS_FOR_STANDBY = "select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep'"
ASKS_IF_VISIBLE = (
    "select query_start from pg_stat_activity where application_name = 'realtime' and query = $1"
)


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    """A stage whose database these tests may alter."""
    with running_stage() as running:
        yield running


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(test)


@contextlib.asynccontextmanager
async def database(stage: RunningStage) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(stage.database_url)
    try:
        yield connection
    finally:
        await connection.close()


async def send(db: asyncpg.Connection, chat_id: str, sender: Person, text: str) -> uuid.UUID:
    """Store a message; its id."""
    return await db.fetchval(
        "insert into chat_messages (chat_id, sender_id, message_text) values ($1, $2, $3) returning id",
        chat_id,
        sender.id,
        text,
    )


def is_new_message(data: dict[str, str]) -> bool:
    return data["table"] == "chat_messages" and data["type"] == "INSERT"


def texts(client: Phoenix, topic: str | None = None) -> list[str]:
    return [data["record"]["message_text"] for data in client.changes(topic) if is_new_message(data)]


async def heard(client: Phoenix, text: str) -> None:
    await client.change(lambda data: is_new_message(data) and data["record"]["message_text"] == text)


async def hears(client: Phoenix, db: asyncpg.Connection, chat_id: str, sender: Person) -> None:
    """A message stored now arrives: all that was committed before it was heard already, or never will be."""
    text = f"mark {uuid.uuid4()}"
    await send(db, chat_id, sender, text)
    await heard(client, text)


def test_an_event_has_the_shape_of_supabases(own: RunningStage) -> None:
    async def test() -> None:
        ann, ben = own.person(), own.person()
        chat_id = own.chat(ann, ben)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            number = await client.subscribe(
                "realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}"
            )
            message_id = await send(db, chat_id, ben, "hi")
            row = await db.fetchval("select to_jsonb(m)::text from chat_messages m where id = $1", message_id)
            # Row level security is asked when the change is read: of a row that is gone by then nothing is told.
            await client.change(lambda data: data["type"] == "INSERT")
            await db.execute("update chat_messages set status = 'read' where id = $1", message_id)
            await client.change(lambda data: data["type"] == "UPDATE")
            await db.execute("delete from chat_messages where id = $1", message_id)
            await client.change(lambda data: data["type"] == "DELETE")
            (inserted, updated, deleted) = client.events("postgres_changes")
            assert inserted["ids"] == [number]
            data = inserted["data"]
            assert set(data) == {"schema", "table", "commit_timestamp", "type", "columns", "record", "errors"}
            assert (data["schema"], data["table"], data["type"]) == ("public", "chat_messages", "INSERT")
            assert data["errors"] is None
            assert len(data["commit_timestamp"]) == len("2026-11-23T16:00:00.123Z")
            assert {"name": "seq", "type": "int8"} in data["columns"]
            assert {"name": "media_urls", "type": "_text"} in data["columns"]
            assert data["record"] == json.loads(row)
            assert updated["data"]["old_record"] == data["record"]
            assert updated["data"]["record"]["status"] == "read"
            assert deleted["data"]["old_record"] == {"id": str(message_id)}
            assert "record" not in deleted["data"]

    run(test())


def test_row_level_security_decides_about_each_row_at_that_moment(own: RunningStage) -> None:
    async def test() -> None:
        ann, ben, guest = own.person(), own.person(), own.person()
        chat_id, common = own.chat(ann, ben), own.chat(ann, ben, guest)
        async with (
            database(own) as db,
            phoenix(own.supabase_url, own.anon_key) as insider,
            phoenix(own.supabase_url, own.anon_key) as outsider,
            phoenix(own.supabase_url, own.anon_key) as nobody,
        ):
            await insider.subscribe("realtime:a", ann.token, **MESSAGES)
            await outsider.subscribe("realtime:a", guest.token, **MESSAGES)
            await nobody.subscribe("realtime:a", None, **MESSAGES)
            await send(db, chat_id, ben, "before")
            await hears(outsider, db, common, ben)
            assert "before" not in texts(outsider)
            await db.execute(
                "insert into chat_participants (chat_id, user_id) values ($1, $2)", chat_id, guest.id
            )
            await send(db, chat_id, ben, "while a guest")
            await heard(outsider, "while a guest")
            await db.execute(
                "delete from chat_participants where chat_id = $1 and user_id = $2", chat_id, guest.id
            )
            await send(db, chat_id, ben, "after")
            await hears(outsider, db, common, ben)
            assert "after" not in texts(outsider)
            await heard(insider, "after")
            assert [text for text in texts(insider) if not text.startswith("mark")] == [
                "before",
                "while a guest",
                "after",
            ]
            assert nobody.changes() == []

    run(test())


def test_the_service_role_sees_all(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with database(own) as db, phoenix(own.supabase_url, own.service_role_key) as client:
            await client.subscribe("realtime:a", None, **MESSAGES, filter=f"chat_id=eq.{chat_id.upper()}")
            await hears(client, db, chat_id, ann)

    run(test())


def test_events_come_in_the_order_of_commits_and_each_once(own: RunningStage) -> None:
    async def test() -> None:
        ann, ben = own.person(), own.person()
        chat_id = own.chat(ann, ben)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key, "2.0.0") as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            # More than one look at the slot takes, in one transaction and in many.
            async with db.transaction():
                for number in range(700):
                    await send(db, chat_id, ben, str(number))
            for number in range(700, 900):
                await send(db, chat_id, ben, str(number))
            await heard(client, "899")
            assert texts(client) == [str(number) for number in range(900)]

    run(test())


def test_a_commit_that_can_be_read_before_it_is_visible_is_heard_all_the_same(own: RunningStage) -> None:
    """A commit that waits for a standby is in the log, and nobody sees it yet: the moment that is short otherwise, made long."""

    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with (
            database(own) as db,
            database(own) as writer,
            phoenix(own.supabase_url, own.anon_key) as client,
        ):
            await client.subscribe("realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            await writer.execute("set synchronous_commit = on")
            await db.execute("alter system set synchronous_standby_names = 'nobody'")
            await db.execute("select pg_reload_conf()")
            sent = []
            try:
                async with asyncio.timeout(60):
                    while not await db.fetchval(WAITS_FOR_STANDBY):
                        if not sent or sent[-1].done():  # the setting is not in force yet
                            sent.append(asyncio.create_task(send(writer, chat_id, ann, f"early {len(sent)}")))
                        await asyncio.sleep(0.001)
                    asked = set()
                    while len(asked) < 2:  # what the feed asks about twice by now is the one that waits
                        asked.update(await db.fetch(ASKS_IF_VISIBLE, sql("realtime_is_visible")))
                        await asyncio.sleep(0.01)
                assert not sent[-1].done()
            finally:
                await db.execute("alter system reset synchronous_standby_names")
                await db.execute("select pg_reload_conf()")
            await asyncio.gather(*sent)
            await heard(client, f"early {len(sent) - 1}")
            await hears(client, db, chat_id, ann)
            assert texts(client)[:-1] == [f"early {number}" for number in range(len(sent))]

    run(test())


def test_what_is_rolled_back_is_never_heard(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            with contextlib.suppress(ZeroDivisionError):
                async with db.transaction():
                    await send(db, chat_id, ann, "never")
                    raise ZeroDivisionError
            await hears(client, db, chat_id, ann)
            assert len(texts(client)) == 1

    run(test())


def test_filters_events_and_columns_are_what_was_asked_for(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        asked = {
            "high": {**MESSAGES, "event": "INSERT", "filter": f"chat_id=eq.{chat_id},seq=gte.10"},
            "some": {**MESSAGES, "event": "INSERT", "filter": "message_text=in.(text 2,text 4,nothing)"},
            "changed": {**MESSAGES, "event": "UPDATE", "filter": f"chat_id=eq.{chat_id}"},
            "narrow": {**MESSAGES, "event": "INSERT", "select": ["seq"], "filter": f"chat_id=eq.{chat_id}"},
            "all": {"event": "*", "schema": "*"},
        }
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            for name, entry in asked.items():
                await client.subscribe(f"realtime:{name}", ann.token, **entry)
            for number in range(1, 13):
                await send(db, chat_id, ann, f"text {number}")
            await db.execute(
                "update chat_messages set status = 'read' where chat_id = $1 and seq = 12", chat_id
            )
            await client.wait_for(
                lambda f: f["event"] == "postgres_changes" and f["topic"] == "realtime:changed"
            )
            assert [data["record"]["seq"] for data in client.changes("realtime:high")] == [10, 11, 12]
            assert texts(client, "realtime:some") == ["text 2", "text 4"]
            assert [data["record"]["seq"] for data in client.changes("realtime:changed")] == [12]
            narrow = client.changes("realtime:narrow")[0]
            assert set(narrow["record"]) == {"id", "seq"}
            assert [column["name"] for column in narrow["columns"]] == ["id", "seq"]
            everything = [data["table"] for data in client.changes("realtime:all")]
            assert everything.count("chat_messages") == 13

    run(test())


def test_bindings_of_one_channel_share_a_frame(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            entries = [{**MESSAGES, "filter": f"chat_id=eq.{chat_id}"}, {**MESSAGES, "event": "INSERT"}]
            reply = await client.join("realtime:a", ann.token, postgres_changes=entries)
            await client.system("realtime:a")
            await hears(client, db, chat_id, ann)
            (event,) = client.events("postgres_changes")
            ids = [entry["id"] for entry in reply["response"]["postgres_changes"]]
            assert sorted(event["ids"]) == sorted(ids)

    run(test())


def test_a_large_value_that_was_not_touched_comes_from_the_old_row(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        large = "".join(str(uuid.uuid4()) for _ in range(300))
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            message_id = await send(db, chat_id, ann, large)
            await db.execute("update chat_messages set status = 'read' where id = $1", message_id)
            updated = await client.change(lambda data: data["type"] == "UPDATE")
            assert updated["record"]["message_text"] == large

    run(test())


def test_a_record_above_a_megabyte_is_told_with_error_413(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            await send(db, chat_id, ann, "x" * 1_100_000)
            data = await client.change(lambda data: data["type"] == "INSERT")
            assert data["errors"] == ["Error 413: Payload Too Large"]
            assert "message_text" not in data["record"]
            assert data["record"]["chat_id"] == chat_id

    run(test())


def test_columns_that_the_role_may_not_read_are_left_out(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await db.execute(
                """create table notes (id int primary key, shown text, hidden text);
                revoke all on notes from authenticated;
                grant select (id, shown) on notes to authenticated;
                alter publication supabase_realtime add table notes;"""
            )
            try:
                await client.subscribe("realtime:a", ann.token, event="*", schema="public", table="notes")
                await db.execute("insert into notes values (1, 'yes', 'no')")
                data = await client.change(lambda data: data["table"] == "notes")
                assert data["record"] == {"id": 1, "shown": "yes"}
                # Without row level security a deletion tells all of the replica identity, which is the key here.
                await db.execute("delete from notes")
                data = await client.change(lambda data: data["type"] == "DELETE")
                assert data["old_record"] == {"id": 1}
                await db.execute(
                    "revoke select (id) on notes from authenticated; insert into notes values (2)"
                )
                data = await client.change(lambda data: data["errors"])
                assert data["errors"] == ["Error 401: Unauthorized"]
                assert data["commit_timestamp"] is None
            finally:
                await db.execute("drop table notes")

    run(test())


def test_a_table_that_leaves_the_publication_falls_silent_until_it_is_back(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        chats = {"event": "*", "schema": "public", "table": "chats"}
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await client.subscribe("realtime:messages", ann.token, **MESSAGES)
            await client.subscribe("realtime:chats", ann.token, **chats)
            await hears(client, db, chat_id, ann)
            await db.execute("alter publication supabase_realtime drop table chat_messages")
            try:
                await send(db, chat_id, ann, "unheard")
                await db.execute("update chats set name = 'silent' where id = $1", chat_id)
                # The chat's own INSERT may come late: it was committed just before the join.
                await client.change(lambda data: data["table"] == "chats" and data["type"] == "UPDATE")
                assert "unheard" not in texts(client)
                async with phoenix(own.supabase_url, own.anon_key) as late:
                    await late.join("realtime:a", ann.token, postgres_changes=[MESSAGES])
                    assert (await late.system("realtime:a"))["status"] == "error"
            finally:
                await db.execute("alter publication supabase_realtime add table chat_messages")
            await hears(client, db, chat_id, ann)
            assert "unheard" not in texts(client)
            assert len(client.events("system", "realtime:messages")) == 1

    run(test())


def test_a_lost_slot_is_replaced_and_every_channel_told(own: RunningStage) -> None:
    async def test() -> None:
        ann = own.person()
        chat_id = own.chat(ann)
        async with database(own) as db, phoenix(own.supabase_url, own.anon_key) as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES)
            await db.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'realtime%'"
            )
            assert (await client.system("realtime:a", 2))["message"] == "Subscribed to PostgreSQL"
            await hears(client, db, chat_id, ann)
            slots = await db.fetch("select slot_name, temporary from pg_replication_slots")
            assert [slot["temporary"] for slot in slots] == [True]

    run(test())


def test_who_does_not_read_is_cut_off_and_holds_up_nobody(own: RunningStage) -> None:
    async def test() -> None:
        ann, ben = own.person(), own.person()
        chat_id = own.chat(ann, ben)
        async with (
            database(own) as db,
            phoenix(own.supabase_url, own.anon_key) as client,
            phoenix(own.supabase_url, own.anon_key) as stuck,
        ):
            for each, person in ((client, ann), (stuck, ben)):
                await each.subscribe("realtime:a", person.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            stuck.connection.transport.pause_reading()
            insert = (
                "insert into chat_messages (chat_id, sender_id, message_text) "
                "select $1, $2, repeat('x', 1000) from generate_series(1, $3) n"
            )
            before = len(client.frames)
            for number in range(1, 5):
                await db.execute(insert, chat_id, ann.id, 3000)
                await client.wait_until(lambda due=before + 3000 * number: len(client.frames) == due)
            stuck.connection.transport.resume_reading()
            await stuck.closed()
            assert len(stuck.frames) < len(client.frames)

    run(test())
