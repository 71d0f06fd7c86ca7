"""Whole soaks, as a user starts them: they count every message, name what was lost, and end in good order."""

import re
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from analysis.record import read_run
from tests.locustfiles.soaks import PATIENCE_S, TOO_SHORT_FOR, Ended, Soak, describe, query
from tests.staging.stages import RunningStage, running_stage

LOAD = ("--users", "10", "--spawn-rate", "10")


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    """A stage whose database these tests may spoil."""
    with running_stage() as running:
        yield running


def soak(folder: Path, stage: RunningStage, *options: str, **environment: str) -> Soak:
    return Soak(
        folder, "--host", stage.app_url, *LOAD, *options, environment={**describe(stage), **environment}
    )


def assert_clean(ended: Ended) -> None:
    """A pass in which every criterion but drift looked at something, and every figure agrees with every other."""
    assert ended.code == 0, ended.output
    assert ended.verdict["outcome"] == "pass"
    assert {one["id"] for one in ended.verdict["criteria"] if one["outcome"] == "info"} == TOO_SHORT_FOR
    checked = {one["id"] for one in ended.verdict["criteria"] if one["checked"]}
    assert {one["id"] for one in ended.verdict["criteria"]} - checked <= TOO_SHORT_FOR
    assert [one["id"] for one in ended.verdict["criteria"] if one["examples"]] == []
    counts = ended.verdict["counts"]
    assert counts["ok"] == counts["stored"] > 0
    assert counts["deliveries"] == counts["deliveries_expected"] > 0


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (("--processes", "2", "--run-time", "12s"), {}),
        (("--workload", "open", "--arrival-rate", "25", "--run-time", "10s"), {}),
        (("--shape", "spike", "--run-time", "15s"), {"CHATSOAK_TRANSPORT": "rest"}),
        (("--run-time", "10s"), {"CHATSOAK_APP_AUTH": "cookie"}),
    ],
    ids=["two processes", "open workload", "spike over REST", "session cookie"],
)
def test_a_clean_run_counts_every_message(
    own: RunningStage, tmp_path: Path, options: tuple[str, ...], environment: dict[str, str]
) -> None:
    with soak(tmp_path, own, *options, **environment) as running:
        assert_clean(running.end())


@pytest.mark.long
def test_a_fault_of_the_embedded_environment_is_caught_and_the_report_says_that_it_was_asked_for(
    tmp_path: Path,
) -> None:
    fault = "corrupt_text_rate=0.1"
    with Soak(tmp_path, *LOAD, "--run-time", "10s", "--stage-fault", fault, environment={}) as running:
        ended = running.end()
    assert ended.code == 1, ended.output
    assert ended.failed() == ["messages.corrupted"]
    assert ended.verdict["load"]["faults"] == [fault], "it is no part of a history of clean runs"
    report = (tmp_path / "reports" / "latest" / "report.html").read_text(encoding="utf-8")
    assert f"was told to misbehave: {fault}" in report


# What somebody does by hand in psql, and the one criterion that must catch it.
BY_HAND = {
    "a stored message is deleted": (
        "delete from chat_messages where id = $1 returning id",
        "messages.lost",
    ),
    "a message that was read is set back to sent": (
        "update chat_messages set status = 'sent' where id = $1 and status = 'read' returning id",
        "status.regressed",
    ),
}


@pytest.mark.long
@pytest.mark.parametrize(("statement", "criterion"), BY_HAND.values(), ids=BY_HAND.keys())
def test_what_was_done_by_hand_is_found_and_named(
    own: RunningStage, tmp_path: Path, statement: str, criterion: str
) -> None:
    with soak(tmp_path, own, "--run-time", "12s") as running:
        running.wait_for_load()
        message_id = wait_for_read_message(own, running)
        touched = query(own, statement, message_id)
        assert [row["id"] for row in touched] == [message_id]
        ended = running.end()
    assert ended.code == 1, ended.output
    assert ended.failed() == [criterion]
    (failed,) = (one for one in ended.verdict["criteria"] if one["id"] == criterion)
    assert {finding["message_id"] for finding in failed["examples"]} == {str(message_id)}
    assert str(message_id) in ended.report


def wait_for_read_message(stage: RunningStage, running: Soak) -> uuid.UUID:
    """A message of the run which has been read, in a chat that goes on: it is neither the first nor the last."""
    statement = """
        select m.id from chat_messages m
        where m.status = 'read' and m.chat_id = any($1::uuid[])
          and exists (select from chat_messages n where n.chat_id = m.chat_id and n.seq > m.seq)
        limit 1"""
    found: list[uuid.UUID] = []

    def look() -> bool:
        found.extend(row["id"] for row in query(stage, statement, running.chats()))
        return bool(found)

    running.wait_until("a message that was read", look)
    return found[0]


@pytest.mark.long
def test_a_table_that_is_not_published_is_found_by_realtime_alone(own: RunningStage, tmp_path: Path) -> None:
    publish = "alter publication supabase_realtime {} table chat_messages"
    try:
        with soak(tmp_path, own, "--run-time", "10s", "--drain", "3") as running:
            running.wait_for_load()
            wait_for_read_message(own, running)  # by now everybody has joined
            query(own, publish.format("drop"))
            ended = running.end()
    finally:
        query(own, publish.format("add"))
    assert ended.code == 1, ended.output
    assert ended.failed() == ["realtime.missed"]


@pytest.mark.long
def test_one_ctrl_c_drains_judges_and_reports(own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, own, "--run-time", "5m") as running:
        running.wait_for_load()
        wait_for_read_message(own, running)
        time_of_warmup_s = time.monotonic() + 3
        running.wait_until("sends after the warm-up", lambda: time.monotonic() > time_of_warmup_s)
        running.interrupt()
        ended = running.end()
    assert ended.code == 0, ended.output
    assert ended.verdict["counts"]["ok"] == ended.verdict["counts"]["stored"] > 0
    assert "Traceback" not in ended.output
    (note,) = read_run(running.reports / "latest").notes
    assert re.fullmatch(r"The run was ended early, after \d:\d\d of the 5:00 of its run time\.", note)


def test_a_second_ctrl_c_leaves_at_once_and_leaves_nothing_running(tmp_path: Path) -> None:
    """With the embedded staging environment, so that there is much to leave behind."""
    with Soak(tmp_path, *LOAD, "--run-time", "5m", environment={}) as running:
        running.wait_for_load()
        started = psutil.Process(running.process.pid).children(recursive=True)
        assert any("postgres" in one.name() for one in started)
        running.interrupt()
        running.wait_until("the first Ctrl-C was heard", lambda: "Interrupted" in running.output())
        running.interrupt()
        assert running.process.wait(5) == 130
    gone, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert alive == []
    assert len(gone) == len(started)


def a_dead_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.mark.parametrize(
    ("host", "environment", "named"),
    [
        ("http://no-such-host.invalid", {}, "no-such-host.invalid"),
        (a_dead_port(), {}, "127.0.0.1"),
        (None, {"NEXT_PUBLIC_SUPABASE_ANON_KEY": "wrong"}, "NEXT_PUBLIC_SUPABASE_ANON_KEY"),
        (None, {"CHATSOAK_THINK_TIME_S": "soon"}, "CHATSOAK_THINK_TIME_S"),
        (None, {"CHATSOAK_REPORTS_DIR": "/proc/reports"}, "CHATSOAK_REPORTS_DIR"),
    ],
    ids=["unknown host", "nothing listens", "wrong key", "wrong setting", "reports cannot be written"],
)
def test_bad_input_ends_before_any_load_with_2_and_one_sentence(
    own: RunningStage, tmp_path: Path, host: str | None, environment: dict[str, str], named: str
) -> None:
    """What else may be wrong with a target is tested with `chatsoak doctor`, which Locust asks."""
    described = {**describe(own), **environment}
    with Soak(tmp_path, "--host", host or own.app_url, *LOAD, environment=described) as running:
        ended = running.end()
    assert ended.code == 2, ended.output
    assert named in ended.output
    assert "Traceback" not in ended.output
    assert "All users spawned" not in ended.output
    assert list(tmp_path.glob("reports/2*")) == []
    said = [line for line in ended.output.splitlines() if re.search(r"chatsoak: |error: ", line)]
    assert len(said) == 1, ended.output
