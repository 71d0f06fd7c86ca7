"""Promise: whichever process of the tool's own world is killed, nothing recorded is lost, and nobody is blamed for it."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
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
from tests.adversary.whole_runs import (
    FORGIVING,
    Postmaster,
    answers,
    children,
    clean_but,
    described,
    kill_postgresql,
    let_pass,
    observed,
    settings_for,
    wait_for_messages,
    wait_for_more,
)
from tests.adversary.world import WORLD_FAULTS, holds, outcomes
from tests.locustfiles.soaks import Soak, query
from tests.staging.stages import ROOT, RunningStage, running_stage

pytestmark = pytest.mark.long

LONGEST = ("--run-time", "120s")  # each test ends its load as soon as it has seen enough
LOAD = ("--users", "12", "--spawn-rate", "12", *LONGEST)


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    """A stage whose database outlives its server: in a folder that everybody may enter, since PostgreSQL is not root."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        with running_stage(data=Path(made) / "kept") as running:
            yield running


def soak(folder: Path, stage: RunningStage, *options: str, **settings: str) -> Soak:
    environment = settings_for(stage, **FORGIVING, **settings)
    return Soak(folder, "--host", stage.app_url, *LOAD, *options, environment=environment)


def latest(running: Soak) -> Path:
    return (running.reports / "latest").resolve()


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


def judged_by_hand(folder: Path) -> dict[str, Any]:
    """The verdict of `chatsoak report`, which has to be inconclusive."""
    command = [sys.executable, "-m", "analysis.cli", "report", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, verdict["outcome"]) == (3, "inconclusive"), described(verdict) + done.stderr
    return verdict


def test_a_load_process_of_two_is_killed_and_the_monitor_twice(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--processes", "2") as running:
        wait_for_messages(running, own, 40)
        kill_monitor(running)
        wait_for_successor(running)
        workers = [
            one
            for one in psutil.Process(running.process.pid).children()
            if "locustfiles/chat.py" in one.cmdline()
        ]
        assert len(workers) == 2
        workers[0].kill()
        kill_monitor(running)
        wait_for_more(running, own)
        running.interrupt()
        ended = running.end()
    assert ended.code == 3, ended.output
    holds(ended.verdict, "LoadProcessKilled", "MonitorKilledTwice")
    assert "is not started another time" in ended.output
    expectations.write(latest(running), outcomes("LoadProcessKilled", "MonitorKilledTwice"))


def test_load_processes_end_with_the_locust_that_started_them(own: RunningStage, tmp_path: Path) -> None:
    """At once, and in good order: Locust itself would have them go on for a minute."""
    with soak(tmp_path, own, "--processes", "2") as running:
        wait_for_messages(running, own, 40)
        started = psutil.Process(running.process.pid).children(recursive=True)
        assert sum("locustfiles/chat.py" in one.cmdline() for one in started) == 2
        running.process.kill()
        running.process.wait()
        _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == [], "something outlived it"
    (folder,) = running.reports.glob("2*")
    evidence = read_evidence(folder)
    assert [part.process is not None and part.process.closed for part in evidence.parts] == [True, True]
    judged_by_hand(folder)


def test_locust_is_killed_and_its_record_still_speaks(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own) as running:
        running.wait_for_load()
        wait_for_messages(running, own, 80)
        let_pass(running, 2, "the record is flushed")
        started = psutil.Process(running.process.pid).children(recursive=True)
        running.process.kill()
        running.process.wait()
    _, alive = psutil.wait_procs(started, timeout=30)
    assert alive == [], "something outlived it"
    (folder,) = running.reports.glob("2*")
    verdict = judged_by_hand(folder)
    assert verdict["counts"]["ok"] >= 60
    holds(verdict, "LocustKilled")
    expectations.write(folder, outcomes("LocustKilled"))


def test_the_monitor_is_killed_and_another_finds_what_was_deleted_meanwhile(
    own: RunningStage, tmp_path: Path
) -> None:
    """By `messages.lost` alone: the message was seen, and read, before."""
    read = """
        select m.id from chat_messages m
        where m.status = 'read' and m.chat_id = any($1::uuid[]) and m.created_at < now() - interval '3 seconds'
          and exists (select from chat_messages n where n.chat_id = m.chat_id and n.seq > m.seq)
        limit 1"""
    with soak(tmp_path, own, CHATSOAK_MONITOR_INTERVAL_S="0.3") as running:
        running.wait_for_load()
        running.wait_until(
            "a message that was read some time ago", lambda: bool(query(own, read, running.chats()))
        )
        kill_monitor(running)
        ((message,),) = query(own, read, running.chats())
        assert query(own, "delete from chat_messages where id = $1 returning id", message)
        wait_for_successor(running)
        wait_for_more(running, own)
        running.interrupt()
        ended = running.end()
    clean_but(ended, {"messages.lost"})
    expected = [
        expectations.expected(
            "MonitorKilled", None, ["messages.lost"], {"messages.lost": [[{"message_id": str(message)}]]}
        )
    ]
    assert expectations.mistakes(latest(running), ended.verdict, expected) == {}
    (complete,) = (one for one in ended.verdict["criteria"] if one["id"] == "monitor.complete")
    assert "was started once more" in complete["reason"]
    assert "with signal SIGKILL, and is started once more" in ended.output
    notes = json.loads((latest(running) / "run.json").read_text())["notes"]
    ended_early, restarted = notes
    assert "ended early" in ended_early
    assert "is started once more" in restarted
    assert ended.verdict["counts"]["ok"] == ended.verdict["counts"]["stored"] + 1
    expectations.write(latest(running), {"messages.lost": "fail", **outcomes("MonitorKilled")}, expected)


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
    assert WORLD_FAULTS["MonitorKilledEarly"].instead.endswith(f"exit code {ended.code}"), ended.output
    assert "the monitor ended with" in ended.output
    assert "All users spawned" not in ended.output
    assert "Traceback" not in ended.output
    assert list(running.reports.glob("2*")) == []


def test_postgresql_is_killed_and_comes_back_and_is_killed_altogether_and_started_again(
    own: RunningStage, tmp_path: Path
) -> None:
    """The last of this file: whoever starts it again is no child of the stage."""
    postmaster = Postmaster(own)
    try:
        with soak(tmp_path, own, "--users", "40", "--spawn-rate", "40") as running:
            running.wait_for_load()
            wait_for_messages(running, own, 120)
            kill_postgresql(own)
            running.wait_until("PostgreSQL is back", lambda: answers(own))
            wait_for_more(running, own, 120)
            postmaster.kill()
            running.wait_until("PostgreSQL is back", postmaster.is_back)
            wait_for_more(running, own, 120)
            running.interrupt()
            ended = running.end()
    finally:
        postmaster.stop()
    assert ended.verdict["outcome"] in {"pass", "inconclusive"}
    holds(ended.verdict, "PostgresKilled", "PostmasterKilled")
    counts = ended.verdict["counts"]
    # 40 users, because of twelve there was once nobody who sent while the server was away.
    assert observed(ended, "errors.send") > 0, "nothing was under way when it was killed"
    assert counts["stored"] >= counts["ok"] > 300
    assert (counts["stored"] - counts["ok"]) <= counts["info"]
    record = read_evidence(latest(running))
    assert len(restarts(record.polls).after_ns) == 2
    expectations.write(latest(running), outcomes("PostgresKilled", "PostmasterKilled"))
