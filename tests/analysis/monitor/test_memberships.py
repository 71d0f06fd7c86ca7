"""Promise: whoever leaves a chat of the run, or comes into it, is written down, once, with the look that found it."""

import asyncio
import json
import uuid
from typing import Any

import asyncpg
import pytest

from analysis.monitor.memberships import Memberships
from analysis.monitor.memory import Memory
from analysis.target.database import sql
from tests.analysis.monitor.runs import PATIENCE_S, WatchedRun, monitor_process, until


def joining(watched: WatchedRun, person: str, chat: str | None = None) -> str:
    return f"insert into chat_participants (chat_id, user_id) values ('{chat or watched.chat}', '{person}')"


def leaving(watched: WatchedRun, person: str) -> str:
    return f"delete from chat_participants where chat_id = '{watched.chat}' and user_id = '{person}'"


def told(watched: WatchedRun) -> list[tuple[str, bool]]:
    rows = watched.table("memberships")
    assert all(uuid.UUID(bytes=row["chat_id"]) == uuid.UUID(watched.chat) for row in rows)
    return [(str(uuid.UUID(bytes=row["user_id"])), row["there"]) for row in rows]


def test_who_leaves_and_who_comes_is_written_down_once(watched: WatchedRun) -> None:
    one, other = watched.people
    watched.do(joining(watched, one))
    watched.watch(
        None,
        lambda: watched.do(joining(watched, other)),
        None,
        lambda: watched.do(leaving(watched, one), joining(watched, one)),  # between two looks: nobody sees it
        lambda: watched.do(leaving(watched, one)),
    )
    assert told(watched) == [(one, True), (other, True), (one, False)]
    *_, left = watched.table("memberships")
    polls = [poll["at_ns"] for poll in watched.table("polls")]
    assert left["at_ns"] == polls[4], "the look after they had left"


def test_who_has_left_is_kept_though_the_look_breaks_off(
    watched: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No later look tells it again: by then it is known."""
    one, _ = watched.people
    watched.do(joining(watched, one))

    def break_off(*_: Any) -> None:
        monkeypatch.undo()
        raise ConnectionResetError("reset by peer")

    async def watching() -> None:
        monitor = watched.monitor()
        try:
            await monitor.begin()
            await asyncio.to_thread(watched.do, leaving(watched, one))
            monkeypatch.setattr(Memory, "gaps", break_off)
            await monitor.poll()
            await monitor.poll()
        finally:
            monitor.close()

    asyncio.run(watching())
    assert watched.kinds() == ["FAILED", "POLL"]
    assert told(watched) == [(one, True), (one, False)]


def test_other_chats_are_none_of_our_business(watched: WatchedRun) -> None:
    elsewhere = str(uuid.uuid4())
    watched.do(
        f"insert into chats (id, type, created_by) values ('{elsewhere}', 'group', '{watched.people[0]}')"
    )
    watched.watch(lambda: watched.do(joining(watched, watched.people[0], elsewhere)), None)
    assert told(watched) == []


def test_a_monitor_that_takes_over_knows_who_was_there(watched: WatchedRun) -> None:
    one, other = watched.people
    watched.do(joining(watched, one), joining(watched, other))
    with monitor_process(watched) as first:
        first.line()
        until(lambda: len(watched.kinds()) >= 2, "it has looked twice")
        first.process.kill()
        first.process.wait(PATIENCE_S)
    watched.do(leaving(watched, other))
    with monitor_process(watched, "--take-over") as second:
        second.line()
        assert second.finish() == 0
    assert told(watched.part_of_successor()) == [(other, False)]


def test_what_is_not_known_any_more_is_asked_for_by_index(watched: WatchedRun) -> None:
    async def plan() -> str:
        connection = await asyncpg.connect(watched.database)
        try:
            await connection.execute("set enable_seqscan = off")
            statement = f"explain (format json) {sql('monitor/memberships_digest')}"
            return str(await connection.fetchval(statement, [uuid.UUID(watched.chat)]))
        finally:
            await connection.close()

    found: Any = json.loads(asyncio.run(plan()))
    assert "Index" in json.dumps(found)


def test_people_are_asked_for_only_when_somebody_else_is_there(watched: WatchedRun) -> None:
    watched.do(joining(watched, watched.people[0]))

    async def looks() -> tuple[int, int]:
        connection = await asyncpg.connect(watched.database)
        asked: list[str] = []
        try:
            connection.add_query_logger(lambda query: asked.append(query.query))
            memberships = Memberships(watched.chats)
            changes = len(await memberships.look(connection, 1))
            for at_ns in range(2, 5):
                changes += len(await memberships.look(connection, at_ns))
        finally:
            await connection.close()
        return changes, asked.count(sql("monitor/memberships"))

    assert asyncio.run(looks()) == (1, 1)
