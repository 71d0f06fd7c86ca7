"""The time axis: one for all clocks of a run, and begun at its first send."""

from pathlib import Path

import pytest

from analysis.evidence import assemble
from analysis.judge import judge_evidence, judge_run
from analysis.record import ProcessInfo, ProcessRecord, RecordWriter
from analysis.record.codes import Outcome, PollKind
from analysis.record.tables import LOAD_TABLES
from analysis.timeline import Timeline
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import CLOCK_NS, History
from tests.analysis.in_memory import InMemory


def timeline(history: History, folder: Path) -> Timeline:
    return judge_run(history.write(folder), lambda _: None).timeline


def chat_of_ten() -> History:
    history = History()
    chat = history.chat(0, 1)
    for number in range(10):
        message = history.send(0, chat, at=5.0 + number, seq=number + 1)
        history.store(message)
        history.deliver(message)
    history.finish()
    return history


def test_the_axis_begins_at_the_first_send(tmp_path: Path) -> None:
    found = timeline(chat_of_ten(), tmp_path / "run")
    assert found.sends.index.tolist() == list(range(10))
    assert found.begin_s == 0
    assert found.end_s >= 90  # the monitor's last look


def test_findings_lie_where_they_happened(tmp_path: Path) -> None:
    history = chat_of_ten()
    history.send(0, 0, at=25.0, outcome=Outcome.FAIL)
    found = timeline(history, tmp_path / "run")
    assert found.occurrences["errors.send"].at_s.tolist() == [20.0]
    assert found.occurrences["errors.send"].findings.tolist() == [1]
    assert found.occurrences_coarse["errors.send"].to_dict() == {20: 1}


def test_findings_are_placed_over_the_whole_run_however_many_there_are(tmp_path: Path) -> None:
    history = History()
    chat = history.chat(0, 1)
    for number in range(3000):
        history.send(0, chat, at=5.0 + number, outcome=Outcome.FAIL)
    history.finish(at=3100)
    found = timeline(history, tmp_path / "run")
    assert len(found.occurrences["errors.send"].at_s) == 3000
    assert found.occurrences["errors.send"].at_s[-1] == 2999
    coarse = found.occurrences_coarse["errors.send"]
    assert coarse.sum() == 3000
    assert coarse.index.max() + found.coarse_s > 2999


def test_service_times_stand_beside_response_times_in_an_open_workload_alone(tmp_path: Path) -> None:
    class Open(History):
        def run(self):  # type: ignore[no-untyped-def]
            run = super().run()
            run.settings = {"CHATSOAK_WORKLOAD": "open"}
            return run

    history = Open()
    chat = history.chat(0, 1)
    history.send(0, chat, at=5.0, took=0.2, seq=1, late=1.0)
    history.finish()
    found = timeline(history, tmp_path / "open")
    assert (found.sends["p95_ms"].tolist(), found.service["p95_ms"].tolist()) == ([1200.0], [200.0])
    assert len(timeline(chat_of_ten(), tmp_path / "closed").service) == 0


def test_a_poll_that_failed_is_counted_and_has_no_duration(tmp_path: Path) -> None:
    history = chat_of_ten()
    history.poll(45.0, PollKind.FAILED)
    polls = timeline(history, tmp_path / "run").polls
    assert polls.loc[40, "failed"] == 1
    assert polls["duration_ms"].isna().loc[40]


def test_a_restart_lies_between_the_looks_around_it(tmp_path: Path) -> None:
    history = chat_of_ten()
    history.rows["polls"].clear()
    for at in range(8, 14):
        history.poll(float(at), server_s=10.2 if at > 10 else -3600.0)
    assert timeline(history, tmp_path / "run").restarts == ((5.0, 6.0),)


def test_two_machines_share_the_axis_by_their_wall_clocks(tmp_path: Path) -> None:
    folder = chat_of_ten().write(tmp_path / "run")
    other = History()  # another machine, whose monotonic clock began an hour later
    chat = other.chat(0, 1)
    other.send(1, chat, at=8.5, seq=99)
    here = ProcessInfo.here("local")
    there = ProcessInfo("worker-1", 1, "elsewhere", "boot", here.monotonic_ns - 3_600 * 10**9, here.wall_us)
    writer = RecordWriter(folder / "record" / "worker-1", LOAD_TABLES, there)
    add = writer.adder("sends")
    for row in other.rows["sends"]:
        add(
            tuple(
                value - 3_600 * 10**9 if isinstance(value, int) and value >= CLOCK_NS else value
                for value in row
            )
        )
    writer.close()
    sends = judge_run(folder, lambda _: None).timeline.sends
    assert sends.loc[3, "count"] == 2
    assert sends["count"].sum() == 11


@pytest.mark.parametrize("error_s", [0.001, None])
def test_findings_of_another_machine_lie_where_they_happened_or_nowhere(error_s: float | None) -> None:
    history = chat_of_ten()
    history.event(history.messages[0], 1, 5.5)
    history.send(1, 0, at=25.0, outcome=Outcome.FAIL)
    judgement = judge_evidence(
        on_two_machines(history, (1,), ahead_s=3600.0, error_s=error_s), lambda _: None
    )
    placed = {
        (criterion, round(at_s, 3))
        for criterion, seen in judgement.timeline.occurrences.items()
        for at_s in seen.at_s.tolist()
    }
    expected = {("realtime.duplicated", 0.5), ("errors.send", 20.0)}
    assert placed & expected == (set() if error_s is None else expected)
    assert all(at_s < 100 for _, at_s in placed)
    named = {one["id"]: one["examples"] for one in judgement.verdict["criteria"]}
    for criterion, _ in expected:
        (example,) = named[criterion]
        assert ("at_ns" in example) == (error_s is not None)


def test_without_a_word_of_the_monitor_findings_of_the_only_machine_keep_their_time() -> None:
    history = chat_of_ten()
    history.send(0, 0, at=25.0, outcome=Outcome.FAIL)
    parts = {"local": InMemory(history.rows, "local")}
    found = judge_evidence(assemble(history.run(), parts, Silent(history.rows, "monitor")), lambda _: None)
    assert found.timeline.occurrences["errors.send"].at_s.tolist() == [20.0]


class Silent(InMemory):
    """A process that left no word of itself."""

    def process(self) -> ProcessRecord | None:
        return None


def test_nothing_sent_has_an_empty_timeline(tmp_path: Path) -> None:
    history = History()
    history.chat(0, 1)
    history.finish()
    found = timeline(history, tmp_path / "run")
    assert len(found.sends) == len(found.deliveries) == len(found.rates) == 0
    assert found.end_s > found.begin_s
