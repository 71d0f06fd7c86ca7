"""Promise: a receipt counts on whatever machine its user was, as far as it is certain when it was given."""

import pytest

from analysis.checks import receipts
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, MarkKind, ObservedChange, Outcome, PollKind, Status
from tests.analysis.checks.oracles.hello import account, hello, said
from tests.analysis.checks.oracles.story import Event, Look, Message, Poll, Process, Receipt, Story, person_id


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


def test_a_message_that_is_gone_is_lost_and_a_stranger_s_is_nobody_s() -> None:
    story = elsewhere(delivered_at=None)
    story.messages[0].looks.append(Look(20, ObservedChange.GONE))
    assert (stuck(story).checked, stuck(story).observed) == (0, 0)
    story.messages = [Message(0, 0, [], 1, [Look(0, ObservedChange.APPEARED)])]
    assert (stuck(story).checked, stuck(story).observed) == (0, 0)


@pytest.mark.parametrize("kind", [PollKind.HOLES, PollKind.POLL])
def test_a_look_at_where_seqs_are_missing_saw_no_other_row(kind: PollKind) -> None:
    """The sweep, a second after the answer, is the last look at the message; nobody saw whether it was in time. Earlier
    versions wrote of the looks that follow it as of polls."""
    story = at_home()
    story.polls = [Poll(PollKind.POLL, 3, 0, 3), Poll(PollKind.SWEEP, 6, 0, 6)]
    story.polls += [Poll(kind, at, 0, at) for at in range(7, 15)]
    found = stuck(story)
    assert (found.observed, found.outcome) == (0, Verdict.INCONCLUSIVE)


@pytest.mark.parametrize(("kind", "faults"), [(PollKind.FAILED, 0), (PollKind.POLL, 1)])
def test_a_look_that_failed_saw_nothing(kind: PollKind, faults: int) -> None:
    story = at_home()
    story.polls = [Poll(PollKind.POLL, 3, 0, 3), Poll(kind, 9, 0, 9), Poll(PollKind.POLL, 10, 0, 10)]
    story.polls.append(Poll(PollKind.SWEEP, 40, 0, 40))
    story.messages[0].looks.append(Look(2, ObservedChange.CHANGED, Status.READ))
    assert stuck(story).observed == faults


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


READ_BY = Receipt(1, 0, 4, 5, Outcome.OK, 1, MarkKind.READ)


def at_home(*statuses: tuple[int, Status], receipts: tuple[Receipt, ...] = (READ_BY,)) -> Story:
    """One machine, looks each second from 3 on, of which those told saw the message move."""
    story = hello(receipts=list(receipts))
    story.polls = [Poll(PollKind.POLL, at, 0, at) for at in range(3, 40)] + [story.polls[-1]]
    story.messages[0].looks += [Look(at - 3, ObservedChange.CHANGED, status) for at, status in statuses]
    return story


def test_who_acknowledged_to_have_read_a_message_must_show_as_that_in_time() -> None:
    """Deadline: 7, two seconds after the answer."""
    delivered = (5, Status.DELIVERED)
    assert stuck(at_home(delivered, (7, Status.READ))).outcome is Verdict.PASS
    assert stuck(at_home(delivered, (8, Status.READ))).observed == 1
    found = stuck(at_home(delivered))
    assert (found.outcome, found.checked, found.observed) == (Verdict.FAIL, 1, 1)
    (finding,) = found.examples
    assert "not marked as read 34.90 s after" in finding.why
    assert finding.recipient_id == str(person_id(1))


def test_what_a_receipt_of_another_kind_told_to_know_is_still_known_later() -> None:
    """They had the message by 5, so that they read it when they told to have read the chat."""
    arrived = Receipt(1, 0, 4, 5, Outcome.OK, 1, MarkKind.DELIVERED)
    fewer = Receipt(1, 0, 6, 7, Outcome.OK, 0, MarkKind.READ)
    (finding,) = stuck(at_home((5, Status.DELIVERED), receipts=(arrived, fewer))).examples
    assert "not marked as read" in finding.why
    assert stuck(at_home((5, Status.DELIVERED), receipts=(fewer,))).checked == 0


def test_a_message_that_is_stuck_at_sent_is_told_once() -> None:
    """Whatever was said of reading it; and one that was read has been delivered."""
    (finding,) = stuck(at_home(receipts=(READ_BY, Receipt(1, 0, 4, 5, Outcome.OK, 1)))).examples
    assert "still `sent`" in finding.why
    assert stuck(at_home((5, Status.READ))).outcome is Verdict.PASS


def test_a_receipt_of_delivery_asks_for_no_reading() -> None:
    delivered = Receipt(1, 0, 4, 5, Outcome.OK, 1)
    assert stuck(at_home((5, Status.DELIVERED), receipts=(delivered,))).outcome is Verdict.PASS


@pytest.mark.parametrize("reading", [
    Receipt(0, 0, 4, 5, Outcome.OK, 1, MarkKind.READ),  # by its sender
    Receipt(1, 0, 1, 5, Outcome.OK, 1, MarkKind.READ),  # it left before the message was certainly stored
    Receipt(1, 0, 4, 5, Outcome.OK, 0, MarkKind.READ),  # who sent it knew no message yet
    Receipt(1, 0, 4, 5, Outcome.INFO, 1, MarkKind.READ),
    Receipt(1, 0, 4, 5, Outcome.FAIL, 1, MarkKind.READ),
])  # fmt: skip
def test_of_what_a_word_of_reading_may_not_have_covered_nothing_is_asked(reading: Receipt) -> None:
    assert stuck(at_home((5, Status.DELIVERED), receipts=(reading,))).observed == 0


def test_a_reading_that_no_look_could_see_in_time_is_open() -> None:
    late = Receipt(1, 0, 38.5, 39, Outcome.OK, 1, MarkKind.READ)
    found = stuck(at_home((5, Status.DELIVERED), receipts=(Receipt(1, 0, 3, 3, Outcome.OK, 1), late)))
    assert (found.outcome, found.facts) == (Verdict.INCONCLUSIVE, {"open": 1})


def test_a_message_that_was_another_persons_for_a_while_is_not_blamed_on_receipts() -> None:
    """Its own sender's word does not mark it; whose it was when the word came, nobody knows."""
    story = at_home((5, Status.DELIVERED))
    story.messages[0].stored_sender = 1
    assert stuck(story).checked == 0
    story.messages[0].stored_sender = None
    story.messages[0].looks[-1].sender = 1
    assert stuck(story).checked == 0


def test_an_event_that_shows_it_read_in_time_clears_it() -> None:
    story = at_home((5, Status.DELIVERED))
    story.events = [Event(1, 1, 0, 0, 6, EventType.UPDATE, Status.DELIVERED, 1, committed=6)]
    assert stuck(story).observed == 1
    story.events.append(Event(1, 1, 0, 0, 7, EventType.UPDATE, Status.READ, 1, committed=7))
    assert stuck(story).observed == 0


def test_an_unknown_status_that_an_event_shows_clears_nothing() -> None:
    story = at_home((5, Status.DELIVERED))
    story.events = [Event(1, 1, 0, 0, 6, EventType.UPDATE, Status.OTHER, 1, committed=6)]
    assert stuck(story).observed == 1


def test_what_is_stuck_at_sent_and_what_is_unread_are_two_kinds() -> None:
    story = at_home((5, Status.DELIVERED))
    story.messages.append(said(2))
    story.receipts[0].up_to = 2
    assert [kind.count for kind in stuck(story).found.largest] == [1, 1]


def test_a_message_that_is_stuck_at_sent_is_not_open_besides() -> None:
    late = Receipt(1, 0, 38.5, 39, Outcome.OK, 1, MarkKind.READ)
    assert stuck(at_home(receipts=(Receipt(1, 0, 4, 5, Outcome.OK, 1), late))).facts == {"open": 0}


@pytest.mark.parametrize(("asked", "faults"), [(6.8, 0), (7.0, 1), (None, 1)])
def test_a_look_whose_answer_was_held_up_does_not_say_that_a_receipt_did_nothing_until_then(
    asked: float | None, faults: int
) -> None:
    """Acknowledged at 5, and to be followed within 1.9 s."""
    story = hello(receipts=[Receipt(1, 0, 4, 5, Outcome.OK, 1)])
    story.polls[1:1] = [Poll(PollKind.POLL, 11, 0, 11, asked=asked), Poll(PollKind.POLL, 12, 0, 12)]
    story.messages[0].looks.append(Look(2, ObservedChange.CHANGED, Status.DELIVERED))
    assert len(stuck(story).examples) == faults
