"""Promise: a status went back only where it is certain what came first; what is certain is found, whoever saw it."""

import pytest

from analysis.checks import audit, status
from analysis.criteria import Criterion
from analysis.record.codes import EventType, ObservedChange, PollKind, Status
from tests.analysis.checks.oracles.hello import account, hello
from tests.analysis.checks.oracles.story import Event, Look, Poll, Process, Story, ns
from tests.analysis.histories import History

SENT, DELIVERED, READ = Status.SENT, Status.DELIVERED, Status.READ


def regressed(story: Story) -> Criterion:
    return status.regressed(account(story))


def told(status: Status, committed: float, at: float | None = None, person: int = 1) -> Event:
    """An event told of a status, at once or at `at`."""
    at = committed if at is None else at
    return Event(person, person, 0, 0, at, EventType.UPDATE, status, 1, committed=committed)


def looked(*seen: tuple[float, Status | None], last: float = 40) -> Story:
    """Looks at 1 and at these seconds; None: this one found the message as it had been. The last is a sweep."""
    story = hello(polls=[Poll(PollKind.POLL, 1, 0, 1)])
    story.messages[0].looks = [Look(0, ObservedChange.APPEARED)]
    for at, found in [*seen, (last, None)]:
        story.polls.append(Poll(PollKind.POLL, at, 0, at))
        if found is not None:
            story.messages[0].looks.append(Look(len(story.polls) - 1, ObservedChange.CHANGED, found))
    story.polls[-1].kind = PollKind.SWEEP
    return story


@pytest.mark.parametrize("ahead", [-3600, -3, 3, 3600])
def test_a_database_whose_clock_is_set_between_two_commits_set_nothing_back(ahead: float) -> None:
    story = looked((6, DELIVERED), (8, READ))
    story.events = [told(DELIVERED, 5), told(READ, 7)]
    story.set_by = (6, ahead)
    found = regressed(story)
    assert (found.examples, found.facts) == ((), {"commit_times_unused": 2})


def test_what_came_before_it_was_committed_was_committed_by_a_wrong_clock() -> None:
    """Set and set right between two looks, which notice nothing of it."""
    story = looked((6, READ))
    story.events = [told(DELIVERED, 30, at=7)]
    assert regressed(story).examples == ()


def test_what_one_subscription_shows_in_order_is_found_though_the_clock_was_set() -> None:
    story = looked((30, READ))
    story.events = [told(READ, 5), told(SENT, 7)]
    story.set_by = (20, -3600)
    (finding,) = regressed(story).examples
    assert finding.why == "Its status was set back, from `read` to `sent`."
    assert finding.at_ns == ns(7)


@pytest.mark.parametrize("events", [
    [told(READ, 5, at=6), told(DELIVERED, 7, at=5)],  # Realtime swapped them, or the clock was set back
    [told(READ, 5), told(DELIVERED, 5)],  # in one millisecond
    [told(READ, 5), told(DELIVERED, 5), told(DELIVERED, 5.3, person=0)],  # and later than that elsewhere
    [told(READ, 5, at=8, person=0), told(DELIVERED, 7)],  # on two subscriptions, and late
])  # fmt: skip
def test_events_in_no_certain_order_set_nothing_back(events: list[Event]) -> None:
    story = looked((30, READ))
    story.events = sorted(events, key=lambda event: event.at)
    assert regressed(story).examples == ()


def test_events_on_two_subscriptions_are_in_order_when_the_first_had_come_before_the_second_was_committed() -> (
    None
):
    story = looked((30, READ))
    story.events = [told(READ, 5, person=0), told(DELIVERED, 7)]
    assert regressed(story).observed == 1


@pytest.mark.parametrize(("committed", "faults"), [(6, 0), (7, 1)])
def test_a_status_that_a_look_saw_and_a_later_event_shows_set_back_is_found(
    committed: float, faults: int
) -> None:
    """It is read again before the next look, and nobody was subscribed when it was first read."""
    story = looked((5, READ))
    story.events = [told(DELIVERED, committed), told(READ, committed + 0.4)]
    found = regressed(story)
    assert found.observed == faults
    assert [finding.at_ns for finding in found.examples] == [ns(committed)] * faults


@pytest.mark.parametrize(("came", "faults"), [(8.4, 1), (8.5, 0)])
def test_a_status_that_an_event_showed_and_a_later_look_found_set_back_is_found(
    came: float, faults: int
) -> None:
    """Read again by the look after that; the change back came to nobody."""
    story = looked((9, DELIVERED), (11, READ))
    story.events = [told(READ, 5, at=came)]
    found = regressed(story)
    assert [finding.at_ns for finding in found.examples] == [ns(9)] * faults


def test_a_commit_that_waits_for_a_standby_is_told_of_before_it_is_seen() -> None:
    """Its transaction is running still, by what the looks know of transactions."""
    story = looked((9, DELIVERED), (11, READ))
    story.events = [told(READ, 5)]
    story.polls[1].next_xid = story.polls[2].next_xid = story.polls[2].xmin = 1001
    assert regressed(story).observed == 0
    story.polls[1].xmin = 1001  # what ran at 9 s is not known to be anything older than that
    assert regressed(story).observed == 1


def test_where_nothing_is_known_of_transactions_half_a_second_is_enough() -> None:
    story = looked((9, DELIVERED), (11, READ))
    story.events = [told(READ, 5)]
    for poll in story.polls:
        poll.xmin = poll.next_xid = -1
    assert regressed(story).observed == 1


@pytest.mark.parametrize(("measured", "faults"), [({"there": True}, 1), ({"there": False}, 0), ({}, 0)])
def test_an_event_of_another_clock_counts_as_far_as_that_clock_was_measured(
    measured: dict[str, bool], faults: int
) -> None:
    story = looked((9, DELIVERED), (11, READ))
    story.processes, story.process_of = [Process("here"), Process("there")], [0, 1]
    story.ahead, story.measured = {"there": 500.0}, measured
    story.events = [told(READ, 5)]
    assert regressed(story).observed == faults


def test_a_look_that_came_to_no_end_knows_of_no_order() -> None:
    story = looked((9, DELIVERED), (11, READ))
    story.events = [told(READ, 5)]
    story.polls[1].kind = PollKind.FAILED
    assert regressed(story).observed == 0


def test_of_looks_that_were_not_all_written_down_the_last_does_not_tell_that_nothing_changed() -> None:
    story = looked()
    story.events = [told(READ, 20)]
    assert regressed(story).observed == 1
    story.monitor.lost = ("observations",)
    assert regressed(story).observed == 0


def test_what_was_gone_did_not_keep_its_status() -> None:
    """Read and removed between two looks."""
    story = looked((10, None))
    story.messages[0].looks.append(Look(1, ObservedChange.GONE))
    story.events = [told(READ, 9, at=9.2)]
    assert regressed(story).observed == 0


def test_sockets_are_numbered_in_each_process() -> None:
    story = looked((30, READ))
    story.processes, story.process_of = [Process(), Process()], [0, 1]
    story.events = [told(READ, 5, at=8, person=0), told(DELIVERED, 7)]
    for event in story.events:
        event.socket = 0
    assert regressed(story).observed == 0


def test_what_an_event_told_on_another_machine_is_dated_by_the_run_s_clock() -> None:
    story = looked((30, READ))
    story.processes, story.process_of = [Process("here"), Process("there")], [0, 1]
    story.ahead, story.measured = {"there": 500.0}, {"there": True}
    story.events = [told(READ, 5), told(SENT, 7)]
    (finding,) = regressed(story).examples
    assert finding.at_ns == pytest.approx(ns(7), abs=10**8)


def test_what_was_seen_after_the_last_sweep_is_not_what_the_sweep_saw() -> None:
    story = looked((30, None))
    story.events = [told(READ, 32)]
    story.polls[1].kind, story.polls[2].kind = PollKind.SWEEP, PollKind.POLL
    assert regressed(story).observed == 0
    story.polls[1].kind, story.polls[2].kind = PollKind.POLL, PollKind.SWEEP
    assert regressed(story).observed == 1


def test_a_look_that_was_cut_off_while_it_was_written_hides_nothing() -> None:
    """The monitor was killed: its rows of that look are there, and the look itself is not."""
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(0, chat, at=1.0, seq=1)
    run.store(message)
    run.status(message, READ, 3.0)
    run.status(message, SENT, 5.0)
    another = run.send(0, chat, at=6.0, seq=2)
    run.polls += 1
    run.observe(another, 6.5)
    (found,) = (
        one for one in audit(run.evidence(), delivered_within_s=5).criteria if one.id == "status.regressed"
    )
    assert [one.message_id for one in found.examples] == [str(message.id)]


def looked_late(asked: float | None) -> Story:
    """A look whose snapshot, at 11, was 5 s on its way: it saw what an event told to be delivered half a second later."""
    story = looked((17, DELIVERED))
    story.polls.insert(1, Poll(PollKind.POLL, 16, 0, 11, xmin=1020, next_xid=1020, asked=asked))
    story.polls[0].asked = None if asked is None else story.polls[0].at
    story.messages[0].looks = [Look(1, ObservedChange.APPEARED), Look(2, ObservedChange.CHANGED, DELIVERED)]
    for poll in story.polls[2:]:
        poll.xmin = poll.next_xid = 1030
        poll.asked = None if asked is None else poll.at
    story.events = [told(DELIVERED, 11.5, at=11.6)]
    return story


@pytest.mark.parametrize("asked", [10.9, None])
def test_a_look_whose_answer_was_held_up_saw_what_was_there_when_it_was_asked_for(
    asked: float | None,
) -> None:
    """Of a record that does not tell when that was, a look that seems to be late by the database's clock proves nothing."""
    assert regressed(looked_late(asked)).examples == ()


def test_a_look_that_was_asked_for_after_an_event_had_come_and_still_saw_less_saw_it_set_back() -> None:
    story = looked_late(11.7)
    story.polls[1].database = 12
    assert regressed(story).observed == 1


def test_a_look_that_was_held_up_leaves_commit_times_of_use() -> None:
    assert regressed(looked_late(10.9)).facts == {}
    assert regressed(looked_late(None)).facts == {"commit_times_unused": 1}
