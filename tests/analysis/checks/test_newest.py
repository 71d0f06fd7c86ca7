"""Promise: a drain that did not know what to wait for lets nothing pass, and a function that misled it is named."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import ObservedChange, PagePurpose, PollKind, SocketEvent
from tests.analysis.histories import History

DRAINED, FINISHED = 20.0, 21.0


def missed(run: History) -> Criterion:
    run.poll(FINISHED + 1, PollKind.SWEEP)
    (one,) = [
        one for one in audit(run.evidence(), delivered_within_s=5).criteria if one.id == "realtime.missed"
    ]
    return one


def drained(
    *,
    told: int | None,
    waited_for: int | None,
    sent_at: float = 15.0,
    asked: bool = True,
    came: bool = False,
    numbered: bool = True,
) -> History:
    """Of the last message of a chat no event comes to the second of two people."""
    run = History(people=2)
    chat = run.chat(0, 1)
    first = run.send(0, chat, at=1.0, seq=1)
    run.store(first, seq=1)
    run.deliver(first)
    last = run.send(0, chat, at=sent_at, seq=2 if numbered else None)
    run.store(last)
    run.deliver(last, None, *((0, 1) if came else (0,)))
    if asked:
        run.socket(0, SocketEvent.DRAINING, DRAINED, chat=chat, seq=2)
        run.socket(1, SocketEvent.DRAINING, DRAINED, chat=chat, seq=told)
    run.socket(0, SocketEvent.FINISHED, FINISHED, chat=chat, seq=2)
    run.socket(1, SocketEvent.FINISHED, FINISHED, chat=chat, seq=waited_for)
    return run


def test_what_was_waited_for_in_vain_is_missed_whatever_the_function_told() -> None:
    assert missed(drained(told=0, waited_for=2)).outcome is Verdict.FAIL


@pytest.mark.parametrize(("asked", "waited_for"), [(True, None), (True, 1), (False, None)])
def test_what_nobody_waited_for_leaves_it_open(asked: bool, waited_for: int | None) -> None:
    """A record of an earlier version does not tell when they asked, only that they got no answer."""
    found = missed(drained(told=None, waited_for=waited_for, asked=asked))
    assert (found.outcome, found.facts["unawaited"]) == (Verdict.INCONCLUSIVE, 1)
    assert "1 participation was drained without knowing the newest seq" in (found.reason or "")


def test_what_has_no_seq_nobody_could_wait_for() -> None:
    found = missed(drained(told=1, waited_for=1, numbered=False))
    assert (found.outcome, found.facts["unawaited"]) == (Verdict.INCONCLUSIVE, 1)


def test_an_earlier_record_with_an_answer_is_as_it_was() -> None:
    assert missed(drained(told=None, waited_for=1, asked=False)).outcome is Verdict.PASS


def test_what_was_stored_after_they_asked_is_not_waited_for() -> None:
    found = missed(drained(told=1, waited_for=1, sent_at=DRAINED - 0.05))
    assert (found.outcome, found.facts["unawaited"]) == (Verdict.PASS, 0)


def test_what_was_read_in_history_was_not_to_be_waited_for() -> None:
    run = drained(told=None, waited_for=None)
    run.page(1, 0, DRAINED - 1, list(reversed(run.messages)), purpose=PagePurpose.CATCH_UP)
    assert missed(run).facts["unawaited"] == 0


@pytest.mark.parametrize("told", [0, 1])
def test_a_function_that_tells_of_less_than_was_acknowledged_is_named(told: int) -> None:
    found = missed(drained(told=told, waited_for=2, came=True))
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "`get_latest_seq` told 1 of 2 times of less than was stored" in (found.reason or "")


def test_a_message_that_went_is_none_that_should_have_been_told_of() -> None:
    run = drained(told=1, waited_for=1, came=True)
    run.poll(17.0)
    run.observe(run.messages[-1], 17.0, change=ObservedChange.GONE)
    assert missed(run).outcome is Verdict.PASS


@pytest.mark.parametrize("told", [None, 2, 3])
def test_no_answer_and_a_right_one_are_not(told: int | None) -> None:
    assert missed(drained(told=told, waited_for=2, came=True)).outcome is Verdict.PASS
