"""Promise: whatever happens to the tool's own world, nothing recorded is lost, and nobody is blamed for it.

PostgreSQL, the monitor, a load process or Locust itself is killed; a connection breaks or falls silent; the disk is full.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from analysis.checks.restarts import restarts
from analysis.evidence import read_evidence
from analysis.record import iter_batches, monitor_folders
from analysis.record.tables import POLLS
from tests.adversary import expectations
from tests.adversary.tcp_proxy import TcpProxy
from tests.adversary.whole_runs import answers, clean_but, described, kill_postgresql, settings_for
from tests.locustfiles.soaks import Ended, Soak, query
from tests.staging.stages import ROOT, RunningStage, running_stage

pytestmark = pytest.mark.long

LOAD = ("--users", "12", "--spawn-rate", "12")
# A server that was away answers some sends with errors, and others late: that is said, and is no part of these promises.
FORGIVING = {
    "CHATSOAK_TARGET_ERRORS_SHARE": "0.9",
    "CHATSOAK_TARGET_SEND_AVG_MS": "9000",
    "CHATSOAK_TARGET_SEND_P95_MS": "9000",
    "CHATSOAK_TARGET_DELIVERY_P95_MS": "20000",
    "CHATSOAK_HEARTBEAT_S": "2",
}
DISK_BYTES = 60_000


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def soak(folder: Path, stage: RunningStage, *options: str, **settings: str) -> Soak:
    environment = settings_for(stage, **FORGIVING, **settings)
    return Soak(folder, "--host", stage.app_url, *LOAD, *options, environment=environment)


def wait_for_messages(running: Soak, stage: RunningStage, count: int) -> None:
    """Until so many messages of the run are stored."""
    statement = "select count(*) from chat_messages where chat_id = any($1::uuid[])"
    running.wait_until(
        f"{count} messages", lambda: query(stage, statement, running.chats())[0]["count"] >= count
    )


def children(running: Soak, what: Callable[[list[str]], bool]) -> list[psutil.Process]:
    """The processes below Locust's whose command line `what` recognises."""
    found = []
    for one in psutil.Process(running.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may end at any moment
            if what(one.cmdline()):
                found.append(one)
    return found


def outcome_of(ended: Ended, criterion: str) -> tuple[str, str]:
    (one,) = (one for one in ended.verdict["criteria"] if one["id"] == criterion)
    return one["outcome"], one["reason"] or ""


def test_postgresql_is_killed_twice_and_comes_back(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--users", "40", "--spawn-rate", "40", "--run-time", "22s") as running:
        running.wait_for_load()
        for messages in (120, 360):
            wait_for_messages(running, own, messages)
            kill_postgresql(own)
            running.wait_until("PostgreSQL is back", lambda: answers(own))
        ended = running.end()
    assert ended.verdict["outcome"] in {"pass", "inconclusive"}, described(ended)
    counts = ended.verdict["counts"]
    # 40 users, because of twelve there was once nobody who sent while the server was away.
    (errors,) = (one for one in ended.verdict["criteria"] if one["id"] == "errors.send")
    assert errors["observed"] > 0, "nothing was under way when it was killed"
    assert counts["stored"] >= counts["ok"] > 360
    assert (counts["stored"] - counts["ok"]) <= counts["info"]
    seen = restarts(read_evidence((running.reports / "latest").resolve()).polls)
    assert len(seen.after_ns) == 2


def test_a_load_process_of_two_is_killed(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--run-time", "14s", "--processes", "2") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 60)
        workers = [
            one
            for one in psutil.Process(running.process.pid).children()
            if "locustfiles/chat.py" in one.cmdline()
        ]
        assert len(workers) == 2
        workers[0].kill()
        ended = running.end()
    assert ended.code == 3, ended.output
    outcome, reason = outcome_of(ended, "record.complete")
    assert outcome == "inconclusive"
    assert "cut off" in reason
    assert not ended.failed(), described(ended)


def test_locust_is_killed_and_its_record_still_speaks(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--run-time", "60s") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 80)
        time_to_flush_s = time.monotonic() + 2
        running.wait_until("the record is flushed", lambda: time.monotonic() > time_to_flush_s)
        started = psutil.Process(running.process.pid).children(recursive=True)
        running.process.kill()
        running.process.wait()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == [], "something outlived it"
    (folder,) = running.reports.glob("2*")
    verdict = judged_by_hand(folder)
    assert verdict["counts"]["ok"] >= 60
    assert [one["id"] for one in verdict["criteria"] if one["outcome"] == "fail"] == []


def test_the_monitor_s_connection_is_reset(own: RunningStage, tmp_path: Path) -> None:
    with (
        TcpProxy(own.database_url) as proxy,
        soak(tmp_path, own, "--run-time", "14s", DATABASE_URL=proxy.url) as running,
    ):
        running.wait_for_load()
        for messages in (40, 80):
            wait_for_messages(running, own, messages)
            proxy.reset_all()
        ended = running.end()
    clean_but(ended, set())


@pytest.mark.parametrize("to_client", [True, False], ids=["answers", "queries"])
def test_the_monitor_s_connection_falls_silent_and_speaks_again(
    own: RunningStage, tmp_path: Path, to_client: bool
) -> None:
    with (
        TcpProxy(own.database_url) as proxy,
        soak(tmp_path, own, "--run-time", "20s", DATABASE_URL=proxy.url) as running,
    ):
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        proxy.silence(to_client=to_client, to_server=not to_client)
        until_s = time.monotonic() + 6
        running.wait_until("some silence", lambda: time.monotonic() > until_s)
        proxy.let_through()
        ended = running.end()
    assert ended.verdict["outcome"] in {"pass", "inconclusive"}, described(ended)
    assert ended.verdict["counts"]["ok"] == ended.verdict["counts"]["stored"]


def test_the_way_to_the_app_falls_silent_for_a_while(own: RunningStage, tmp_path: Path) -> None:
    """One direction only, HTTP and WebSocket alike: the sockets look open and are deaf."""
    with (
        TcpProxy(own.app_url) as proxy,
        soak(
            tmp_path,
            own,
            *("--run-time", "20s", "--host", proxy.url),
            NEXT_PUBLIC_SUPABASE_URL=proxy.url,
            CHATSOAK_REQUEST_TIMEOUT_S="3",
        ) as running,
    ):
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        proxy.silence(to_client=True, to_server=False)
        until_s = time.monotonic() + 5
        running.wait_until("some silence", lambda: time.monotonic() > until_s)
        proxy.reset_all()
        proxy.let_through()
        ended = running.end()
    assert ended.verdict["outcome"] in {"pass", "inconclusive"}, described(ended)
    assert ended.verdict["counts"]["info"] > 0


def test_the_disk_is_full(own: RunningStage, tmp_path: Path) -> None:
    """No file may grow beyond `DISK_BYTES`: what was written before stays readable."""
    with soak(tmp_path, own, "--run-time", "15s") as running:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))
        ended = running.end()
    assert ended.code == 3, ended.output
    assert "Traceback" not in ended.output
    (folder,) = running.reports.glob("2*")
    verdict = judged_by_hand(folder)  # now that there is room again
    (whole,) = (one for one in verdict["criteria"] if one["id"] == "record.complete")
    assert whole["outcome"] == "inconclusive"
    assert "could not write" in whole["reason"]
    assert verdict["counts"]["ok"] > 0
    assert [one["id"] for one in verdict["criteria"] if one["outcome"] == "fail"] == []
    expectations.write(folder, {"record.complete": "inconclusive"})


def is_monitor(words: list[str]) -> bool:
    return "monitor" in words and "--run" in words


def kill_monitor(running: Soak, process: psutil.Process | None = None) -> None:
    """`kill -9`, and until it is gone."""
    if process is None:
        (process,) = children(running, is_monitor)
    process.kill()
    process.wait(10)


def wait_for_successor(running: Soak) -> None:
    """Until the monitor that took over has looked."""

    def has_looked() -> bool:
        folders = [path for run in running.reports.glob("2*") for path in monitor_folders(run)[1:]]
        return any(next(iter_batches(path, "polls", POLLS), None) for path in folders)

    running.wait_until("the monitor that took over has looked", has_looked)


def test_the_monitor_is_killed_and_another_takes_over(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--run-time", "18s") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        kill_monitor(running)
        wait_for_successor(running)
        ended = running.end()
    clean_but(ended, set())
    outcome, reason = outcome_of(ended, "monitor.complete")
    assert (outcome, "was started once more" in reason) == ("pass", True)
    assert "with signal SIGKILL, and is started once more" in ended.output
    notes = json.loads((running.reports / "latest" / "run.json").read_text())["notes"]
    assert [note for note in notes if "is started once more" in note] == notes
    assert ended.verdict["counts"]["ok"] == ended.verdict["counts"]["stored"]
    expectations.write((running.reports / "latest").resolve(), {"monitor.complete": "pass"})


def test_what_is_deleted_while_no_monitor_looks_is_found(own: RunningStage, tmp_path: Path) -> None:
    """Not by the others: the message was seen, and read, before."""
    read = """
        select m.id from chat_messages m
        where m.status = 'read' and m.chat_id = any($1::uuid[]) and m.created_at < now() - interval '3 seconds'
          and exists (select from chat_messages n where n.chat_id = m.chat_id and n.seq > m.seq)
        limit 1"""
    with soak(tmp_path, own, "--run-time", "20s", CHATSOAK_MONITOR_INTERVAL_S="0.3") as running:
        running.wait_for_load()
        running.wait_until(
            "a message that was read some time ago", lambda: bool(query(own, read, running.chats()))
        )
        kill_monitor(running)
        ((message,),) = query(own, read, running.chats())
        assert query(own, "delete from chat_messages where id = $1 returning id", message)
        wait_for_successor(running)
        ended = running.end()
    clean_but(ended, {"messages.lost"})
    (lost,) = (one for one in ended.verdict["criteria"] if one["id"] == "messages.lost")
    assert {finding["message_id"] for finding in lost["examples"]} == {str(message)}


def test_the_monitor_is_killed_twice(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--run-time", "18s") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        kill_monitor(running)
        wait_for_successor(running)
        kill_monitor(running)
        ended = running.end()
    assert ended.code == 3, ended.output
    outcome, reason = outcome_of(ended, "monitor.complete")
    assert outcome == "inconclusive"
    assert "last look after the drain is missing" in reason
    assert "is not started another time" in ended.output
    assert not ended.failed(), described(ended)
    expectations.write((running.reports / "latest").resolve(), {"monitor.complete": "inconclusive"})


def test_the_monitor_is_killed_before_it_is_ready(own: RunningStage, tmp_path: Path) -> None:
    """Then there is no load yet, and nothing to go on from: the run does not begin."""
    with TcpProxy(own.database_url) as proxy, soak(tmp_path, own, DATABASE_URL=proxy.url) as running:
        found: list[psutil.Process] = []

        def is_there() -> bool:
            found.extend(children(running, is_monitor))
            return bool(found)

        running.wait_until("the monitor is there", is_there)
        proxy.silence(to_client=True, to_server=True)
        kill_monitor(running, found[0])
        ended = running.end()
    assert ended.code == 2, ended.output
    assert "the monitor ended with" in ended.output
    assert "All users spawned" not in ended.output
    assert "Traceback" not in ended.output
    assert list(running.reports.glob("2*")) == []


def judged_by_hand(folder: Path) -> dict[str, Any]:
    """The verdict of `chatsoak report`, which has to be inconclusive."""
    command = [sys.executable, "-m", "analysis.cli", "report", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 3, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert verdict["outcome"] == "inconclusive"
    return verdict


def test_the_database_has_no_connection_left(own: RunningStage, tmp_path: Path) -> None:
    """Ordinary roles are refused; those who are connected stay so."""
    limit = "alter database postgres connection limit {}"
    with soak(tmp_path, own, "--run-time", "12s") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        query(own, limit.format(1))
        try:
            ended = running.end()
        finally:
            query(own, limit.format(-1))
    clean_but(ended, set())
