"""Promise: where a moment, a seq or a clock stands right at a rule's edge, the rule is kept to the letter.

Generated histories seldom get there.
"""

from dataclasses import replace

import pytest

from analysis.checks import last_looks, phantom, realtime, receipts, status
from analysis.checks.deliveries import deliveries
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import (
    EventType,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
)
from tests.analysis.checks.oracles.hello import account, hello, said, subscribed
from tests.analysis.checks.oracles.story import (
    Event,
    Look,
    Measured,
    Page,
    Poll,
    Process,
    Receipt,
    Step,
    Story,
    ns,
    person_id,
)

GAVE_UP = Step(1, 0, SocketEvent.GAVE_UP, 40, chat=0)
HERE_AND_THERE = {"processes": [Process("here"), Process("there")], "process_of": [0, 1]}


def missed(story: Story) -> Criterion:
    judged = account(story)
    return realtime.missed(judged, deliveries(judged))


def stuck(story: Story) -> Criterion:
    return receipts.stuck(account(story), delivered_within_s=1.9)


def page(*shown: int, purpose: PagePurpose = PagePurpose.CATCH_UP, **more: int) -> Page:
    """A page that the second person read at 5."""
    asked = {"before": None, "limit": 50, "left": 5} | more
    return Page(1, 0, purpose, asked["before"], asked["limit"] or 0, asked["left"] or 0, Outcome.OK, [*shown])


def came(message: int, at: int, seq: int | None = None) -> Event:
    """The message came to the second person."""
    return Event(1, 1, message, 0, at, seq=seq)


def told(told_status: Status, committed: float, at: float | None = None, person: int = 1) -> Event:
    """An event told of a status."""
    at = committed if at is None else at
    return Event(person, person, 0, 0, at, EventType.UPDATE, told_status, 1, committed=committed)


@pytest.mark.parametrize(("began", "ended", "seq", "owed"), [
    (1, 2, 1, 1),  # from the moment it left to the moment it was stored, and waited for
    (2, 20, 1, 0),  # began too late
    (1, 1, 1, 0),  # ended too soon
    (1, 11, 0, 0),  # waited for the one before it only
    (1, 11, None, 0),  # nine seconds are not certain
    (1, 12, None, 1),  # ten are
])  # fmt: skip
def test_a_message_is_owed_by_a_subscription(began: int, ended: int, seq: int | None, owed: int) -> None:
    assert missed(hello(steps=subscribed(began, ended, seq=seq))).observed == owed


@pytest.mark.parametrize(("left", "owed"), [(2, 0), (3, 1)])
def test_a_later_message_proves_an_earlier_one_only_if_it_left_after_that_was_stored(
    left: int, owed: int
) -> None:
    messages = [said(1), said(2, left)]
    story = hello(steps=subscribed(0, 6), messages=messages, events=[came(1, 5)])
    assert missed(story).observed == owed


def test_what_a_look_saw_was_stored_when_the_look_was_over() -> None:
    messages = [said(1, outcome=Outcome.INFO), said(2, left=5, seen=1)]
    story = hello(steps=subscribed(0, 9), messages=messages, events=[came(1, 6)])
    assert missed(story).observed == 1
    story.polls[0].took = 3  # until 6, and nothing that came left later
    assert missed(story).observed == 0


def test_to_read_it_in_history_excuses_nobody() -> None:
    assert missed(hello(steps=subscribed(0, 30, seq=1), pages=[page(0)])).observed == 1


@pytest.mark.parametrize("table", ["events", "sockets", "pages"])
def test_of_somebody_whose_record_lacks_rows_nothing_is_known(table: str) -> None:
    found = missed(hello(steps=subscribed(0, 30), processes=[Process(lost=(table,))]))
    assert (found.outcome, found.checked) == (Verdict.INCONCLUSIVE, 0)
    assert "received is not known" in (found.reason or "")


@pytest.mark.parametrize(("lost", "faults"), [((), 1), (("marks",), 0)])
def test_a_process_that_was_cut_off_after_it_lost_rows_may_have_lost_any(
    lost: tuple[str, ...], faults: int
) -> None:
    """Its tables do not end at one time: each had room again when it had. One that was only killed wrote all until then."""
    found = missed(hello(steps=subscribed(0, 30), processes=[Process(lost=lost, closed=False)]))
    assert (found.observed, found.outcome) == (faults, Verdict.FAIL if faults else Verdict.INCONCLUSIVE)


def test_somebody_who_gave_up_is_owed_what_left_after_their_last_subscription_began() -> None:
    assert missed(hello(steps=[*subscribed(0, 0), GAVE_UP])).observed == 1
    assert missed(hello(steps=[*subscribed(1, 1), GAVE_UP])).checked == 0
    assert missed(hello(steps=[*subscribed(0, 0), GAVE_UP], **HERE_AND_THERE)).checked == 0
    found = missed(hello(steps=[*subscribed(0, 0), GAVE_UP], pages=[page(0)]))
    assert (found.checked, found.facts["caught_up"]) == (0, 1)


@pytest.mark.parametrize("sent_from", ["here", "elsewhere"])
@pytest.mark.parametrize(("times", "waited_for", "owed"), [
    ((1, 3, 9), None, [2]),  # each left after the one before it was stored
    ((2, 3, 9), None, [2]),
    ((3, 3, 9), None, []),  # the first that came may have been stored before the subscription began, and this one, too
    ((1, 3, 4), None, []),  # the last that came may have been stored before this one
    ((1, 3, 9), 2, [2]),  # something came that left later
    ((1, 3, 9), 1, [2]),  # whatever the user waited for
    ((1, 3, 4), 2, [2]),  # the user knew that it was there
    ((1, 3, 4), 1, []),
    ((1, 3, 4), 3, []),  # the newest left before this one was surely stored
    ((1, 3, 5), 3, [2]),
])  # fmt: skip
def test_on_a_clock_that_was_never_compared_what_came_tells_what_is_owed(
    times: tuple[int, int, int], waited_for: int | None, owed: list[int], sent_from: str
) -> None:
    """Messages 1, 2 and 3, of which the second does not come, nor the last where the user waited for that. Of a sender elsewhere
    the monitor knows nothing more."""
    story = hello(messages=[said(seq, left) for seq, left in enumerate(times, start=1)], **HERE_AND_THERE)
    story.processes = [Process(sent_from), Process("there")]
    story.polls = [Poll(PollKind.SWEEP, 40, 0, 40)]
    story.steps = subscribed(0, 30, seq=waited_for)
    story.events = [came(0, 5, 1), came(2, 10, 3)]
    if waited_for == 3:
        story.events.pop()
    found = missed(story)
    assert [finding.seq for finding in found.examples if finding.seq == 2] == owed
    assert found.facts["undecided"] == (2 not in owed)


@pytest.mark.parametrize(("first_left", "measured", "owed"), [(1, True, 1), (3, True, 0), (1, False, 0)])
def test_on_a_clock_that_was_never_compared_what_came_tells_of_two_senders_whose_clocks_were(
    first_left: int, measured: bool, owed: int
) -> None:
    story = hello(people=3, chats=[(0, 1, 2)], messages=[said(1, first_left), said(2, 3), said(3, 9)])
    story.messages[1].sender = 2
    story.processes, story.process_of = [Process("here"), Process("there"), Process("elsewhere")], [0, 1, 2]
    story.measured = {"elsewhere": measured}
    story.polls = [Poll(PollKind.SWEEP, 40, 0, 40)]
    story.steps = subscribed(0, 30)
    story.events = [came(0, 5, 1), came(2, 10, 3)]
    assert (missed(story).observed, missed(story).facts["undecided"]) == (owed, 1 - owed)


@pytest.mark.parametrize(
    ("seqs", "sender", "owed"), [((1, 2, 3), 0, 1), ((1, 9, 3), 0, 0), ((1, 2, 3), 2, 0)]
)
def test_on_a_clock_that_was_never_compared_the_newest_that_was_waited_for_tells_of_lower_ones_of_its_clock(
    seqs: tuple[int, int, int], sender: int, owed: int
) -> None:
    """The user waited for the third, which left after the second was stored, by a clock that may be another; neither came."""
    messages = [said(seq, left) for seq, left in zip(seqs, (1, 3, 5), strict=True)]
    story = hello(people=3, chats=[(0, 1, 2)], messages=messages)
    messages[2].sender = sender
    story.processes, story.process_of = [Process("here"), Process("there"), Process("elsewhere")], [0, 1, 2]
    story.polls = [Poll(PollKind.SWEEP, 40, 0, 40)]
    story.steps, story.events = subscribed(0, 30, seq=3), [came(0, 5, 1)]
    assert [finding.seq for finding in missed(story).examples if finding.seq == seqs[1]] == [seqs[1]] * owed


def test_without_a_word_of_the_monitor_nobody_knows_when_a_message_without_an_answer_was_stored() -> None:
    story = hello(messages=[said(1, outcome=Outcome.INFO)], steps=subscribed(0, 30))
    assert (missed(story).observed, missed(story).facts["undecided"]) == (1, 0)
    story.monitor.silent = True
    assert (missed(story).observed, missed(story).facts["undecided"]) == (0, 1)


def test_what_came_between_two_subscriptions_of_one_channel_tells_nothing_of_either() -> None:
    story = hello(messages=[said(1), said(2, 3), said(3, 9)], **HERE_AND_THERE)
    story.polls = [Poll(PollKind.SWEEP, 40, 0, 40)]
    story.steps = [*subscribed(0, 10), *subscribed(20, 30)]
    story.events = [came(2, 15, 3), came(0, 25, 1)]
    assert (missed(story).observed, missed(story).facts["undecided"]) == (0, 1)


def test_what_came_before_the_confirmation_does_not_tell_that_the_subscription_was_there() -> None:
    messages = [said(1), said(2, 3), said(3, 9)]
    story = hello(messages=messages, events=[came(0, 5, 1), came(2, 10, 3)], **HERE_AND_THERE)
    story.polls = [Poll(PollKind.SWEEP, 40, 0, 40)]
    story.steps = subscribed(4, 30)
    assert missed(story).observed == 1
    for began in (5, 6):  # what was read together with it may have come before it
        story.steps = subscribed(began, 30)
        assert (missed(story).observed, missed(story).facts["undecided"]) == (0, 1)


@pytest.mark.parametrize("at", [4, 5])
def test_what_was_read_together_with_the_first_confirmation_has_arrived(at: int) -> None:
    story = hello(steps=subscribed(5, 30), events=[came(0, at, 1)])
    judged = account(story)
    found = deliveries(judged)
    assert found.arrived.tolist() == [False, True]
    judges = (realtime.missed, realtime.duplicated, realtime.reordered)
    assert [judge(judged, found).observed for judge in judges] == [0] * len(judges)
    assert phantom.phantom(judged, found.subscriptions).observed == 0


def test_two_confirmations_without_an_end_between_them_may_each_have_brought_what_was_read_with_the_second() -> (
    None
):
    steps = [*subscribed(0, 30)[:1], *subscribed(5, 30)]
    story = hello(steps=steps, events=[came(0, 5, 1), came(0, 6, 1)])
    judged = account(story)
    assert realtime.duplicated(judged, deliveries(judged)).observed == 0
    for times, doubled in (((4, 6), 0), ((4, 5), 0), ((3, 4), 1), ((6, 7), 1)):
        story.events = [came(0, at, 1) for at in times]
        judged = account(story)
        assert realtime.duplicated(judged, deliveries(judged)).observed == doubled


def test_of_two_messages_with_the_number_that_was_waited_for_neither_is_known_to_be_there() -> None:
    messages = [said(1), said(2, 3)]
    story = hello(messages=messages, events=[came(0, 5, 1)], steps=subscribed(0, 30, seq=2), **HERE_AND_THERE)
    assert missed(story).observed == 1
    messages.append(said(2, 3))
    assert (missed(story).observed, missed(story).facts["undecided"]) == (0, 2)


def test_clocks_that_contradict_one_another_are_not_compared() -> None:
    story = hello(steps=subscribed(0, 30, seq=1), **HERE_AND_THERE)
    story.offsets = [Measured(1, 0, 0, 0), Measured(1, 30, 0, 0)]
    assert missed(story).observed == 1
    story.offsets = [Measured(1, 0, 0, 0), Measured(1, 30, 5, 0)]
    assert (missed(story).observed, missed(story).facts["undecided"]) == (0, 1)


@pytest.mark.parametrize("process_of", [[0, 1], [1, 0]])
@pytest.mark.parametrize(("began", "ended", "waited_for", "error", "owed"), [
    (4, 30, 1, 0, 1),
    (4, 30, 1, 2, 0),  # it may have begun after the message left
    (2, 30, 1, 2, 1),
    (2, 7, 1, 0, 1),
    (2, 7, 1, 2, 0),  # it may have ended before the message was stored
    (2, 9, 1, 2, 1),
    (2, 17, None, 0, 1),
    (2, 17, None, 2, 0),  # ten seconds may not have gone by
    (2, 19, None, 2, 1),
])  # fmt: skip
def test_across_clocks_only_what_is_certain_is_owed(
    began: int, ended: int, waited_for: int | None, error: int, owed: int, process_of: list[int]
) -> None:
    """A message that left at 5 and was answered at 6; clocks may have drifted apart by thousandths since they were compared."""
    story = hello(messages=[said(1, left=5, seen=1)], **HERE_AND_THERE)
    story.process_of = process_of
    story.steps = subscribed(began, ended, seq=waited_for)
    story.offsets = [Measured(1, 7, 0, error)]
    if error == 0:
        story.offsets += [Measured(1, at, 0, 0) for at in (2, 4, 17)]
    assert (missed(story).observed, missed(story).facts["undecided"]) == (owed, 0)


@pytest.mark.parametrize(("read", "lacking"), [
    (page(), 1),
    (page(before=2), 1),
    (page(before=1), 0),  # the page ends just below it
    (page(left=3), 1),
    (page(left=2), 0),  # it was stored at that very moment, and not before
    (page(left=1), 0),
    (page(1, limit=2), 0),  # a page that is not full need not reach back: servers have limits of their own
    (page(1, limit=1), 0),
    (page(2, limit=1), 1),  # the lowest on a full page has the same seq
    (page(purpose=PagePurpose.BROWSE), 0),
    (page(purpose=PagePurpose.DRAIN), 1),
])  # fmt: skip
def test_history_owes_what_belongs_on_a_page(read: Page, lacking: int) -> None:
    messages = [said(1), said(5, left=20, seen=1), said(1, left=20, seen=1)]
    found = missed(hello(messages=messages, pages=[read]))
    assert (found.facts["not_in_history"], found.observed) == (lacking, 0)
    read.outcome, read.shown = Outcome.FAIL, []
    assert missed(hello(messages=messages, pages=[read])).facts["not_in_history"] == 0


@pytest.mark.parametrize(("times", "doubled"), [
    ((1, 2), 1),
    ((0, 2), 1),  # before the first began
    ((2, 3), 0),  # after the first of three ended, yet before the second began: of either
    ((3, 4), 0),  # one of each
    ((3, 5), 0),
    ((2, 3, 5), 1),  # three copies cannot be of two
    ((2, 3, 3), 1),
    ((3, 4, 4), 1),
    ((5, 7), 0),  # read together with the second confirmation, of either
    ((6, 7), 1),
    ((5, 9), 0),
    ((9, 10), 0),
    ((10, 15), 0),
    ((11, 15), 1),  # nothing else can have brought what came after the last
])  # fmt: skip
def test_an_event_counts_to_the_subscription_that_had_begun_last(
    times: tuple[int, ...], doubled: int
) -> None:
    steps = [*subscribed(1, 2), *subscribed(5, 7), *subscribed(10, 12)]
    steps += [replace(step, person=0, socket=0) for step in steps[:4]]  # who has two of them
    events = [came(0, at) for at in times] + [Event(0, 0, 0, 0, 6)]
    judged = account(hello(steps=steps, events=events))
    found = realtime.duplicated(judged, deliveries(judged))
    elsewhere = len(times) - 1 - doubled
    assert (found.observed, found.facts["repeated_by_another_subscription"]) == (doubled, elsewhere)


def test_what_only_history_brought_counts_as_delivered() -> None:
    pairs = deliveries(account(hello(steps=subscribed(0, 30, seq=1), pages=[page(0)])))
    assert (int(pairs.expected.sum()), int(pairs.delivered.sum())) == (1, 1)
    pairs = deliveries(account(hello(pages=[page(0, left=1)])))  # sooner than it surely was there
    assert (int(pairs.expected.sum()), int(pairs.delivered.sum())) == (1, 1)


def test_when_a_message_left_is_not_compared_across_clocks() -> None:
    story = hello(steps=subscribed(0, 30, seq=1), monitor=Process("there"), **HERE_AND_THERE)
    assert missed(story).checked == 0
    # Nor does a message of the other clock prove that an earlier one should have come.
    story = hello(people=3, chats=[(0, 1, 2)], steps=subscribed(0, 6), events=[came(1, 5)])
    story.processes, story.process_of = [Process("here"), Process("there")], [0, 0, 1]
    story.messages.append(replace(said(2, left=20, seen=1), sender=2))
    assert missed(story).checked == 0
    story.process_of = [0, 0, 0]
    assert missed(story).checked == 1


@pytest.mark.parametrize(("committed", "outcome"), [(39.4, Verdict.FAIL), (39.5, Verdict.PASS)])
def test_an_event_of_the_last_half_second_need_not_show_in_the_last_look(
    committed: float, outcome: Verdict
) -> None:
    assert status.regressed(account(hello(events=[told(Status.DELIVERED, committed)]))).outcome is outcome


def test_events_of_one_moment_may_come_in_either_order() -> None:
    together = [told(Status.READ, 39.8), told(Status.SENT, 39.8)]
    assert status.regressed(account(hello(events=together))).outcome is Verdict.PASS


def test_a_status_that_went_back_is_dated_by_the_last_word_of_it() -> None:
    statuses = {5: Status.READ, 6: Status.SENT, 7: Status.SENT, 8: Status.READ}
    events = [told(one, at) for at, one in statuses.items()]
    (finding,) = status.regressed(account(hello(events=events))).examples
    assert finding.at_ns == ns(7)


def test_an_event_that_shows_a_message_delivered_by_the_deadline_clears_it() -> None:
    receipt = Receipt(1, 0, 4, 5, Outcome.OK, 1)
    assert stuck(hello(receipts=[receipt])).observed == 1
    assert stuck(hello(receipts=[receipt], events=[told(Status.DELIVERED, 7)])).observed == 0
    assert stuck(hello(receipts=[receipt], events=[told(Status.DELIVERED, 8)])).observed == 1


@pytest.mark.parametrize("answered", [(5, 12), (12, 5)])
def test_the_first_recipient_whose_receipt_was_answered_is_named(answered: tuple[int, int]) -> None:
    both = [Receipt(person, 0, 4, at, Outcome.OK, 1) for person, at in enumerate(answered, start=1)]
    found = stuck(hello(people=3, chats=[(0, 1, 2)], process_of=[0, 0, 0], receipts=both))
    first = 1 + answered.index(5)
    assert [finding.recipient_id for finding in found.examples] == [str(person_id(first))]


def test_an_event_of_another_clock_clears_nothing() -> None:
    story = hello(
        people=3, chats=[(0, 1, 2)], processes=[Process("here"), Process("there")], process_of=[0, 0, 1]
    )
    story.receipts = [Receipt(1, 0, 4, 5, Outcome.OK, 1)]
    story.events = [told(Status.DELIVERED, 6, person=2)]
    assert stuck(story).observed == 1


def test_where_the_monitor_could_not_write_nothing_is_stuck() -> None:
    story = hello(receipts=[Receipt(1, 0, 4, 5, Outcome.OK, 1)], monitor=Process(lost=("observations",)))
    assert (stuck(story).outcome, stuck(story).observed) == (Verdict.INCONCLUSIVE, 0)


@pytest.mark.parametrize(("others", "a_poll", "stuck_since"), [
    ([Status.SENT], 2, 13),  # both rows at each poll
    ([Status.SENT], 1, 8),  # each row at every other poll
    ([Status.SENT, Status.SENT], 2, 8),  # three rows need two polls
    ([Status.READ], 1, 13),  # what was read needs no more looks
    ([Status.NULL], 1, 8),  # read once, but not for good
])  # fmt: skip
def test_the_last_poll_at_which_a_row_had_its_turn_counts(
    others: list[Status], a_poll: int, stuck_since: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_looks, "UNSETTLED_A_POLL", a_poll)
    story = waiting(others)
    for answered in (6, 7, 11, 12):
        story.receipts = [Receipt(1, 0, 4, answered, Outcome.OK, 1)]
        assert stuck(story).observed == (answered + 2 <= stuck_since)


def test_the_look_that_found_a_row_saw_it_whoever_had_a_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(last_looks, "UNSETTLED_A_POLL", 1)
    story = waiting([Status.SENT])
    story.messages[0].looks = [
        Look(2, ObservedChange.APPEARED),
        Look(3, ObservedChange.CHANGED, Status.DELIVERED),
    ]
    story.receipts = [Receipt(1, 0, 4, 9, Outcome.OK, 1)]
    assert stuck(story).observed == 1


def waiting(others: list[Status]) -> Story:
    """Polls at 3, 8 and 13, and a message that only the last look at 40 saw delivered; others were read at 3, and then this."""
    story = hello()
    polls = [Poll(PollKind.POLL, at, 0, at) for at in (3, 8, 13)]
    story.polls = [*polls, story.polls[-1]]
    story.messages[0].looks.append(Look(3, ObservedChange.CHANGED, Status.DELIVERED))
    for other in others:
        message = said(None)
        if other is not Status.SENT:
            message.looks = [
                Look(0, ObservedChange.APPEARED, Status.READ),
                Look(3, ObservedChange.CHANGED, other),
            ]
        story.messages.append(message)
    return story
