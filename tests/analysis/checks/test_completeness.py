"""Promise: where the tool itself did not see or keep everything, the run is inconclusive and the report says why."""

from dataclasses import replace

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import PollKind
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History

LOAD_S = 100


def watched(*blind: tuple[float, float], interval_s: float = 1.0, failed: bool = True) -> History:
    """A run of one message, watched at every interval but for these times, when looks failed or were not taken."""
    run = History(people=2)
    chat = run.chat(0, 1)
    hello = run.send(0, chat, at=1.0, seq=1)
    run.poll(1.5)
    run.observe(hello, 1.5)
    run.deliver(hello)
    at = 1.5
    while (at := at + interval_s) < LOAD_S:
        if not any(begin <= at < end for begin, end in blind):
            run.poll(at)
        elif failed:
            run.poll(at, PollKind.FAILED)
    run.finish(LOAD_S)
    return run


def monitor(run: History, interval_s: float = 1.0) -> Criterion:
    """`monitor.complete` of the run."""
    evidence = run.evidence()
    evidence.run.settings["CHATSOAK_MONITOR_INTERVAL_S"] = interval_s
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "monitor.complete")
    return found


def test_a_monitor_that_looked_all_along_is_complete() -> None:
    found = monitor(watched())
    assert (found.outcome, found.observed, found.reason) == (Verdict.PASS, 0, None)
    assert found.facts["longest_between_looks_s"] == pytest.approx(1.5)


@pytest.mark.parametrize("failed", [True, False])
def test_a_restart_of_the_database_is_forgiven(failed: bool) -> None:
    found = monitor(watched((20, 38), failed=failed))
    assert found.outcome is Verdict.PASS
    assert found.facts["longest_between_looks_s"] == pytest.approx(19)
    assert found.facts["failed"] == (18 if failed else 0)


@pytest.mark.parametrize("failed", [True, False])
def test_a_monitor_that_was_blind_for_long_vouches_for_nothing(failed: bool) -> None:
    found = monitor(watched((20, 55), failed=failed))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "It did not look for 36.0 s (at most 30 s are allowed)" in (found.reason or "")


def test_slow_looks_are_allowed_what_was_asked_for() -> None:
    assert monitor(watched(interval_s=8.0), interval_s=8.0).outcome is Verdict.PASS
    assert monitor(watched((20, 80), interval_s=8.0, failed=False), interval_s=8.0).outcome is Verdict.PASS
    assert "did not look for" in (monitor(watched((5, 99), interval_s=8.0), interval_s=8.0).reason or "")


def test_a_monitor_that_began_late_has_missed_something() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    hello = run.send(0, chat, at=1.0, seq=1)
    run.deliver(hello)
    run.store(hello, at=40.0)
    run.poll(70.0)
    run.finish(LOAD_S)
    assert "did not look for 39.0 s" in (monitor(run).reason or "")


def test_sends_by_another_clock_do_not_tell_when_the_load_began() -> None:
    evidence = on_two_machines(watched(), (0, 1), ahead_s=-500.0, error_s=0.001)
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "monitor.complete")
    assert found.outcome is Verdict.PASS


def test_many_failed_looks_are_too_many_though_none_of_them_took_long() -> None:
    found = monitor(watched(*((begin, begin + 1.2) for begin in range(5, 95, 3))))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "looks failed (at most 20% may)" in (found.reason or "")


@pytest.mark.parametrize(
    ("until", "failed", "outcome"), [(26, 2, Verdict.PASS), (37, 3, Verdict.INCONCLUSIVE)]
)
def test_a_fifth_of_the_looks_may_fail(until: float, failed: int, outcome: Verdict) -> None:
    found = monitor(watched((13, until), interval_s=11.8), interval_s=11.8)
    assert (found.checked, found.facts["failed"], found.outcome) == (10, failed, outcome)


def test_a_database_that_did_not_come_back_is_told() -> None:
    run = watched()
    run.poll(LOAD_S + 2, PollKind.FAILED)
    assert (
        "the database was lost and did not come back (connection refused)"
        in (monitor(run).reason or "").lower()
    )


def test_without_the_last_look_nothing_is_certain() -> None:
    run = watched()
    run.rows["polls"].pop()
    assert "last look after the drain is missing" in (monitor(run).reason or "")


def test_looks_whose_rows_are_not_all_there_say_nothing_of_what_is_absent() -> None:
    """The disk had room for the row about the look, and none for what it saw."""
    run = History(people=2)
    chat = run.chat(0, 1)
    for number in range(3):
        message = run.send(0, chat, at=1.0 + number, seq=number + 1)
        if number < 2:
            run.observe(message, 1.5 + number)
    run.finish(10.0)
    evidence = run.evidence()
    missing = {one.id: one.outcome for one in audit(evidence, 5).criteria}
    assert missing["messages.lost"] is Verdict.FAIL
    saw = evidence.polls.assign(rows_new=evidence.polls["kind"].eq(PollKind.SWEEP).astype(int))
    found = {one.id: one for one in audit(replace(evidence, polls=saw), 5).criteria}
    assert found["messages.lost"].outcome is Verdict.INCONCLUSIVE
    assert found["status.regressed"].outcome is Verdict.INCONCLUSIVE


def test_a_chat_without_a_baseline_is_told() -> None:
    run = watched()
    run.rows["baseline"].clear()
    assert "There is no baseline of 1 chat of the run" in (monitor(run).reason or "")


def test_sends_after_the_last_look_were_seen_by_nobody() -> None:
    run = watched()
    run.send(0, 0, at=LOAD_S + 1, seq=2)  # at that very moment, and so perhaps before it
    assert monitor(run).outcome is Verdict.PASS
    run.send(0, 0, at=LOAD_S + 5, seq=3)
    assert "1 send left after the last look" in (monitor(run).reason or "")


def test_a_run_without_an_end_or_a_part_is_no_whole_record() -> None:
    evidence = watched().evidence()
    evidence.run.ended_at = None
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "record.complete")
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.reason == "Run.json has no end: the run was cut off."
