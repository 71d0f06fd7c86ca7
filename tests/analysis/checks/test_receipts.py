"""Promise: a receipt counts on whatever machine its user was, as far as it is certain when it was given."""

import pytest

from analysis.checks import receipts
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, ObservedChange, Outcome, PollKind, Status
from tests.analysis.checks.oracles.hello import account, hello
from tests.analysis.checks.oracles.story import Event, Look, Poll, Process, Receipt, Story, person_id


def stuck(story: Story) -> Criterion:
    return receipts.stuck(account(story), delivered_within_s=1.9)


def elsewhere(*, delivered_at: float | None, **more: object) -> Story:
    """Everybody is on another machine; a receipt of 4, answered at 5; looks each second, the one at `delivered_at` saw it work."""
    story = hello(processes=[Process("there")], ahead={"there": 600.0}, measured={"there": True})
    story.polls = [Poll(PollKind.POLL, at, 0, at) for at in range(3, 40)] + [story.polls[-1]]
    if delivered_at is not None:
        number = [poll.at for poll in story.polls].index(delivered_at)
        story.messages[0].looks.append(Look(number, ObservedChange.CHANGED, Status.DELIVERED))
    story.receipts = [Receipt(1, 0, 4, 5, Outcome.OK, 1)]
    for name, value in more.items():
        setattr(story, name, value)
    return story


@pytest.mark.parametrize(("delivered_at", "faults"), [(6, 0), (8, 0), (9, 1), (None, 1)])
def test_with_all_users_on_another_machine_it_is_still_judged(
    delivered_at: float | None, faults: int
) -> None:
    """The look at 7 might have come within the two seconds, by the error of the measurement; the one at 8 had not."""
    found = stuck(elsewhere(delivered_at=delivered_at))
    assert (found.observed, found.checked) == (faults, 1)
    assert found.outcome is (Verdict.FAIL if faults else Verdict.PASS)
    assert [finding.recipient_id for finding in found.examples] == [str(person_id(1))] * faults


@pytest.mark.parametrize("measured", [{}, {"there": False}])
def test_of_a_machine_whose_clock_is_not_known_nothing_is_certain(measured: dict[str, bool]) -> None:
    found = stuck(elsewhere(delivered_at=None, measured=measured))
    assert (found.outcome, found.checked) == (Verdict.INCONCLUSIVE, 0)
    assert "clocks could not be held against" in (found.reason or "")


@pytest.mark.parametrize(("came", "faults"), [(7, 0), (7.09, 0), (7.5, 1)])
def test_an_event_elsewhere_that_may_have_shown_it_delivered_in_time_clears_it(
    came: float, faults: int
) -> None:
    shown = Event(1, 1, 0, 0, came, EventType.UPDATE, Status.DELIVERED, 1, committed=came)
    assert stuck(elsewhere(delivered_at=20, events=[shown])).observed == faults


@pytest.mark.parametrize(("process_of", "left", "covered"), [
    ([0, 0], 2, 1),  # by one clock it was just stored
    ([0, 1], 2, 0),  # by two clocks perhaps
    ([0, 1], 2.3, 1),
    ([1, 0], 2, 0),
    ([1, 0], 2.3, 1),
    ([0, 1], 1.5, 0),
])  # fmt: skip
def test_a_receipt_covers_what_was_certainly_stored_when_it_left(
    process_of: list[int], left: float, covered: int
) -> None:
    story = elsewhere(delivered_at=3, processes=[Process("there"), Process("here")], process_of=process_of)
    story.receipts[0].left = left
    assert stuck(story).checked == covered


def test_what_two_machines_know_of_when_it_was_stored_is_put_together() -> None:
    """The answer came at 2 on another machine; the event on this one at 1.9."""
    story = elsewhere(delivered_at=3, processes=[Process("there"), Process("here")], process_of=[0, 1])
    story.receipts[0].left = 1.9
    assert stuck(story).checked == 0
    story.events = [Event(1, 1, 0, 0, 1.9, seq=1)]
    assert stuck(story).checked == 1


def test_the_first_answer_of_all_machines_counts() -> None:
    story = elsewhere(delivered_at=12, people=3, chats=[(0, 1, 2)], process_of=[0, 0, 1])
    story.processes = [Process("there"), Process("here")]
    story.receipts.append(Receipt(2, 0, 4, 5, Outcome.OK, 1))
    (finding,) = stuck(story).examples
    assert finding.recipient_id == str(person_id(2))  # for certain by 5; the other by a little later
    story.receipts[0].answered = 4.5
    (finding,) = stuck(story).examples
    assert finding.recipient_id == str(person_id(1))
