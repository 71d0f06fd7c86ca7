"""Promise: the server's side of a run is written down: gauges, waits, statements, plans; what cannot be read is named."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import asyncpg
import pytest

from analysis.monitor.plans import PAGE, SAMPLES, explain
from analysis.monitor.telemetry import Parts, gauge_files, is_for_good
from analysis.record.tables import PLANS
from tests.analysis.monitor.runs import PATIENCE_S, WatchedRun
from tests.analysis.targets import Target, run

SECRET = "nobody may read this"


@pytest.fixture
def reader(watched: WatchedRun, target: Target) -> Iterator[None]:
    """The monitor's role may read the chat's tables, and has no right to the server's figures of others."""
    role = f"reader_{uuid.uuid4().hex}"
    run(
        watched.database,
        f"create role {role} login password 'reader' bypassrls",
        f"grant usage on schema public to {role}",
        f"grant select on public.chat_messages to {role}",
    )
    url = watched.database.partition("@")[2]
    watched.target = watched.target.but(DATABASE_URL=f"postgresql://{role}:reader@{url}")
    yield
    run(watched.database, f"drop owned by {role}", f"drop role {role}")


def parts_left_out(watched: WatchedRun) -> set[str]:
    return {row["part"] for row in watched.table("left_out")}


def watch_while(
    watched: WatchedRun, during: Callable[[Callable[[], Awaitable[None]]], Awaitable[None]]
) -> None:
    """Baseline, `during` with a function that takes a poll, and the last sweep."""

    async def watching() -> None:
        monitor = watched.monitor()
        try:
            await monitor.begin()
            await during(monitor.poll)
            await monitor.end(0.0)
        finally:
            monitor.close()

    asyncio.run(watching())


def test_the_servers_figures_are_kept_at_the_first_poll_and_after_the_last_look(watched: WatchedRun) -> None:
    watched.watch(watched.send)
    rows = watched.table("gauges")
    names = {row["name"] for row in rows}
    assert {
        "transactions.committed", "transactions.rolled_back", "transactions.oldest_s", "tuples.inserted", "deadlocks",
        "blocks.hit", "locks.waiting", "locks.longest_wait_ms", "connections.used", "connections.most", "wal.bytes",
        "checkpoints.timed", "checkpoints.requested", "slots",
        *(f"table.chat_messages.{what}" for what in
          ("rows_live", "rows_dead", "vacuum_due", "inserted", "autovacuums", "bytes", "index_bytes")),
    } <= names  # fmt: skip
    assert {len([row for row in rows if row["name"] == name]) for name in ("wal.bytes", "deadlocks")} == {2}
    (due,) = {row["value"] for row in rows if row["name"] == "table.chat_messages.vacuum_due"}
    assert due == 50  # PostgreSQL's default for a table whose rows nobody has counted yet


def test_a_slot_is_known_by_its_name(watched: WatchedRun) -> None:
    slot = f"test_{uuid.uuid4().hex}"
    watched.do(f"select pg_create_logical_replication_slot('{slot}', 'pgoutput')")
    try:
        watched.watch(lambda: watched.send(200))
    finally:
        watched.do(f"select pg_drop_replication_slot('{slot}')")
    lag = [row["value"] for row in watched.table("gauges") if row["name"] == f"slot.{slot}.lag_bytes"]
    assert 0 < lag[0] <= lag[1]
    assert {row["value"] for row in watched.table("gauges") if row["name"] == f"slot.{slot}.active"} == {0.0}


@pytest.mark.parametrize("major", [15, 16, 17, 18])
def test_every_version_of_postgresql_has_each_gauge_once(major: int) -> None:
    files = gauge_files(major)
    assert files["checkpoints"].endswith("_until_16" if major < 17 else "_since_17")
    assert set(files) == {
        "activity", "checkpoints", "connections", "database", "locks", "sizes", "slots", "tables", "wal",
    }  # fmt: skip


def test_who_waits_for_whom_is_seen_and_nothing_of_what_they_write(watched: WatchedRun) -> None:
    watched.send()

    async def hold_and_wait(poll: Callable[[], Awaitable[None]]) -> None:
        holder = await asyncpg.connect(watched.database, server_settings={"application_name": "the holder"})
        waiter = await asyncpg.connect(watched.database, server_settings={"application_name": "the waiter"})
        statement = f"update chat_messages set message_text = '{SECRET}' where chat_id = '{watched.chat}'"
        try:
            async with holder.transaction():
                await holder.execute(statement)
                waiting = asyncio.create_task(waiter.execute(statement))
                query = "select count(*) from pg_locks where not granted and pid = $1"
                deadline = time.monotonic() + PATIENCE_S
                while not await holder.fetchval(query, waiter.get_server_pid()):
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.01)
                await poll()
            await waiting
            await poll()
        finally:
            await holder.close()
            await waiter.close()

    watch_while(watched, hold_and_wait)
    (wait,) = watched.table("waits")
    assert (wait["waiting_application"], wait["blocking_application"]) == ("the waiter", "the holder")
    assert wait["waiting_pid"] != wait["blocking_pid"]
    assert wait["blocking_state"] == "idle in transaction"
    assert wait["lock"] == "transactionid ShareLock"
    assert wait["waited_ms"] > 0
    assert wait["waiting_statement"] == "update chat_messages set message_text = ? where chat_id = ?"
    for file in (watched.folder / "database").iterdir():
        assert file.stem == "observations" or SECRET.encode() not in file.read_bytes()


def test_statements_are_counted_between_the_looks_and_shown_without_their_values(watched: WatchedRun) -> None:
    watched.do("create extension pg_stat_statements")
    query = (
        f"select message_text as {'m' + uuid.uuid4().hex} from chat_messages where message_text = '{SECRET}'"
    )
    watched.do(query)
    watched.watch(lambda: watched.do(query, query))
    rows = watched.table("statements")
    (last,) = [row for row in rows if row["query"] and query.split(" from ", maxsplit=1)[0] in row["query"]]
    (first,) = [row for row in rows if row["key"] == last["key"] and row is not last]
    assert last["calls"] - first["calls"] == 2
    assert last["total_ms"] > first["total_ms"] > 0
    assert last["query"].endswith("where message_text = $1")
    assert first["query"] is None
    assert last["reset_us"] == first["reset_us"] > 0
    assert parts_left_out(watched) == set()


def test_what_is_not_installed_is_named_once_and_the_rest_is_there(watched: WatchedRun) -> None:
    watched.watch(watched.send, None, None)
    (left_out,) = watched.table("left_out")
    assert left_out["part"] == "statements"
    assert "pg_stat_statements" in left_out["why"]
    assert left_out["for_good"]


@pytest.mark.usefixtures("reader")
def test_without_the_right_to_others_figures_they_are_left_out_and_named(watched: WatchedRun) -> None:
    watched.do("create extension pg_stat_statements")

    async def idle(poll: Callable[[], Awaitable[None]]) -> None:
        other = await asyncpg.connect(watched.database)
        try:
            await poll()
        finally:
            await other.close()

    watch_while(watched, idle)
    assert parts_left_out(watched) == {"activity of others", "statements of others", "people in chats"}
    of_the_server = [row for row in watched.table("left_out") if row["part"] != "people in chats"]
    assert all("pg_monitor" in row["why"] for row in of_the_server)
    rows = watched.table("gauges")
    assert max(row["value"] for row in rows if row["name"] == "connections.hidden") >= 1
    assert {"table.chat_messages.bytes", "checkpoints.timed", "slots"} <= {row["name"] for row in rows}
    assert watched.kinds() == ["POLL", "SWEEP"]
    assert [row["error"] for row in watched.table("plans")] == [None] * (SAMPLES + 1)


def test_a_table_that_somebody_alters_is_not_waited_for(
    watched: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.monitor.server.GAUGES_EVERY_S", 0.0)

    async def lock(poll: Callable[[], Awaitable[None]]) -> None:
        other = await asyncpg.connect(watched.database)
        try:
            async with other.transaction():
                await other.execute("lock table message_reactions in access exclusive mode")
                await poll()
            await poll()
        finally:
            await other.close()

    watch_while(watched, lock)
    assert parts_left_out(watched) == {"statements"}
    rows = watched.table("gauges")
    (measured, at_the_end) = (row["at_ns"] for row in rows if row["name"] == "table.message_reactions.bytes")
    (first, *_) = (row["at_ns"] for row in rows if row["name"] == "table.chat_messages.bytes")
    assert first < measured < at_the_end  # not by the first poll, and by the second


def test_what_stands_still_is_written_down_at_the_first_poll_and_at_the_end_only(
    watched: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analysis.monitor.server.GAUGES_EVERY_S", 0.0)
    watched.watch(*[watched.send] * 5)
    names = [row["name"] for row in watched.table("gauges")]
    assert names.count("connections.most") == 2
    assert names.count("wal.bytes") == 6


@pytest.mark.parametrize(
    ("error", "lasts"),
    [
        (asyncpg.InsufficientPrivilegeError("permission denied"), True),
        (asyncpg.UndefinedTableError("no such view"), True),
        (asyncpg.ObjectNotInPrerequisiteStateError("must be loaded via shared_preload_libraries"), True),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), False),
        (asyncpg.QueryCanceledError("canceling statement due to statement timeout"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_passes_is_tried_again(error: asyncpg.PostgresError, lasts: bool) -> None:
    assert is_for_good(error) == lasts


def history(watched: WatchedRun, rows: int) -> None:
    """A long history, and statistics about it."""
    watched.do(
        "alter table chat_messages disable trigger user",
        "insert into chat_messages (chat_id, sender_id, message_text, seq) "
        f"select '{watched.chat}', '{watched.people[0]}', 'old ' || n, n from generate_series(1, {rows}) n",
        "alter table chat_messages enable trigger user",
        "analyze chat_messages",
    )


def plans(watched: WatchedRun, *, forced: bool = False) -> list[dict[str, Any]]:
    return [row for row in watched.table("plans") if row["forced"] == forced]


def test_the_history_query_is_explained_on_the_largest_chat(watched: WatchedRun) -> None:
    history(watched, 20_000)
    watched.watch(None)
    samples = plans(watched)
    assert len(samples) == SAMPLES
    assert {(row["rows"], row["rows_read"]) for row in samples} == {(PAGE, PAGE)}
    assert {row["index"] for row in samples} <= {
        "idx_chat_messages_chat_id_seq_desc",
        "uq_chat_messages_chat_id_seq",
    }
    assert not any(row["sorted"] for row in samples)
    assert {row["before_seq"] for row in samples} == {20_001, 10_001}
    assert all(0 < row["execution_ms"] < 1000 for row in samples)
    indexes = {row["name"]: row for row in watched.table("indexes")}
    assert indexes["idx_chat_messages_chat_id_seq_desc"]["leads"] == "chat_id, seq DESC"
    assert indexes["uq_chat_messages_chat_id_seq"]["leads"] == "chat_id, seq"
    assert all(row["usable"] for row in indexes.values())


def test_without_its_indexes_the_plan_shows_what_is_read_instead(watched: WatchedRun) -> None:
    history(watched, 20_000)
    watched.do(
        "drop index idx_chat_messages_chat_id_seq_desc",
        "drop index uq_chat_messages_chat_id_seq",
    )
    watched.watch(None)
    assert all(row["rows_read"] >= 10_000 and row["sorted"] for row in plans(watched))
    (forced,) = plans(watched, forced=True)
    assert forced["sorted"]


def test_on_a_small_table_the_forced_plan_shows_that_the_index_serves(watched: WatchedRun) -> None:
    watched.watch(watched.send)
    (forced,) = plans(watched, forced=True)
    assert forced["index"] in {"idx_chat_messages_chat_id_seq_desc", "uq_chat_messages_chat_id_seq"}
    assert not forced["sorted"]
    assert forced["execution_ms"] is None


def test_a_general_plan_kept_meanwhile_hides_no_index(watched: WatchedRun) -> None:
    """On a small table PostgreSQL keeps, after some executions, a general plan that reads all of it."""
    watched.do("analyze chat_messages")
    taken: list[tuple[Any, ...]] = []

    async def explained() -> None:
        connection = await asyncpg.connect(watched.database)
        try:
            newest = {uuid.uuid4().bytes: seq for seq in (10, 9, 8)}
            await explain(connection, newest, Parts(lambda *_: None), lambda _, rows: taken.extend(rows))
        finally:
            await connection.close()

    asyncio.run(explained())
    columns = [field.name for field in PLANS]
    rows = [dict(zip(columns, row, strict=True)) for row in taken if len(row) == len(columns)]
    forced = [row for row in rows if row["forced"]]
    assert len(forced) == 3
    assert len({row["node"] for row in rows}) > 1, "the others read the whole table"
    assert not any(row["sorted"] for row in forced)
