"""Promise: an event of a chat outside the run, or of none, came to somebody who had not asked for it, whatever is stored there."""

import uuid
from typing import Any

import pytest

from analysis.checks import phantom as module
from analysis.checks.account import account_for
from analysis.checks.subscriptions import subscriptions
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, ObservedChange, SocketEvent
from analysis.record.tables import EVENTS
from tests.analysis.histories import History, Message

WRITER, READER, STRANGER = 0, 1, 9
OUTSIDE = 50  # a chat that the run does not have
ASTRAY = "names no chat of the run"


def talk(baseline: int = 0) -> tuple[History, Message]:
    """Two people, subscribed to their chat, and a message there that both got."""
    run = History(people=2)
    run.chat(WRITER, READER, baseline=baseline)
    hello = run.send(WRITER, 0, 1.0, seq=baseline + 1)
    run.store(hello)
    run.deliver(hello)
    return run, hello


def unknown(sender: int, seq: int | None = 5) -> Message:
    """A message that neither a look nor an answer told of."""
    return Message(sender, 0, "unknown", uuid.UUID(int=1), uuid.UUID(int=2), seq, 5.0)


def told(run: History, message: Message, chat: int | None, kind: EventType, **shown: Any) -> None:
    """The reader gets an event; `chat` None: it names none."""
    run.event(message, READER, 5.0, type=kind, chat=chat, **shown)
    if chat is None:
        place = EVENTS.get_field_index("chat_id")
        event = run.rows["events"][-1]
        run.rows["events"][-1] = (*event[:place], None, *event[place + 1 :])


def judged(run: History, *, last_look: bool = True) -> Criterion:
    if last_look:
        run.finish(80.0)
    account = account_for(run.evidence())
    return module.phantom(account, subscriptions(account))


@pytest.mark.parametrize("sender", [WRITER, READER, STRANGER])
@pytest.mark.parametrize(
    ("chat", "kind", "astray"),
    [
        (OUTSIDE, EventType.INSERT, True),
        (OUTSIDE, EventType.UPDATE, True),
        (OUTSIDE, EventType.DELETE, False),  # of whom a deletion is told Realtime does not ask
        (None, EventType.INSERT, True),
        (None, EventType.UPDATE, False),  # it need not repeat what did not change
        (None, EventType.DELETE, False),  # it has the key and nothing else
    ],
)
def test_an_event_of_no_chat_of_the_run_is_a_finding(
    chat: int | None, kind: EventType, astray: bool, sender: int
) -> None:
    run, _ = talk()
    told(run, unknown(sender), chat, kind)
    found = judged(run)
    assert [ASTRAY in one.why for one in found.examples] == [True] * astray
    assert found.outcome is (Verdict.FAIL if astray else Verdict.PASS)
    for one in found.examples:
        assert (one.message_id, one.recipient_id) == (
            str(unknown(sender).id),
            str(run.person_id(READER)),
        )
        assert one.chat_id == (None if chat is None else str(run.chat_id(chat)))


def test_nobody_has_to_know_what_is_stored_to_tell_so() -> None:
    run, _ = talk()
    told(run, unknown(STRANGER), OUTSIDE, EventType.INSERT)
    assert judged(run, last_look=False).observed == 1


@pytest.mark.parametrize("kind", [EventType.INSERT, EventType.UPDATE])
def test_a_deletion_does_not_make_it_right(kind: EventType) -> None:
    run, _ = talk()
    told(run, unknown(STRANGER), OUTSIDE, kind)
    told(run, unknown(STRANGER), None, EventType.DELETE)
    assert judged(run).observed == 1


def test_a_message_from_before_the_run_may_be_updated_in_its_chat_only() -> None:
    run, _ = talk(baseline=7)
    told(run, unknown(WRITER), 0, EventType.UPDATE)
    told(run, unknown(WRITER), None, EventType.UPDATE)
    assert judged(run).outcome is Verdict.PASS
    told(run, unknown(WRITER), OUTSIDE, EventType.UPDATE)
    assert judged(run).observed == 1


@pytest.mark.parametrize(("chat", "astray"), [(0, False), (OUTSIDE, True), (None, True)])
def test_a_message_of_a_stranger_that_a_look_saw_is_shown_in_a_chat_of_the_run(
    chat: int | None, astray: bool
) -> None:
    run, _ = talk()
    theirs = unknown(STRANGER)
    run.poll(6.0)
    run.observe(theirs, 6.0)
    told(run, theirs, chat, EventType.INSERT)
    assert judged(run).observed == astray


@pytest.mark.parametrize("chat", [OUTSIDE, None])
def test_of_a_message_of_the_run_the_chat_in_which_it_is_stored_says_more(chat: int | None) -> None:
    run, hello = talk()
    told(run, hello, chat, EventType.INSERT, text="other")
    assert ["in another chat than is stored" in one.why for one in judged(run).examples] == [True]


def test_a_message_that_was_moved_out_of_the_run_is_shown_to_nobody_there() -> None:
    run, hello = talk()
    run.poll(4.0)
    run.observe(hello, 4.0, chat=OUTSIDE, change=ObservedChange.CHANGED)
    told(run, hello, OUTSIDE, EventType.UPDATE, seq=9)
    assert [ASTRAY in one.why for one in judged(run).examples] == [True]


def test_on_a_socket_that_left_its_chat_it_is_as_wrong() -> None:
    run, _ = talk()
    run.socket(READER, SocketEvent.UNSUBSCRIBED, 2.0, chat=0)
    told(run, unknown(STRANGER), OUTSIDE, EventType.INSERT)
    assert [ASTRAY in one.why for one in judged(run).examples] == [True]
