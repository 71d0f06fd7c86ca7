"""Promise: the monitor keeps to its protocol, outlives a lost database, and ends when it is told to or left alone."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from analysis.monitor import looks
from analysis.monitor.findings import JUDGED
from tests.analysis.monitor.runs import PATIENCE_S, MonitorProcess, WatchedRun, monitor_process, until
from tests.analysis.monitor.server import running_server
from tests.analysis.targets import MIGRATIONS, SCHEMA, Target, run_files


def rows(watched: WatchedRun) -> int:
    return len(watched.table("observations"))


def test_ready_findings_finish(watched: WatchedRun) -> None:
    with monitor_process(watched) as monitor:
        assert monitor.line() == {"ready": True, "chats": 1, "judges": list(JUDGED)}
        watched.send(3)
        until(lambda: rows(watched) == 3, "the monitor saw three rows")
        watched.do("delete from chat_messages where seq = 2")
        finding = monitor.line()["finding"]
        assert finding["seq"] == 2
        assert monitor.finish() == 0
    assert watched.findings() == [finding]
    assert watched.kinds()[-1] == "SWEEP"
    assert watched.table("plans")


def test_what_is_stored_just_before_the_finish_is_in_the_record(watched: WatchedRun) -> None:
    watched.target = watched.target.but(CHATSOAK_MONITOR_INTERVAL_S="60")
    with monitor_process(watched) as monitor:
        monitor.line()
        until(lambda: len(watched.kinds()) == 1, "the monitor looked")
        watched.send(2)
        began = time.monotonic()
        assert monitor.finish() == 0
        assert time.monotonic() - began < PATIENCE_S
    assert watched.changes() == [("APPEARED", 1), ("APPEARED", 2)]


def test_ctrl_c_is_for_others(watched: WatchedRun) -> None:
    with monitor_process(watched) as monitor:
        monitor.line()
        monitor.process.send_signal(signal.SIGINT)
        watched.send()
        until(lambda: rows(watched) == 1, "the monitor saw a row after the SIGINT")
        assert monitor.finish() == 0
    assert watched.kinds()[-1] == "SWEEP"


def close_stdin(monitor: MonitorProcess) -> None:
    """What the death of its parent looks like."""
    assert monitor.process.stdin is not None
    monitor.process.stdin.close()


def terminate(monitor: MonitorProcess) -> None:
    monitor.process.terminate()


@pytest.mark.parametrize("end", [close_stdin, terminate])
def test_it_also_finishes_in_good_order_when(end: type, watched: WatchedRun) -> None:
    with monitor_process(watched) as monitor:
        monitor.line()
        watched.send()
        end(monitor)
        assert monitor.process.wait(PATIENCE_S) == 0
    assert watched.changes() == [("APPEARED", 1)]
    assert watched.kinds()[-1] == "SWEEP"


def test_nobody_listening_any_more_costs_no_finding(watched: WatchedRun) -> None:
    with monitor_process(watched) as monitor:
        monitor.line()
        watched.send(2)
        until(lambda: rows(watched) == 2, "the monitor saw two rows")
        assert monitor.process.stdout is not None
        monitor.process.stdout.close()
        watched.do("delete from chat_messages")
        until(lambda: len(watched.findings()) == 2, "the findings are written down")
        close_stdin(monitor)
        assert monitor.process.wait(PATIENCE_S) == 0
    assert watched.kinds()[-1] == "SWEEP"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"DATABASE_URL": "postgresql://u:hidden@127.0.0.1:1/x"}, "nothing listens there"),
        ({"DATABASE_URL": "mysql://hidden"}, "DATABASE_URL"),
    ],
)
def test_a_database_that_is_not_there_at_the_start_ends_it(
    watched: WatchedRun, change: dict[str, str], said: str
) -> None:
    done = watched.target.but(**change).chatsoak("monitor", "--run", str(watched.folder))
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert "hidden" not in done.stderr
    assert not (watched.folder / "database").exists()


def test_a_database_without_the_migrations_ends_it(watched: WatchedRun) -> None:
    watched.do("alter table chat_messages drop column seq cascade")
    done = watched.target.chatsoak("monitor", "--run", str(watched.folder))
    assert done.returncode == 2
    assert "cannot read chat_messages" in done.stderr


def test_a_connection_that_is_cut_costs_one_poll_at_the_most(watched: WatchedRun) -> None:
    async def watching() -> None:
        monitor = watched.monitor()
        try:
            await monitor.begin()
            await asyncio.to_thread(watched.send)
            await monitor.poll()
            await asyncio.to_thread(
                watched.do,
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chatsoak-monitor' "
                "and datname = current_database()",
                watched.insert(),
            )
            await monitor.poll()
            await monitor.poll()
            await monitor.end(0.0)
        finally:
            monitor.close()

    asyncio.run(watching())
    first, cut, second, last = watched.kinds()
    assert (first, second, last) == ("POLL", "POLL", "SWEEP")
    assert cut in {"POLL", "FAILED"}  # noticed before the poll, or by it
    assert watched.changes() == [("APPEARED", 1), ("APPEARED", 2)]


def test_what_a_look_had_seen_when_it_broke_off_is_kept(
    watched: WatchedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it would be lost for good: no later poll brings a row again that has not changed."""
    look_for = looks._look_for

    async def cut_off_first(connection: asyncpg.Connection, *arguments: Any) -> None:
        monkeypatch.undo()
        connection.terminate()
        await look_for(connection, *arguments)

    async def watching() -> None:
        monitor = watched.monitor()
        try:
            await monitor.begin()
            await asyncio.to_thread(watched.send, 2)
            monkeypatch.setattr(looks, "_look_for", cut_off_first)
            await monitor.poll()
            await monitor.poll()
        finally:
            monitor.close()

    asyncio.run(watching())
    assert watched.kinds() == ["FAILED", "POLL"]
    assert [(row["poll"], row["seq"]) for row in watched.table("observations")] == [(0, 1), (0, 2)]
    broken, _ = watched.table("polls")
    assert broken["error"] == "ConnectionError: the connection is gone"
    assert [row["rows_new"] for row in watched.table("polls")] == [2, 0]


@pytest.mark.long
def test_a_server_that_crashes_and_comes_back_is_watched_on(target: Target, tmp_path: Path) -> None:
    with running_server() as server:
        run_files(server.url, (*SCHEMA, *MIGRATIONS))
        watched = WatchedRun(tmp_path, target.but(DATABASE_URL=server.url))
        with monitor_process(watched) as monitor:
            monitor.line()
            watched.send(2)
            until(lambda: rows(watched) == 2, "the monitor saw two rows")
            server.crash()
            until(
                lambda: watched.kinds().count("FAILED") >= 2, "the monitor noticed that the database is away"
            )
            server.start()
            watched.send(2)
            until(lambda: rows(watched) == 4, "the monitor saw the rows that came after the crash")
            assert monitor.finish() == 0
    assert watched.changes() == [("APPEARED", seq) for seq in (1, 2, 3, 4)]
    assert watched.findings() == []
    assert watched.kinds()[-1] == "SWEEP"


@pytest.mark.long
def test_a_server_that_stays_away_leaves_a_record_without_a_sweep(target: Target, tmp_path: Path) -> None:
    with running_server() as server:
        run_files(server.url, (*SCHEMA, *MIGRATIONS))
        watched = WatchedRun(tmp_path, target.but(DATABASE_URL=server.url))
        with monitor_process(watched) as monitor:
            monitor.line()
            watched.send()
            until(lambda: rows(watched) == 1, "the monitor saw a row")
            server.crash()
            until(lambda: "FAILED" in watched.kinds(), "the monitor noticed that the database is away")
            terminate(monitor)
            assert monitor.process.wait(PATIENCE_S) == 0
        server.start()
    assert watched.kinds()[-1] == "FAILED"
    assert watched.changes() == [("APPEARED", 1)]
