"""Promise: what is told while the run goes on is certain: an event that may lie is believed only where an answer vouches for it."""

import uuid
from typing import Any

import pytest

from analysis.record.codes import AttemptKind, Guise, Way
from locustfiles.clients import watch as module
from locustfiles.clients.answered import GENERATION, Answered
from locustfiles.clients.channel import OUT_OF_ORDER, TWICE, Wrong
from locustfiles.clients.events import Row
from locustfiles.clients.guises import Attempt
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.watch import MOST_AWAITED, MOST_SOUGHT, Watch

CHAT, OTHER_CHAT, MINE, THEIRS, ME, SENDER = (str(uuid.UUID(int=number)) for number in range(1, 7))
AGAIN = Wrong(TWICE)
LATE = Wrong(OUT_OF_ORDER, ((THEIRS, 8),))


def row(message_id: str | None = MINE, seq: int | None = 7, chat_id: str | None = CHAT) -> Row:
    return Row(id=message_id, chat_id=chat_id, seq=seq, sender_id=SENDER)


def told(watch: Watch) -> list[dict[str, Any]]:
    watch.look_again()
    return [one["finding"] for one in watch.notices.take(0.0)]


def test_a_repetition_is_told_with_all_that_is_known_of_it() -> None:
    watch = Watch()
    watch.answered.note(MINE, CHAT, 7)
    watch.event(AGAIN, row(), ME)
    assert told(watch) == [
        {
            "criterion": "realtime.duplicated",
            "why": f"Message {MINE}, seq 7 of chat {CHAT}: it came to {ME} again on the same subscription.",
            "chat_id": CHAT,
            "seq": 7,
            "message_id": MINE,
            "sender_id": SENDER,
            "recipient_id": ME,
        }
    ]
    assert told(watch) == []


def test_an_answer_may_come_after_its_events() -> None:
    watch = Watch()
    watch.event(AGAIN, row(), ME)
    assert told(watch) == []
    watch.answered.note(MINE, CHAT, 7)
    assert [one["criterion"] for one in told(watch)] == ["realtime.duplicated"]
    assert told(watch) == []


def test_messages_of_others_are_sought_as_long_as_their_answers_are_awaited() -> None:
    watch, elsewhere = Watch(), Watch()
    elsewhere.answered.note(MINE, CHAT, 7)
    elsewhere.answered.note(THEIRS, CHAT, 8)
    watch.event(LATE, row(), ME)
    watch.event(LATE, row(), SENDER)
    assert watch.sought() == [MINE, THEIRS]
    for message in watch.sought():
        answer = elsewhere.answered.of(message)
        assert answer is not None
        watch.answered.note(message, *answer)
    assert [one["criterion"] for one in told(watch)] == 2 * ["realtime.reordered"]
    assert watch.sought() == []


def test_a_flood_asks_for_no_more_than_some() -> None:
    watch = Watch()
    for number in range(MOST_AWAITED):
        watch.event(AGAIN, row(str(uuid.UUID(int=number))), ME)
    assert len(watch.sought()) == MOST_SOUGHT


def test_nobody_waits_for_an_answer_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AWAITED_S", 0.0)
    watch = Watch()
    for _ in range(2 * MOST_AWAITED):
        watch.event(AGAIN, row(), ME)
    assert len(watch._open) == MOST_AWAITED
    assert told(watch) == []
    assert watch._open == []


@pytest.mark.parametrize("answer", [(MINE, CHAT, 6), (MINE, OTHER_CHAT, 7), (THEIRS, CHAT, 7)])
def test_an_event_that_shows_other_than_was_answered_proves_nothing(answer: tuple[str, str, int]) -> None:
    watch = Watch()
    watch.answered.note(*answer)
    watch.event(AGAIN, row(), ME)
    assert told(watch) == []


def test_an_order_takes_the_word_of_both_answers() -> None:
    watch = Watch()
    watch.answered.note(MINE, CHAT, 7)
    watch.event(LATE, row(), ME)
    assert told(watch) == []
    watch.answered.note(THEIRS, CHAT, 8)
    (one,) = told(watch)
    assert one["criterion"] == "realtime.reordered"
    assert (
        one["why"] == f"Message {MINE}, seq 7 of chat {CHAT}: it came to {ME} after seq 8 of the same chat."
    )


def test_a_later_message_with_another_seq_than_was_answered_overtook_nobody() -> None:
    watch = Watch()
    watch.answered.note(MINE, CHAT, 7)
    watch.answered.note(THEIRS, CHAT, 6)
    watch.event(LATE, row(), ME)
    assert told(watch) == []


@pytest.mark.parametrize(
    ("event", "recipient", "count"),
    [
        (row(), ME, 1),
        (row(), SENDER, 0),
        (row(chat_id=OTHER_CHAT), ME, 1),  # no chat of this run
        (row(chat_id=OTHER_CHAT), SENDER, 1),
        (row(chat_id="42"), ME, 0),
        (row(chat_id=None), ME, 0),
        (row(message_id=None), ME, 0),
        (row(message_id="42"), ME, 0),
    ],
)
def test_an_event_of_a_chat_to_somebody_whom_it_does_not_concern_is_told(
    event: Row, recipient: str, count: int
) -> None:
    watch = Watch({CHAT: (SENDER, THEIRS)})
    watch.stray(event, recipient)
    found = told(watch)
    assert [one["criterion"] for one in found] == ["realtime.phantom"] * count
    whom = (
        "who is not in the chat." if event.chat_id == CHAT else "who had subscribed to chats of the run only."
    )
    assert all(one["why"].endswith(f"came to {recipient}, {whom}") for one in found)


def test_who_does_not_know_the_chats_of_the_run_tells_of_none_outside() -> None:
    watch = Watch()
    watch.stray(row(chat_id=OTHER_CHAT), ME)
    assert told(watch) == []


def test_a_page_of_history_is_looked_at() -> None:
    watch = Watch()
    watch.page(ME, CHAT, 20, [Stored(MINE, 9, SENDER), Stored(THEIRS, 8), Stored(MINE, 9, SENDER)])
    (one,) = told(watch)
    assert one["criterion"] == "history.pages"
    assert (one["message_id"], one["seq"], one["recipient_id"]) == (MINE, 9, ME)
    assert (
        one["why"]
        == f"Message {MINE}, seq 9 of chat {CHAT}: it stood twice on a page of history, read by {ME}."
    )


@pytest.mark.parametrize(
    ("tried", "got", "message_id", "let"),
    [
        (Attempt(AttemptKind.READ, Guise.OUTSIDER, Way.APP, elsewhere=True), 3, MINE, True),
        (Attempt(AttemptKind.READ, Guise.OUTSIDER, Way.APP, elsewhere=True), 0, None, False),
        (Attempt(AttemptKind.LATEST, Guise.NO_TOKEN, Way.REST, elsewhere=True), -1, None, False),
        (Attempt(AttemptKind.SUBSCRIBE, Guise.ANON_KEY, Way.REALTIME, elsewhere=True), None, None, False),
        (Attempt(AttemptKind.SEND, Guise.OUTSIDER, Way.APP, elsewhere=True), None, MINE, True),
        (Attempt(AttemptKind.SEND, Guise.OUTSIDER, Way.APP, elsewhere=True), None, "42", False),
        (Attempt(AttemptKind.SEND, Guise.OUTSIDER, Way.APP, elsewhere=True), None, None, False),
        (Attempt(AttemptKind.SEND, Guise.ANOTHER_PERSON, Way.APP, elsewhere=True), None, MINE, True),
        # Right, if it is stored under the sender's own name.
        (Attempt(AttemptKind.SEND, Guise.ANOTHER_PERSON, Way.REST, elsewhere=False), None, MINE, False),
        (Attempt(AttemptKind.SEND, Guise.ANOTHER_PERSON, Way.APP, elsewhere=False), None, MINE, False),
    ],
)
def test_what_somebody_was_let_is_told(
    tried: Attempt, got: int | None, message_id: str | None, let: bool
) -> None:
    watch = Watch()
    assert watch.granted(tried, ME, CHAT, got, message_id) is let
    assert [one["criterion"] for one in told(watch)] == ["access.denied"] * let


def test_what_somebody_was_let_is_told_in_the_words_of_the_verdict() -> None:
    watch = Watch()
    watch.granted(Attempt(AttemptKind.READ, Guise.OUTSIDER, Way.REST, elsewhere=True), ME, CHAT, 3, MINE)
    (one,) = told(watch)
    assert one["why"] == (
        f"Chat {CHAT}, message {MINE}, person {ME}: Somebody who is not in it tried to read the messages of this chat "
        "through Supabase's REST interface, and was let: 3 messages came back."
    )


def test_answers_are_remembered_for_a_while_only() -> None:
    answered = Answered()
    for number in range(3 * GENERATION):
        answered.note(str(number), CHAT, number)
    assert answered.told(str(2 * GENERATION), CHAT, 2 * GENERATION)
    assert not answered.told("0", CHAT, 0)
    assert not answered.told(None, CHAT, 0)
