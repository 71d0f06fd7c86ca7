"""Promise: people whom the server would not serve any more do not disappear from the account."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import PagePurpose, PollKind, SocketEvent
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History, Message

REFUSED_AT, LATER = 2.0, 3.0


def realtime_missed(run: History) -> Criterion:
    (found,) = [
        one for one in audit(run.evidence(), delivered_within_s=5).criteria if one.id == "realtime.missed"
    ]
    return found


def lost_subscription() -> tuple[History, int]:
    """Person 1 loses the subscription to the chat, and stays without until the drain is over."""
    run = History(people=2)
    chat = run.chat(0, 1)
    run.socket(1, SocketEvent.UNSUBSCRIBED, REFUSED_AT, chat=chat)
    run.socket(1, SocketEvent.CLOSED, REFUSED_AT)
    return run, chat


def end(run: History, chat: int) -> None:
    run.socket(0, SocketEvent.FINISHED, 100.0, chat=chat)
    run.socket(1, SocketEvent.GAVE_UP, 100.0, chat=chat)
    run.poll(101.0)
    run.finish(101.0)


def test_what_was_sent_to_somebody_who_could_not_come_back_is_missed() -> None:
    run, chat = lost_subscription()
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello, None, 0)
    end(run, chat)
    missed = realtime_missed(run)
    assert missed.outcome is Verdict.FAIL
    (finding,) = missed.examples
    assert (finding.message_id, finding.recipient_id) == (str(hello.id), str(run.person_id(1)))
    assert "could not get a lost subscription" in finding.why


def test_it_is_missed_also_where_the_sender_s_clock_was_never_compared() -> None:
    """What had come before tells that they were there, and a look that it was stored before they gave up."""
    run, chat = lost_subscription()
    early, late = run.send(0, chat, at=1.0, seq=1), run.send(0, chat, at=LATER, seq=2)
    for message in (early, late):
        run.store(message)
    run.deliver(early)
    run.deliver(late, None, 0)
    end(run, chat)
    (missed,) = [
        one
        for one in audit(on_two_machines(run, (0,), error_s=None), delivered_within_s=5).criteria
        if one.id == "realtime.missed"
    ]
    assert [finding.seq for finding in missed.examples] == [2]
    assert missed.facts["undecided"] == 0


def test_what_they_read_in_history_is_not_missed() -> None:
    run, chat = lost_subscription()
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello, None, 0)
    run.page(1, chat, 50.0, [hello], purpose=PagePurpose.CATCH_UP)
    end(run, chat)
    assert realtime_missed(run).outcome is Verdict.PASS


def test_what_they_had_before_is_not_missed() -> None:
    run, chat = lost_subscription()
    hello = run.send(0, chat, at=1.0)
    run.store(hello, seq=1)
    run.deliver(hello)
    end(run, chat)
    assert realtime_missed(run).outcome is Verdict.PASS


def test_a_killed_process_promises_nothing() -> None:
    """Nobody gave up there: the tool itself was gone, which `record.complete` tells."""
    run, chat = lost_subscription()
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello, None, 0)
    run.socket(0, SocketEvent.FINISHED, 100.0, chat=chat)
    run.finish(101.0)
    assert realtime_missed(run).outcome is Verdict.PASS


@pytest.mark.parametrize(
    "steps",
    [
        [SocketEvent.GAVE_UP],
        [SocketEvent.JOINED],
        [SocketEvent.REFUSED],
        [SocketEvent.JOINED, SocketEvent.GAVE_UP],
    ],
)
def test_somebody_who_was_never_let_in_leaves_it_open(steps: list[SocketEvent]) -> None:
    """Refused, or never confirmed; whether or not their process lived to say that they gave up."""
    run = History(people=3)
    chat = run.chat(0, 1, 2, subscribed=None)
    for person in (0, 1):
        run.socket(person, SocketEvent.SUBSCRIBED, 0.0, chat=chat)
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello, None, 0, 1)
    for step in steps:
        run.socket(2, step, 50.0, chat=chat)
    for person in (0, 1):
        run.socket(person, SocketEvent.FINISHED, 100.0, chat=chat)
    run.poll(101.0, PollKind.SWEEP)
    missed = realtime_missed(run)
    assert missed.outcome is Verdict.INCONCLUSIVE
    assert missed.reason is not None
    assert "1 subscription of people to their chats could not be had" in missed.reason


def test_who_was_refused_at_first_and_let_in_later_leaves_nothing_open() -> None:
    run = History(people=2)
    chat = run.chat(0, 1, subscribed=None)
    run.socket(0, SocketEvent.SUBSCRIBED, 0.0, chat=chat)
    for step, at in ((SocketEvent.JOINED, 0.0), (SocketEvent.REFUSED, 1.0), (SocketEvent.SUBSCRIBED, 2.0)):
        run.socket(1, step, at, chat=chat)
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello)
    run.finish(101.0)
    assert realtime_missed(run).outcome is Verdict.PASS


def test_who_never_asked_leaves_nothing_open() -> None:
    """There are people for more users than were started."""
    run = History(people=3)
    chat = run.chat(0, 1, 2, subscribed=None)
    for person in (0, 1):
        run.socket(person, SocketEvent.SUBSCRIBED, 0.0, chat=chat)
    hello = run.send(0, chat, at=LATER)
    run.store(hello, seq=1)
    run.deliver(hello, None, 0, 1)
    run.poll(101.0, PollKind.SWEEP)
    for person in (0, 1):
        run.socket(person, SocketEvent.FINISHED, 100.0, chat=chat)
    assert realtime_missed(run).outcome is Verdict.PASS


def gone_early(run: History, chat: int) -> None:
    """Person 1 could not come back, and left for good at 20 s: the number of users fell. The others go on."""
    run.socket(1, SocketEvent.CLOSED, 10.0)
    run.socket(1, SocketEvent.GAVE_UP, 20.0, chat=chat)


def heard_by_the_others(run: History, chat: int, at: float, seq: int) -> Message:
    message = run.send(0, chat, at=at, seq=seq)
    run.store(message)
    run.deliver(message, None, 0, 2)
    return message


def missed_when_the_others_have_ended(run: History, chat: int) -> Criterion:
    for person in (0, 2):
        run.socket(person, SocketEvent.FINISHED, 100.0, chat=chat)
    run.poll(101.0, PollKind.SWEEP)
    return realtime_missed(run)


def test_what_was_sent_after_they_had_left_for_good_is_owed_to_nobody() -> None:
    run = History(people=3)
    chat = run.chat(0, 1, 2)
    gone_early(run, chat)
    for at, seq in ((15.0, 1), (60.0, 2)):
        heard_by_the_others(run, chat, at, seq)
    missed = missed_when_the_others_have_ended(run, chat)
    assert [(one.seq, one.recipient_id) for one in missed.examples] == [(1, str(run.person_id(1)))]


def test_who_comes_again_and_goes_in_good_order_is_owed_nothing_afterwards() -> None:
    run = History(people=3)
    chat = run.chat(0, 1, 2)
    gone_early(run, chat)
    run.socket(1, SocketEvent.SUBSCRIBED, 30.0, chat=chat, socket=7)
    there = heard_by_the_others(run, chat, 35.0, 1)
    run.event(there, 1, 35.2, socket=7)
    run.socket(1, SocketEvent.FINISHED, 40.0, chat=chat, socket=7, seq=1)
    heard_by_the_others(run, chat, 60.0, 2)
    missed = missed_when_the_others_have_ended(run, chat)
    assert (missed.examples, missed.checked) == ((), 5)
