"""Promise: what may have been acknowledged after the monitor's last look is not called lost, on whatever machine; all else is.

A load process on another machine that lost its master goes on for a minute, and its record is judged when somebody brings it.
"""

import uuid
from typing import Any

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import PollKind
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History

NEVER_COMPARED = None
WELL = 0.001  # seconds
LAST_LOOK_S = 101.0  # of `History.finish`
FIRST, LAST = 5.0, 90.0  # when somebody there sent something that a look saw


def watched(*, lost: float, **row: Any) -> History:
    """Person 1, who will be there, sends thrice, and a look sees two of them; one of the others is acknowledged at `lost`."""
    run = History(people=2)
    chat = run.chat(0, 1)
    sent = {at: run.send(1, chat, at, took=0.1) for at in sorted((FIRST, LAST, lost - 0.1))}
    for seq, at in enumerate((FIRST, LAST), start=1):
        run.store(sent[at], seq=seq, **row)
        run.deliver(sent[at])
    run.finish()
    return run


def found(run: History, error_s: float | None, criterion: str = "messages.lost") -> Criterion:
    criteria = audit(on_two_machines(run, (1,), error_s=error_s), 5).criteria
    (one,) = (one for one in criteria if one.id == criterion)
    return one


@pytest.mark.parametrize("error_s", [WELL, 5.0, NEVER_COMPARED])
@pytest.mark.parametrize("lost", [LAST_LOOK_S - 2, LAST_LOOK_S + 9])
def test_what_may_have_been_acknowledged_after_it_is_not_called_lost(
    lost: float, error_s: float | None
) -> None:
    one = found(watched(lost=lost), error_s)
    certain = lost < LAST_LOOK_S and error_s == WELL
    assert (one.outcome, one.observed) == ((Verdict.FAIL, 1) if certain else (Verdict.INCONCLUSIVE, 0))
    assert (
        "1 message may have been acknowledged after the monitor's last look" in str(one.reason)
    ) != certain
    assert ("clocks could not be held against the monitor's" in str(one.reason)) == (
        error_s is NEVER_COMPARED
    )


@pytest.mark.parametrize("error_s", [WELL, 5.0, NEVER_COMPARED])
def test_what_was_acknowledged_before_something_left_that_a_look_saw_is_lost(error_s: float | None) -> None:
    assert found(watched(lost=50.0), error_s).observed == 1


@pytest.mark.parametrize(
    ("error_s", "outcome"), [(WELL, Verdict.FAIL), (NEVER_COMPARED, Verdict.INCONCLUSIVE)]
)
@pytest.mark.parametrize("row", [{"keyed": False}, {"client_id": uuid.UUID(int=7)}])
def test_a_row_without_its_key_tells_nothing_of_times(
    error_s: float | None, outcome: Verdict, row: dict[str, Any]
) -> None:
    """An answer may have named a row that had been there before, and so may a text."""
    assert found(watched(lost=50.0, **row), error_s).outcome is outcome


def test_what_only_a_later_look_at_missing_numbers_saw_tells_nothing_of_the_last_look() -> None:
    run = watched(lost=LAST_LOOK_S + 5)
    chat = run.chats.index((0, 1))
    late = run.send(1, chat, LAST_LOOK_S + 6, seq=4)
    run.poll(LAST_LOOK_S + 7, PollKind.HOLES)
    run.observe(late, LAST_LOOK_S + 7)
    assert found(run, NEVER_COMPARED).outcome is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("before_s", "outcome"), [(0.05, Verdict.INCONCLUSIVE), (0.2, Verdict.FAIL)])
def test_the_time_of_a_look_is_noted_when_its_snapshot_has_come(before_s: float, outcome: Verdict) -> None:
    run = watched(lost=LAST_LOOK_S - before_s)
    (one,) = (one for one in audit(run.evidence(), 5).criteria if one.id == "messages.lost")
    assert one.outcome is outcome


@pytest.mark.parametrize(
    ("error_s", "told"), [(WELL, True), (5.0, True), (20.0, False), (NEVER_COMPARED, False)]
)
def test_the_monitor_did_not_see_what_left_for_certain_after_it(error_s: float | None, told: bool) -> None:
    one = found(watched(lost=LAST_LOOK_S + 9), error_s, "monitor.complete")
    assert ("1 send left after the last look" in str(one.reason)) == told
