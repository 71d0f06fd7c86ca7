"""Promise: an event may show what its message ever was, to people who may see it, and nothing else."""

import uuid
from typing import Any

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, ObservedChange, Outcome, PollKind, SocketEvent
from analysis.record.tables import EVENTS
from tests.analysis.histories import History, Message

PHANTOM = "realtime.phantom"
STRANGER = 9


def found(run: History, criterion: str = PHANTOM) -> Criterion:
    run.finish(80.0)
    (one,) = (one for one in audit(run.evidence(), 5).criteria if one.id == criterion)
    return one


def failed(run: History) -> set[str]:
    run.finish(80.0)
    return {one.id for one in audit(run.evidence(), 5).criteria if one.outcome is Verdict.FAIL}


def said_hello(people: int = 2, **chat: Any) -> tuple[History, Message]:
    """A chat of all these people, another of the first two, and a message in the first, stored and not delivered yet."""
    run = History(people=people)
    run.chat(*range(people), **chat)
    run.chat(0, 1)
    hello = run.send(0, 0, 1.0, seq=1 + chat.get("baseline", 0))
    run.store(hello)
    return run, hello


# Each field


@pytest.mark.parametrize(("shown", "sentence"), [
    ({"sender": 1}, "with another sender than is stored"),
    ({"chat": 1}, "in another chat than is stored"),
    ({"seq": 7}, "with another seq than is stored"),
    ({"text": "other"}, "or with another text"),
    ({"textless": True}, "without a text"),
])  # fmt: skip
@pytest.mark.parametrize("kind", [EventType.INSERT, EventType.UPDATE])
def test_every_field_of_an_event_is_held_against_the_row(
    shown: dict[str, Any], sentence: str, kind: EventType
) -> None:
    run, hello = said_hello()
    run.deliver(hello)
    run.event(hello, 1, 2.0, type=EventType.UPDATE)
    assert found(run).outcome is Verdict.PASS
    run, hello = said_hello()
    run.event(hello, 0, 1.2, type=kind, **shown)
    phantom = found(run)
    if kind is EventType.UPDATE and "textless" in shown:  # an UPDATE need not repeat what did not change
        assert phantom.outcome is Verdict.PASS
    else:
        assert [sentence in finding.why for finding in phantom.examples] == [True]


def without_a_seq(run: History) -> None:
    """The last event told none."""
    place = EVENTS.get_field_index("seq")
    event = run.rows["events"][-1]
    run.rows["events"][-1] = (*event[:place], None, *event[place + 1 :])


@pytest.mark.parametrize("kind", [EventType.INSERT, EventType.UPDATE])
@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("stored", [True, False])
def test_an_insert_tells_the_seq_where_others_do(kind: EventType, numbered: bool, stored: bool) -> None:
    """But for what a look saw without one."""
    run, hello = said_hello()
    if not stored:
        run.poll(2.0)
        hello.seq = None
        run.observe(hello, 2.0, change=ObservedChange.CHANGED)
        hello.seq = 1
    run.event(hello, 0, 1.2)
    if not numbered:
        without_a_seq(run)
    run.event(hello, 1, 1.2, type=kind)
    without_a_seq(run)
    assert found(run).observed == (kind is EventType.INSERT and numbered and stored)


@pytest.mark.parametrize(
    ("at", "gone", "false"), [(2.0, None, True), (2.0, 4.0, False), (80.95, None, False)]
)
def test_what_is_said_to_be_deleted_is_not_found_by_every_later_look(
    at: float, gone: float | None, false: bool
) -> None:
    """The last look is at 81 s, and was taken a moment before."""
    run, hello = said_hello()
    run.deliver(hello)
    run.event(hello, 1, at, type=EventType.DELETE)
    if gone is not None:
        run.poll(gone)
        run.observe(hello, gone, change=ObservedChange.GONE)
        run.poll(gone + 1)
        run.observe(hello, gone + 1)
    phantom = found(run)
    assert [one.message_id for one in phantom.examples] == [str(hello.id)] * false
    assert all("every later look found it stored" in one.why for one in phantom.examples)
    assert phantom.checked == 3


def test_an_event_that_shows_a_chat_outside_the_run_is_in_the_wrong_chat() -> None:
    run, hello = said_hello()
    run.event(hello, 0, 1.2, chat=50)
    assert [finding.message_id for finding in found(run).examples] == [str(hello.id)]


def test_a_message_shown_in_another_chat_does_not_put_that_chat_out_of_order() -> None:
    run, hello = said_hello()
    for seq in range(2, 9):
        hello = run.send(0, 0, float(seq), seq=seq)
        run.store(hello)
        run.deliver(hello)
    early = run.send(0, 1, 8.1, seq=1)
    run.store(early)
    run.event(hello, 1, 8.2, chat=1)
    run.deliver(early, 8.3)
    assert failed(run) == {PHANTOM, "realtime.missed"}  # the first message, which nobody got


@pytest.mark.parametrize("exists", [True, False])
def test_events_are_counted_by_the_chat_of_their_message_where_it_has_one(exists: bool) -> None:
    run, hello = said_hello()
    run.chat(0, 1)
    for chat in (1, 2):
        run.event(hello if exists else ghost(), 1, 5.0 + chat, chat=chat)
    (kind,) = found(run).found.largest
    assert (kind.count, kind.chats) == (2, 1 if exists else 2)
    assert kind.worst_chat == str(run.chat_id(0 if exists else 1))


# What it ever was


@pytest.mark.parametrize(("changed", "shown"), [
    ({"text": "B"}, {"text": "B"}),
    ({"sender": 1}, {"sender": 1}),
    ({"chat": 1}, {"chat": 1}),
    ({"seq": 4}, {"seq": 4}),
])  # fmt: skip
def test_what_a_look_saw_and_what_was_sent_may_be_shown(
    changed: dict[str, Any], shown: dict[str, Any]
) -> None:
    run, hello = said_hello()
    run.event(hello, 0, 1.2)
    for at, change in ((5.5, changed), (7.5, {"text": "last", "seq": 5})):
        run.poll(at)
        run.observe(hello, at, change=ObservedChange.CHANGED, **change)
    run.event(hello, 1, 5.2, type=EventType.UPDATE, **shown)
    assert found(run).outcome is Verdict.PASS
    run.event(hello, 1, 5.3, type=EventType.UPDATE, seq=6)
    assert found(run).observed == 1


@pytest.mark.parametrize("changed", [{"text": "B"}, {"sender": 1}, {"chat": 1}])
def test_what_was_sent_may_be_shown_though_no_look_saw_it_so(changed: dict[str, Any]) -> None:
    run, _ = said_hello()
    second = run.send(0, 0, 2.0, seq=2)
    run.store(second, **changed)
    run.event(second, 0, 2.1)
    assert found(run).outcome is Verdict.PASS


def test_what_an_answer_told_may_be_shown() -> None:
    run, hello = said_hello()
    run.repeat(hello, 2.0, answered_seq=3)
    run.repeat(hello, 3.0, answered_seq=4, outcome=Outcome.FAIL)
    run.event(hello, 0, 2.2, seq=3)
    assert found(run).outcome is Verdict.PASS
    run.event(hello, 1, 2.2, seq=4)
    assert found(run).observed == 1


def test_a_row_that_lost_its_text_may_be_shown_without() -> None:
    run, hello = said_hello()
    run.poll(3.0)
    run.observe(hello, 3.0, change=ObservedChange.CHANGED)
    place = len(run.rows["observations"]) - 1
    run.rows["observations"][place] = (
        *run.rows["observations"][place][:10],
        None,
        *run.rows["observations"][place][11:],
    )
    run.event(hello, 0, 1.2)
    run.event(hello, 1, 3.2, textless=True)
    assert found(run).outcome is Verdict.PASS


def test_a_number_that_somebody_changed_later_does_not_put_events_out_of_order() -> None:
    run = History(people=2)
    run.chat(0, 1)
    sent = [run.send(0, 0, 1.0 + seq, seq=seq) for seq in range(1, 5)]
    for message in sent:
        run.store(message)
        run.deliver(message)
    run.poll(8.0)
    run.observe(sent[1], 8.0, seq=9, change=ObservedChange.CHANGED)
    for person in (0, 1):
        run.event(sent[1], person, 7.9, seq=9, type=EventType.UPDATE)
    assert not failed(run) & {PHANTOM, "realtime.reordered"}


@pytest.mark.parametrize("seq", [9, None])
def test_a_number_that_the_message_never_had_is_a_phantom_s_and_tells_no_order(seq: int | None) -> None:
    run, hello = said_hello()
    second = run.send(0, 0, 2.0, seq=2)
    run.store(second)
    if seq is None:
        hello.seq = None
    run.event(hello, 1, 1.2, seq=seq)
    run.event(second, 1, 2.2)
    assert found(run, "realtime.reordered").outcome is Verdict.PASS
    assert found(run, "realtime.reordered").checked == 1


# What no look saw


def ghost(sender: int = 0, seq: int = 2) -> Message:
    return Message(sender, 0, "ghost", uuid.UUID(int=1), uuid.UUID(int=2), seq, 5.0)


def test_an_event_of_a_message_that_was_deleted_between_two_looks_is_right() -> None:
    for sender in (0, STRANGER):
        run, hello = said_hello()
        run.deliver(hello)
        for person in (0, 1):
            run.event(ghost(sender), person, 5.0)
        run.event(ghost(sender), 0, 5.4, type=EventType.DELETE)
        assert (found(run).outcome, found(run).facts["unseen_of_others"]) == (Verdict.PASS, 0)


def test_a_message_of_somebody_else_that_no_look_saw_is_blamed_on_nobody_and_leaves_it_open() -> None:
    run, hello = said_hello()
    run.deliver(hello)
    run.event(ghost(STRANGER), 1, 5.0)
    phantom = found(run)
    assert (phantom.outcome, phantom.observed) == (Verdict.INCONCLUSIVE, 0)
    assert phantom.facts["unseen_of_others"] == 1
    assert "1 event showed messages that no look at the database saw, of people who are no users" in (
        phantom.reason or ""
    )


def test_a_message_of_the_run_that_no_look_saw_is_a_phantom() -> None:
    run, _ = said_hello()
    run.event(ghost(), 1, 5.0)
    assert found(run).observed == 1


@pytest.mark.parametrize(("kind", "seq", "wrong"), [
    (EventType.UPDATE, 7, 0),
    (EventType.UPDATE, 8, 1),
    (EventType.INSERT, 7, 1),
])  # fmt: skip
def test_messages_from_before_the_run_are_updated_and_not_inserted(
    kind: EventType, seq: int, wrong: int
) -> None:
    run, hello = said_hello(baseline=7)
    run.deliver(hello)
    run.event(ghost(seq=seq), 1, 5.0, type=kind)
    assert found(run).observed == wrong


# To whom


@pytest.mark.parametrize(("after_s", "wrong"), [(0.0, 0), (8.0, 0), (10.0, 0), (10.1, 1)])
@pytest.mark.parametrize("kind", [EventType.INSERT, EventType.UPDATE])
def test_who_left_a_chat_gets_what_was_under_way_and_nothing_ten_seconds_later(
    after_s: float, wrong: int, kind: EventType
) -> None:
    run, hello = said_hello()
    run.deliver(hello)
    run.socket(1, SocketEvent.UNSUBSCRIBED, 2.0, chat=0)
    run.event(hello, 1, 2.0 + after_s, type=kind)
    phantom = found(run)
    assert phantom.observed == wrong
    assert all("more than 10 s after their subscription" in finding.why for finding in phantom.examples)


@pytest.mark.parametrize("again", [SocketEvent.JOINED, SocketEvent.SUBSCRIBED])
def test_who_joined_again_has_not_left(again: SocketEvent) -> None:
    run, hello = said_hello()
    run.socket(1, SocketEvent.UNSUBSCRIBED, 2.0, chat=0)
    run.event(hello, 1, 15.0)
    assert found(run).observed == 1
    run.socket(1, again, 20.0, chat=0)
    assert found(run).observed == 0


def test_only_the_channel_that_was_left_is_left() -> None:
    run, hello = said_hello()
    other = run.send(0, 1, 1.0, seq=1)
    run.store(other)
    run.socket(1, SocketEvent.SUBSCRIBED, 0.0, chat=0, socket=7)
    run.socket(1, SocketEvent.UNSUBSCRIBED, 2.0, chat=0)
    run.event(other, 1, 20.0)
    run.event(hello, 1, 20.0, socket=7)
    run.event(hello, 0, 20.0)
    assert found(run).observed == 0


def test_a_socket_that_was_closed_has_left_all_its_chats() -> None:
    run, hello = said_hello()
    run.socket(1, SocketEvent.CLOSED, 2.0)
    run.event(hello, 1, 20.0)
    assert found(run).observed == 1


def test_who_is_done_after_the_drain_has_not_left() -> None:
    run, hello = said_hello()
    run.socket(1, SocketEvent.FINISHED, 2.0, chat=0)
    run.event(hello, 1, 20.0)
    assert found(run).observed == 0


def test_without_a_last_look_nothing_is_unknown_yet_the_rest_is_judged() -> None:
    run, hello = said_hello(people=3)
    run.event(ghost(), 1, 5.0)
    run.event(hello, 1, 1.2, sender=2)
    run.poll(10.0, PollKind.FAILED)
    (phantom,) = (one for one in audit(run.evidence(), 5).criteria if one.id == PHANTOM)
    assert ["another sender" in finding.why for finding in phantom.examples] == [True]


@pytest.mark.parametrize(
    "shown", ["as it was sent", "without a text", "with another text", "by another", "elsewhere"]
)
def test_what_may_be_of_a_send_without_an_answer_is_blamed_on_nobody(shown: str) -> None:
    run, _ = said_hello()
    unanswered = run.send(0, 0, 4.0, outcome=Outcome.INFO, seq=2)
    as_shown: dict[str, dict[str, Any]] = {
        "without a text": {"textless": True},
        "with another text": {"text": "other"},
        "by another": {"sender": 1},
        "elsewhere": {"chat": 1},
    }
    run.event(unanswered, 1, 4.2, **as_shown.get(shown, {}))
    mine = shown in {"as it was sent", "without a text"}
    assert found(run).outcome is (Verdict.INCONCLUSIVE if mine else Verdict.FAIL)


def test_a_send_without_an_answer_that_a_look_saw_was_that_and_nothing_else() -> None:
    run, _ = said_hello()
    unanswered = run.send(0, 0, 4.0, outcome=Outcome.INFO, seq=2)
    run.store(unanswered)
    run.event(unanswered, 1, 4.2, id=uuid.uuid4())
    assert found(run).outcome is Verdict.FAIL
