"""Promise: a look whose answer was held up on its way is taken for no younger than its question, whoever goes by it."""

from typing import Any

import pytest

from analysis.checks import audit
from analysis.checks.account import account_for
from analysis.checks.departures import Departures
from analysis.checks.leavers import Leavers
from analysis.checks.restarts import restarts
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, MarkKind, Outcome, PollKind
from analysis.record.tables import MARKS
from tests.analysis.histories import History

ASKED = pytest.mark.parametrize(("asked", "faults"), [(29.0, 0), (30.5, 1)])


def found(run: History, criterion: str) -> Criterion:
    (one,) = (one for one in audit(run.evidence(), 5).criteria if one.id == criterion)
    return one


@ASKED
def test_what_was_acknowledged_while_the_last_look_was_on_its_way_is_not_lost(
    asked: float, faults: int
) -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    run.send(0, chat, 30.0, took=0.2, seq=1)
    run.poll(35.0, PollKind.SWEEP, asked=asked)
    lost = found(run, "messages.lost")
    assert (lost.observed, lost.outcome) == (faults, Verdict.FAIL if faults else Verdict.INCONCLUSIVE)


@ASKED
def test_what_was_deleted_while_the_last_look_was_on_its_way_may_have_been_there(
    asked: float, faults: int
) -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(0, chat, 1.0, seq=1)
    run.store(message)
    run.deliver(message)
    run.event(message, 1, 30.0, type=EventType.DELETE)
    run.poll(35.0, PollKind.SWEEP, asked=asked)
    assert found(run, "realtime.phantom").observed == faults


@ASKED
def test_who_left_while_a_look_was_on_its_way_was_refused_rightly(asked: float, faults: int) -> None:
    """It saw them in the chat still."""
    run = History(people=2)
    chat = run.chat(0, 1)
    run.member(1, chat, 0.5)
    run.poll(0.5)
    run.poll(35.0, asked=asked)
    run.poll(36.0)
    run.member(1, chat, 36.0, there=False)
    run.send(1, chat, 30.0, took=0.2, outcome=Outcome.FAIL)
    run.poll(40.0, PollKind.SWEEP)
    account = account_for(run.evidence())
    refused = Departures.of(account).rightly_refused(account.evidence.sends, Clocks.of(account.evidence))
    assert refused.tolist() == [not faults]


@ASKED
def test_what_was_marked_while_the_last_look_was_on_its_way_was_perhaps_let_rightly(
    asked: float, faults: int
) -> None:
    """Nobody saw whether they were back."""
    run = History(people=2)
    chat = run.chat(0, 1)
    run.member(1, chat, 0.5)
    run.poll(0.5)
    run.poll(20.0)
    run.member(1, chat, 20.0, there=False)
    run.mark(1, chat, 30.0, kind=MarkKind.READ, up_to_seq=1)
    run.rows["marks"][-1] = _with_count(run.rows["marks"][-1], 1)
    run.poll(35.0, PollKind.SWEEP, asked=asked)
    account = account_for(run.evidence())
    assert len(Leavers.of(account, Clocks.of(account.evidence)).marks) == faults


def _with_count(mark: tuple[Any, ...], count: int) -> tuple[Any, ...]:
    place = MARKS.names.index("updated_count")
    return *mark[:place], count, *mark[place + 1 :]


@ASKED
def test_what_was_stored_while_a_look_at_the_old_server_was_on_its_way_is_near_its_end(
    asked: float, faults: int
) -> None:
    """Ten seconds before the last look that saw it, nobody knows what Realtime had read."""
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(0, chat, 19.5, seq=1)
    run.poll(20.0)
    run.observe(message, 20.0)
    run.poll(35.0, asked=asked)
    run.poll(36.0, server_s=35.5)
    account = account_for(run.evidence())
    assert restarts(account.evidence.polls).around(account).tolist() == [not faults]
