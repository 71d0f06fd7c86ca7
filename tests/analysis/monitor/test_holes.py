"""Promise: a missing seq that an open transaction may still fill is no gap; once that transaction has ended, it is one.

Where it matters messages are numbered by a sequence here, as in an app without a counter that stays locked until the
commit: then later numbers are visible first, and whoever changes their mind leaves a hole.
"""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from analysis.checks import gaps
from analysis.checks.account import account_for
from analysis.criteria import Criterion, Verdict
from analysis.evidence import read_evidence
from analysis.monitor import looks
from analysis.monitor.connection import Database
from analysis.monitor.process import Monitor
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.codes import Outcome
from analysis.record.tables import LOAD_TABLES
from tests.analysis.monitor.runs import PATIENCE_S, WatchedRun
from tests.analysis.monitor.server import running_server
from tests.analysis.targets import MIGRATIONS, SCHEMA, Target, run_files

BY_SEQUENCE = (
    "alter table chat_messages disable trigger trg_assign_seq",
    "create sequence numbers",
)
OPEN_S = 0.5  # how long the monitor waits in these tests for what stays open


class Writing:
    """A chat in which several transactions write; the monitor looks in between."""

    def __init__(self, watched: WatchedRun, monitor: Monitor) -> None:
        self.monitor = monitor
        self._watched = watched
        self._connections: list[asyncpg.Connection] = []
        self._keys: list[uuid.UUID] = []

    async def begin(self) -> asyncpg.Connection:
        """A transaction that is open until it is told otherwise, or until the end."""
        connection = await asyncpg.connect(self._watched.database)
        self._connections.append(connection)
        await connection.execute("begin")
        return connection

    async def write(self, connection: asyncpg.Connection, seq: str = "nextval('numbers')") -> None:
        """One message of the run."""
        key = uuid.uuid4()
        await connection.execute(
            "insert into chat_messages (chat_id, sender_id, client_generated_id, message_text, seq) "
            f"values ('{self._watched.chat}', '{self._watched.people[0]}', '{key}', 'text', {seq})"
        )
        self._keys.append(key)

    async def send(self) -> None:
        """One message, committed."""
        writer = await self.begin()
        await self.write(writer)
        await writer.execute("commit")

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    def record(self) -> None:
        """What the load would have written down: nobody knows of any message what became of it."""
        folder = self._watched.folder / "record" / "local"
        writer = RecordWriter(folder, LOAD_TABLES, ProcessInfo.here("local"))
        add = writer.adder("sends")
        for key in self._keys:
            ids = [uuid.UUID(one).bytes for one in (self._watched.people[0], self._watched.chat)]
            add((*ids, key.bytes, 0, 1, 1, 2, Outcome.INFO, 0, None, None, "text", "time-out"))
        writer.close()


Story = Callable[[Writing], Awaitable[Any]]


def judged(watched: WatchedRun, story: Story, *, patience_s: float = PATIENCE_S) -> Criterion:
    """`seq.gaps` after `story`, the last look and what comes after it."""

    @asynccontextmanager
    async def writing() -> AsyncIterator[Writing]:
        writing = Writing(watched, watched.monitor())
        try:
            await writing.monitor.begin()
            yield writing
        finally:
            writing.monitor.close()
            await writing.close()

    async def tell() -> None:
        async with writing() as run:
            meanwhile = await story(run)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(run.monitor.end(patience_s))
                if meanwhile is not None:
                    tasks.create_task(meanwhile)
            run.record()

    asyncio.run(tell())
    return gaps.gaps(account_for(read_evidence(watched.folder)))


@pytest.fixture
def by_sequence(watched: WatchedRun) -> WatchedRun:
    watched.do(*BY_SEQUENCE)
    return watched


async def held(run: Writing) -> asyncpg.Connection:
    """A transaction holds seq 1 while 2 and 3 are visible, to a look as well."""
    slow = await run.begin()
    await run.write(slow)
    await run.send()
    await run.send()
    await run.monitor.poll()
    return slow


def test_a_hole_that_is_filled_is_no_gap(by_sequence: WatchedRun) -> None:
    async def story(run: Writing) -> None:
        slow = await held(run)
        await slow.execute("commit")

    found = judged(by_sequence, story)
    assert (found.outcome, found.checked, found.facts) == (Verdict.PASS, 3, {"open": 0})
    assert by_sequence.kinds() == ["POLL", "SWEEP"]  # nothing to wait for


def test_a_hole_that_is_filled_after_the_last_sweep_is_no_gap(by_sequence: WatchedRun) -> None:
    async def story(run: Writing) -> Awaitable[None]:
        slow = await held(run)

        async def commit_after_the_sweep() -> None:
            async with asyncio.timeout(PATIENCE_S):
                while "SWEEP" not in by_sequence.kinds():
                    await asyncio.sleep(0.02)
            await slow.execute("commit")

        return commit_after_the_sweep()

    found = judged(by_sequence, story)
    assert (found.outcome, found.checked, found.facts) == (Verdict.PASS, 3, {"open": 0})
    assert by_sequence.kinds()[:3] == ["POLL", "SWEEP", "HOLES"]


def test_a_hole_that_a_rollback_leaves_is_a_gap(by_sequence: WatchedRun) -> None:
    async def story(run: Writing) -> None:
        slow = await held(run)
        await slow.execute("rollback")

    found = judged(by_sequence, story)
    assert found.outcome is Verdict.FAIL
    assert [one.seq for one in found.examples] == [1]
    assert by_sequence.kinds()[:3] == ["POLL", "SWEEP", "HOLES"]


def test_a_hole_is_open_as_long_as_its_transaction_is(by_sequence: WatchedRun) -> None:
    xids = []

    async def story(run: Writing) -> None:
        slow = await held(run)
        xids.append(await slow.fetchval("select pg_current_xact_id()::text"))

    found = judged(by_sequence, story, patience_s=OPEN_S)
    assert (found.outcome, found.facts) == (Verdict.INCONCLUSIVE, {"open": 1})
    assert f"transaction {xids[0]} was still running" in (found.reason or "")


def test_a_transaction_with_a_newer_id_than_any_that_ended_is_waited_for(by_sequence: WatchedRun) -> None:
    """The snapshot's own xmax does not know of it."""

    async def story(run: Writing) -> None:
        early, slow = await run.begin(), await run.begin()
        await early.execute("select pg_current_xact_id()")
        await run.write(slow)
        await run.write(early)
        await early.execute("commit")
        await run.monitor.poll()
        await run.monitor.poll()

    found = judged(by_sequence, story, patience_s=OPEN_S)
    assert (found.outcome, found.facts) == (Verdict.INCONCLUSIVE, {"open": 1})


def test_somebody_else_s_long_transaction_leaves_a_gap_undecided_and_is_named(
    by_sequence: WatchedRun,
) -> None:
    xids = []

    async def story(run: Writing) -> None:
        foreign = await run.begin()
        xids.append(await foreign.fetchval("select pg_current_xact_id()::text"))
        slow = await held(run)
        await slow.execute("rollback")
        await run.monitor.poll()

    found = judged(by_sequence, story, patience_s=OPEN_S)
    assert (found.outcome, found.observed) == (Verdict.INCONCLUSIVE, 0)
    assert f"transaction {xids[0]} was still running" in (found.reason or "")


def test_somebody_who_only_reads_is_not_waited_for(by_sequence: WatchedRun) -> None:
    async def story(run: Writing) -> None:
        reader = await run.begin()
        await reader.execute("set transaction isolation level repeatable read")
        await reader.execute("select count(*) from chat_messages")
        slow = await held(run)
        await slow.execute("rollback")

    assert judged(by_sequence, story).outcome is Verdict.FAIL


def test_a_prepared_transaction_is_waited_for_and_ids_have_64_bits(target: Target, tmp_path: Path) -> None:
    epoch = 5
    with running_server() as server:
        server.stop()
        server.age(epoch)
        server.start()
        run_files(server.url, (*SCHEMA, *MIGRATIONS))
        watched = WatchedRun(tmp_path, target.but(DATABASE_URL=server.url))
        watched.do(*BY_SEQUENCE)

        async def story(run: Writing) -> None:
            slow = await held(run)
            await slow.execute("prepare transaction 'forgotten'")

        found = judged(watched, story, patience_s=OPEN_S)
    assert (found.outcome, found.facts) == (Verdict.INCONCLUSIVE, {"open": 1})
    looks = watched.table("polls")
    assert all(epoch << 32 < look["xmin"] < look["next_xid"] < (epoch << 32) + (1 << 20) for look in looks)


def test_with_the_app_s_own_counter_a_rollback_leaves_no_hole(watched: WatchedRun) -> None:
    async def story(run: Writing) -> None:
        slow = await run.begin()
        await run.write(slow, "default")
        await run.monitor.poll()
        await slow.execute("rollback")
        writer = await run.begin()
        await run.write(writer, "default")
        await writer.execute("commit")

    found = judged(watched, story)
    assert (found.outcome, found.checked) == (Verdict.PASS, 1)
    assert watched.changes() == [("APPEARED", 1)]


def test_the_monitor_never_holds_itself_back(watched: WatchedRun) -> None:
    async def look() -> None:
        database = Database(watched.target.settings)
        try:
            connection = await database.connection()
            async with looks.snapshot(connection) as taken:
                assert await connection.fetchval("select pg_current_xact_id_if_assigned()") is None
                assert taken.xmin <= taken.next_xid
            before = taken.next_xid
            await asyncio.to_thread(watched.send, 1)
            async with looks.snapshot(connection) as taken:
                assert taken.next_xid > before
        finally:
            database.drop()

    asyncio.run(look())
