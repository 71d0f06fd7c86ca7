"""Promise: what load processes still met after Locust had been killed is no error of the server."""

from dataclasses import replace

import pytest

from analysis.evidence import Evidence
from analysis.judge import judge_evidence
from analysis.record.codes import Outcome, PollKind
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History

LAST_LOOK = 30.0
OK, FAIL, INFO = Outcome.OK, Outcome.FAIL, Outcome.INFO


def cut_off(at: float, outcome: Outcome = INFO) -> History:
    """A run whose last send, at this second, got another answer than ok; of an INFO one there is no HTTP answer."""
    run = History()
    chat = run.chat(0, 1)
    run.store(run.send(0, chat, 1.0, seq=1))
    run.poll(LAST_LOOK)
    run.poll(LAST_LOOK + 1, PollKind.FAILED)
    run.send(0, chat, at, outcome=outcome, seq=None)
    return run


def errors(evidence: Evidence, *, ended: bool = False) -> tuple[int, int]:
    """How many attempts were counted as errors, and how many left out."""
    told = replace(evidence, run=replace(evidence.run, ended_at="2026-11-23T16:02:00Z" if ended else None))
    verdict = judge_evidence(told, lambda _: None).verdict
    (found,) = (one for one in verdict["criteria"] if one["id"] == "errors.send")
    assert len(found["examples"]) == found["facts"]["not_ok"]
    return found["facts"]["not_ok"], found["facts"].get("after_the_end", 0)


@pytest.mark.parametrize(("at", "outcome", "ended", "counted"), [
    (LAST_LOOK + 0.5, INFO, False, (0, 1)),
    (LAST_LOOK - 0.5, INFO, False, (1, 0)),  # the server was there, as the look tells
    (LAST_LOOK + 0.5, INFO, True, (1, 0)),
    (LAST_LOOK + 0.5, FAIL, False, (1, 0)),  # somebody said no
    (LAST_LOOK + 0.5, OK, False, (0, 0)),
])  # fmt: skip
def test_who_met_no_server_after_the_last_look_of_a_run_that_was_cut_off_is_left_out(
    at: float, outcome: Outcome, ended: bool, counted: tuple[int, int]
) -> None:
    assert errors(cut_off(at, outcome).evidence(), ended=ended) == counted


@pytest.mark.parametrize(("error_s", "counted"), [(None, (0, 1)), (0.001, (1, 0))])
def test_so_is_who_may_have_done_so_by_a_clock_that_is_not_known(
    error_s: float | None, counted: tuple[int, int]
) -> None:
    assert errors(on_two_machines(cut_off(LAST_LOOK - 0.5), (0,), error_s=error_s)) == counted


@pytest.mark.parametrize("failed", [0, 1])
def test_without_a_look_that_was_answered_nobody_knows_when_it_ended(failed: int) -> None:
    run = cut_off(LAST_LOOK + 0.5)
    run.rows["polls"] = [row for row in run.rows["polls"] if row[1] == PollKind.FAILED][:failed]
    assert errors(run.evidence()) == (1, 0)
