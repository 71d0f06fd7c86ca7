"""Promise: the cost of a poll follows the new rows and not the table; every query can be run by hand."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from analysis.monitor.connection import Database
from analysis.monitor.server import GAUGES_EVERY_S, ServerWatch
from analysis.monitor.telemetry import fits
from analysis.target.database import SQL, sql
from tests.analysis.monitor.runs import WatchedRun

OLD_ROWS = 30_000
NEW_ROWS = 20
PAGES_A_ROW = 12  # an index's height and the row's own page, with room; the table has thousands


@pytest.fixture
def large(watched: WatchedRun) -> WatchedRun:
    """A chat with many messages that no poll has to read, and some new ones; statistics not taken since."""
    watched.do(
        "alter table chat_messages set (autovacuum_enabled = off)",
        "alter table chat_messages disable trigger trg_assign_seq",
        "insert into chat_messages (chat_id, sender_id, message_text, seq) "
        f"select '{watched.chat}', '{watched.people[0]}', 'old ' || n, n "
        f"from generate_series(1, {OLD_ROWS + NEW_ROWS}) n",
    )
    return watched


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def explained(watched: WatchedRun, name: str, *arguments: Any) -> dict[str, Any]:
    """The plan as the monitor's own session gets it, the sixth time: by then PostgreSQL may keep a general one."""
    database = Database(watched.target.settings)
    connection = await database.connection()
    try:
        statement = await connection.prepare(
            f"explain (analyze, buffers, format json) {sql(f'monitor/{name}')}"
        )
        for _ in range(5):
            await statement.fetch(*arguments)
        answer = await statement.fetchval(*arguments)
        plan: dict[str, Any] = json.loads(answer)[0]["Plan"]
        return plan
    finally:
        database.drop()


def pages(plan: dict[str, Any]) -> int:
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


def arguments(watched: WatchedRun, name: str, ids: list[uuid.UUID]) -> tuple[Any, ...]:
    chats = [uuid.UUID(watched.chat)]
    return {
        "new_rows": (chats, [OLD_ROWS]),
        "rows_without_seq": (chats,),
        "rows_by_id": (ids,),
        "rows_of_sends": ([uuid.UUID(watched.people[0])] * len(ids), ids),
    }[name]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("new_rows", NEW_ROWS), ("rows_without_seq", 0), ("rows_by_id", NEW_ROWS), ("rows_of_sends", 0)],
)
def test_a_query_of_a_poll_reads_by_index_and_no_more_than_it_brings(
    large: WatchedRun, name: str, wanted: int
) -> None:
    async def plan() -> dict[str, Any]:
        connection = await asyncpg.connect(large.database)
        try:
            newest = await connection.fetch(
                "select id from chat_messages order by seq desc limit $1", NEW_ROWS
            )
        finally:
            await connection.close()
        return await explained(large, name, *arguments(large, name, [row["id"] for row in newest]))

    found = asyncio.run(plan())
    scans = [node for node in nodes(found) if node.get("Relation Name") == "chat_messages"]
    assert scans
    assert {node["Node Type"] for node in scans} <= {"Index Scan", "Bitmap Heap Scan"}
    assert found["Actual Rows"] == wanted
    assert pages(found) <= PAGES_A_ROW * (NEW_ROWS + 1)


@pytest.mark.parametrize(("gauges_every_s", "most_ms"), [(GAUGES_EVERY_S, 20), (0.0, 100)])
def test_looking_at_the_server_takes_a_small_part_of_the_time_between_two_looks(
    large: WatchedRun, monkeypatch: pytest.MonkeyPatch, gauges_every_s: float, most_ms: float
) -> None:
    """Measured at 0.2 ms with each poll, and 10 ms with the gauges; the bounds leave room for a busy machine."""
    monkeypatch.setattr("analysis.monitor.server.GAUGES_EVERY_S", gauges_every_s)

    async def times_ms() -> list[float]:
        database = Database(large.target.settings)
        connection = await database.connection()
        server = ServerWatch(lambda _table, _rows: None)
        times = []
        try:
            await server.begin(connection)
            for _ in range(11):
                began = time.perf_counter()
                await server.look(connection)
                times.append((time.perf_counter() - began) * 1e3)
        finally:
            database.drop()
        return sorted(times)

    assert asyncio.run(times_ms())[5] < most_ms


def test_the_sweep_reads_the_runs_chats_by_index_too(large: WatchedRun) -> None:
    found = asyncio.run(explained(large, "rows_of_run", [uuid.UUID(large.chat)], [OLD_ROWS], 0))
    assert "Seq Scan" not in {node["Node Type"] for node in nodes(found)}


@pytest.mark.parametrize(
    "file", sorted((SQL / "monitor").rglob("*.sql")), ids=lambda file: file.relative_to(SQL).as_posix()
)
def test_every_file_says_what_it_is_for_and_how_to_run_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("-- ")
    assert ("$1" in text) == ("\\bind" in text)


def test_every_query_can_be_prepared_as_it_stands(watched: WatchedRun) -> None:
    async def prepare_all() -> None:
        connection = await asyncpg.connect(watched.database)
        try:
            await connection.execute("create extension pg_stat_statements")
            major = connection.get_server_version().major
            for file in sorted((SQL / "monitor").rglob("*.sql")):
                if not file.stem.startswith("session") and fits(file, major):
                    await connection.prepare(file.read_text(encoding="utf-8"))
        finally:
            await connection.close()

    asyncio.run(prepare_all())
