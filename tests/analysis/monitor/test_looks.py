"""Promise: whatever becomes of a row in the database, a look finds it and the record has it."""

import asyncio
import uuid
from itertools import pairwise
from pathlib import Path

import asyncpg
import pytest

from analysis.monitor import looks
from analysis.monitor.connection import Database
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.codes import Outcome
from analysis.record.tables import LOAD_TABLES
from tests.analysis.monitor.runs import WatchedRun, fetch
from tests.analysis.targets import Target, run, value


def test_rows_appear_once_with_all_their_fields(watched: WatchedRun) -> None:
    key = str(uuid.uuid4())
    watched.watch(
        lambda: watched.do(
            "insert into chat_messages (chat_id, sender_id, message_text, client_generated_id) "
            f"values ('{watched.chat}', '{watched.people[1]}', 'grüß dich 👋', '{key}')"
        ),
        None,
    )
    (seen,) = watched.table("observations")
    assert uuid.UUID(bytes=seen["chat_id"]) == uuid.UUID(watched.chat)
    assert uuid.UUID(bytes=seen["sender_id"]) == uuid.UUID(watched.people[1])
    assert uuid.UUID(bytes=seen["client_generated_id"]) == uuid.UUID(key)
    assert (seen["seq"], seen["text"], seen["deleted"]) == (1, "grüß dich 👋", False)
    created_us = value(
        watched.database, "select (extract(epoch from created_at) * 1000000)::bigint from chat_messages"
    )
    assert seen["created_us"] == created_us
    assert watched.kinds() == ["POLL", "POLL", "SWEEP"]
    assert watched.findings() == []


def test_what_was_there_before_is_no_part_of_the_run(watched: WatchedRun) -> None:
    watched.send(5)
    watched.watch(watched.send)
    assert [(row["seq"], row["rows"]) for row in watched.table("baseline")] == [(5, 5)]
    assert watched.changes() == [("APPEARED", 6)]


def test_a_commit_that_comes_late_below_the_newest_is_found_by_the_next_poll(watched: WatchedRun) -> None:
    """Two sends whose commits come in the other order than their seq."""

    async def late() -> None:
        slow = await asyncpg.connect(watched.database)
        monitor = watched.monitor()
        try:
            await slow.execute("drop trigger trg_assign_seq on chat_messages")
            insert = (
                "insert into chat_messages (chat_id, sender_id, message_text, seq) "
                f"values ('{watched.chat}', '{watched.people[0]}', 'x', "
            )
            await monitor.begin()
            transaction = slow.transaction()
            await transaction.start()
            await slow.execute(f"{insert} 1)")
            await asyncio.to_thread(watched.do, f"{insert} 2)")
            await monitor.poll()
            await monitor.poll()
            await transaction.commit()
            await monitor.poll()
        finally:
            monitor.close()
            await slow.close()

    asyncio.run(late())
    seen = [(row["poll"], row["seq"]) for row in watched.table("observations")]
    assert seen == [(0, 2), (2, 1)]
    first, second, third = watched.table("polls")
    assert first["xmin"] == second["xmin"] < third["xmin"]


def test_a_row_that_is_deleted_is_gone_at_the_next_poll(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.send(3),
        lambda: watched.do("update chat_messages set status = 'read'"),
        lambda: watched.do("delete from chat_messages where seq = 2"),
        sweep=False,
    )
    assert watched.changes()[-1] == ("GONE", 2)
    (finding,) = watched.findings()
    assert "was stored and is gone" in finding["why"]
    assert (finding["seq"], finding["chat_id"]) == (2, watched.chat)


def test_a_status_that_is_set_back_is_seen_at_the_next_poll(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.send(2),
        lambda: watched.do("update chat_messages set status = 'read'"),
        lambda: watched.do("update chat_messages set status = 'sent' where seq = 1"),
        sweep=False,
    )
    (finding,) = watched.findings()
    assert "went back from read to sent" in finding["why"]
    assert finding["seq"] == 1


def test_a_seq_that_two_messages_have_is_told_as_soon_as_it_is_seen(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.send(2),
        lambda: watched.do(
            "drop index uq_chat_messages_chat_id_seq", "update chat_messages set seq = 1 where seq = 2"
        ),
        sweep=False,
    )
    (finding,) = watched.findings()
    assert "has the same seq as message" in finding["why"]


def test_a_seq_that_was_given_again_below_the_frontier_is_found_at_the_latest_by_the_sweep(
    watched: WatchedRun,
) -> None:
    watched.watch(
        lambda: watched.send(3),
        lambda: watched.do(
            "drop index uq_chat_messages_chat_id_seq",
            "alter table chat_messages disable trigger trg_assign_seq",
            "insert into chat_messages (chat_id, sender_id, message_text, seq) "
            f"values ('{watched.chat}', '{watched.people[0]}', 'again', 1)",
        ),
    )
    assert watched.changes() == [("APPEARED", 1), ("APPEARED", 2), ("APPEARED", 3), ("APPEARED", 1)]
    assert len(watched.findings()) == 1


def test_a_message_without_seq_is_found_and_followed(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.do("alter table chat_messages disable trigger trg_assign_seq", watched.insert()),
        lambda: watched.do("update chat_messages set seq = 1"),
        lambda: watched.do("delete from chat_messages"),
        sweep=False,
    )
    assert watched.changes() == [("APPEARED", None), ("CHANGED", 1), ("GONE", 1)]
    assert "it has no seq" in watched.whys()[0]


def test_a_status_that_should_not_exist_is_told_with_its_text(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.do(
            "alter table chat_messages drop constraint chat_messages_status_check", watched.insert()
        ),
        lambda: watched.do("update chat_messages set status = 'seen'"),
        sweep=False,
    )
    assert "'seen'" in watched.whys()[0]
    assert watched.table("observations")[-1]["status_text"] == "seen"


def test_a_message_that_is_marked_as_deleted_has_changed(watched: WatchedRun) -> None:
    watched.watch(watched.send, lambda: watched.do("update chat_messages set deleted_at = now()"))
    assert [row["deleted"] for row in watched.table("observations")] == [False, True]


def test_other_chats_are_left_alone(watched: WatchedRun) -> None:
    other = str(uuid.uuid4())
    watched.do(f"insert into chats (id, type) values ('{other}', 'group')")
    watched.watch(lambda: watched.send(4, other))
    assert watched.changes() == []


def test_the_sweep_looks_at_rows_that_no_poll_reads(
    watched: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "SETTLED_A_POLL", 0)
    monkeypatch.setattr(looks, "ROWS_AT_ONCE", 7)  # several parts
    watched.watch(
        lambda: watched.send(50),
        lambda: watched.do("update chat_messages set status = 'read'"),
        lambda: watched.do(
            "delete from chat_messages where seq = 20",
            "update chat_messages set status = 'sent' where seq = 30",
        ),
    )
    assert watched.changes()[100:] == [("CHANGED", 30), ("GONE", 20)]
    assert watched.kinds()[-1] == "SWEEP"


def test_the_sweep_looks_for_acknowledged_sends_that_landed_elsewhere(watched: WatchedRun) -> None:
    """An app that stores a message in another chat has lost it for its own."""
    other = str(uuid.uuid4())
    by_key, by_id = str(uuid.uuid4()), str(uuid.uuid4())
    sender = watched.people[0]
    watched.do(
        f"insert into chats (id, type) values ('{other}', 'group')",
        "insert into chat_messages (id, chat_id, sender_id, message_text, client_generated_id) values "
        f"('{by_id}', '{other}', '{sender}', 'a', null), (gen_random_uuid(), '{other}', '{sender}', 'b', '{by_key}')",
    )
    writer = RecordWriter(watched.folder / "record" / "local", LOAD_TABLES, ProcessInfo.here("local"))
    for key, message, outcome in (
        (None, by_id, Outcome.OK), (by_key, None, Outcome.INFO), (str(uuid.uuid4()), None, Outcome.FAIL)
    ):  # fmt: skip
        writer.adder("sends")((sender, watched.chat, key, 0, 1, 1, 2, outcome, 201, message, None, "a", None))
    writer.close()
    watched.watch()
    assert sorted(row["text"] for row in watched.table("observations")) == ["a", "b"]


def test_what_the_load_was_answered_is_held_against_the_rows_at_each_poll(watched: WatchedRun) -> None:
    stored, altered, lost, refused = (str(uuid.uuid4()) for _ in range(4))
    sender = watched.people[0]
    writer = RecordWriter(watched.folder / "record" / "local", LOAD_TABLES, ProcessInfo.here("local"))

    def answered() -> None:
        rows = ((stored, "a", "a"), (altered, "b", "something else"), (refused, "d", "d"))
        for key, _, text in rows:
            watched.do(
                "insert into chat_messages (id, chat_id, sender_id, message_text, client_generated_id) values "
                f"('{key}', '{watched.chat}', '{sender}', '{text}', '{key}')"
            )
        for key, text, outcome in (
            *((key, text, Outcome.FAIL if key == refused else Outcome.OK) for key, text, _ in rows),
            (lost, "c", Outcome.OK),
        ):
            message = None if outcome is Outcome.FAIL else key
            row = (sender, watched.chat, key, 0, 1, 1, 2, outcome, 201, message, None, text, None)
            writer.adder("sends")(row)
        writer.flush()

    watched.watch(answered, None, sweep=False)
    writer.close()
    found = [(finding["criterion"], finding["client_generated_id"]) for finding in watched.findings()]
    assert sorted(found) == [
        ("messages.corrupted", altered),
        ("messages.lost", lost),
        ("messages.unexpected", refused),
    ]


def test_a_gap_is_told_at_the_second_poll(watched: WatchedRun) -> None:
    watched.watch(
        lambda: watched.do(
            "alter table chat_messages disable trigger trg_assign_seq",
            "insert into chat_messages (chat_id, sender_id, message_text, seq) "
            f"values ('{watched.chat}', '{watched.people[0]}', 'x', 1), ('{watched.chat}', '{watched.people[0]}', 'y', 3)",
        ),
        None,
        None,
        sweep=False,
    )
    assert [(finding["criterion"], finding["seq"]) for finding in watched.findings()] == [("seq.gaps", 2)]


def test_every_look_is_of_one_snapshot_and_timed_by_it(watched: WatchedRun) -> None:
    watched.watch(watched.send, watched.send)
    polls = watched.table("polls")
    assert [row["poll"] for row in polls] == [0, 1, 2]
    assert all(row["duration_ms"] > 0 and row["error"] is None for row in polls)
    assert sorted(polls, key=lambda row: (row["at_ns"], row["database_us"], row["xmin"])) == polls
    assert all(row["at_ns"] - 1e6 * row["duration_ms"] <= row["asked_ns"] < row["at_ns"] for row in polls)
    assert all(before["at_ns"] < later["asked_ns"] for before, later in pairwise(polls))


def test_the_session_can_change_nothing(watched: WatchedRun) -> None:
    async def attempt() -> None:
        database = Database(watched.target.settings)
        connection = await database.connection()
        try:
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await connection.execute(watched.insert())
            names = ("application_name", "statement_timeout", "lock_timeout")
            said = [await connection.fetchval("select current_setting($1)", name) for name in names]
            assert said == ["chatsoak-monitor", "1min", "5s"]
        finally:
            database.drop()

    asyncio.run(attempt())


def test_a_role_with_few_rights_is_enough_to_watch(watched: WatchedRun, target: Target) -> None:
    role = f"reader_{uuid.uuid4().hex}"
    run(
        watched.database,
        f"create role {role} login password 'reader' bypassrls",
        f"grant usage on schema public to {role}",
        f"grant select on public.chat_messages to {role}",
    )
    try:
        url = watched.database.partition("@")[2]
        watched.target = watched.target.but(DATABASE_URL=f"postgresql://{role}:reader@{url}")
        watched.watch(watched.send)
        assert watched.changes() == [("APPEARED", 1)]
        assert watched.kinds() == ["POLL", "SWEEP"]
    finally:
        run(watched.database, f"drop owned by {role}", f"drop role {role}")


def test_a_folder_that_holds_a_monitors_record_is_not_written_over(
    watched: WatchedRun, tmp_path: Path
) -> None:
    watched.watch(watched.send)
    before = (tmp_path / "database" / "observations.arrows").read_bytes()
    done = watched.target.chatsoak("monitor", "--run", str(tmp_path))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert (tmp_path / "database" / "observations.arrows").read_bytes() == before


def test_backends_of_ours_do_not_stay_behind(watched: WatchedRun) -> None:
    watched.watch(watched.send)
    query = "select 1 from pg_stat_activity where application_name = 'chatsoak-monitor' and datname = current_database()"

    async def gone() -> bool:
        return not await fetch(watched.database, (), query)

    for _ in range(200):
        if asyncio.run(gone()):
            return
    pytest.fail("a connection of the monitor is still there")
