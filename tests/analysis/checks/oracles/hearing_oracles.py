"""What each of `realtime.*` must say of a story, by nested loops."""

from itertools import pairwise

from analysis.record.codes import EventType, ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.hearing import CERTAIN_AFTER, Hearing
from tests.analysis.checks.oracles.history_oracles import fate_unknown
from tests.analysis.checks.oracles.story import Event, Message, Story, message_id, ns, person_id
from tests.analysis.checks.oracles.timekeeping import Moment


def missed(story: Story) -> Answer:
    """Owed by Realtime, and no event brought it."""
    hearing = Hearing(story)
    pairs = hearing.deliveries()
    lost = any(hearing.unreliable(process) for process in range(len(story.processes)))
    lacking = [one for one in pairs if one.owed and not one.arrived]
    unclear = [one for one in lacking if _restarted_around(story, one.message)]
    return Answer(
        [(str(message_id(one.message)), str(person_id(one.person))) for one in lacking if one not in unclear],
        checked=sum(one.owed for one in pairs),
        unseen=not hearing.last_look
        or lost
        or hearing.never_let_in()
        or bool(unclear)
        or any(one.undecided or one.unawaited or one.unread for one in pairs)
        or hearing.told_too_little(),
        facts={
            "around_restarts": len(unclear),
            "arrived": sum(one.arrived for one in pairs),
            "undecided": sum(one.undecided for one in pairs),
            "unawaited": sum(one.unawaited for one in pairs),
            "unread": sum(one.unread for one in pairs),
            "caught_up": sum(one.read and not one.arrived and not one.owed for one in pairs),
            "not_in_history": sum(one.by_history and not one.read and not one.arrived for one in pairs),
        },
    )


def _restarted_around(story: Story, message: int) -> bool:
    """Whether the server restarted so near to the first look at the message that its event may be lost."""
    seen = story.polls[story.messages[message].looks[0].poll].at
    looks = [poll for poll in story.polls if poll.server is not None]
    # Realtime may have been as far behind as a subscription may be with what it owes.
    if looks and story.polls[-1].kind is PollKind.FAILED and looks[-1].asked_by(0) - CERTAIN_AFTER <= seen:
        return seen <= story.polls[-1].at + 30  # it went away, and did not come back
    return any(
        later.server != before.server and before.asked_by(0) - CERTAIN_AFTER <= seen <= later.at + 30
        for before, later in pairwise(looks)
    )


def duplicated(story: Story) -> Answer:
    """Each further copy on one subscription; copies by another one are counted only."""
    hearing = Hearing(story)
    known = hearing.known_inserts()
    channels = hearing.channels(known)
    faults, elsewhere = [], 0
    for number, event in enumerate(known):
        before = [
            channels[place]
            for place, other in enumerate(known[:number])
            if (other.message, other.person) == (event.message, event.person)
        ]
        if channels[number] in before:
            faults.append(_named(hearing, event))
        elif before:
            elsewhere += 1
    return Answer(faults, checked=len(known), facts={"repeated_by_another_subscription": elsewhere})


def reordered(story: Story) -> Answer:
    """First copies of the run's messages that came, as they were shown, after one with a higher seq on one subscription.

    What shows a seq or a chat that the message never had is no witness of any order, nor is what could be of two subscriptions.
    """
    hearing = Hearing(story)
    first: list[tuple[object, Event]] = []
    seen: list[tuple[object, int | None]] = []
    for event in hearing.known_inserts():
        message, could = story.messages[event.message or 0], hearing.could_be_of(event)
        if len(could) == 2:
            continue
        channel = could[0] if could else (event.person, event.socket, event.chat)
        again = (channel, event.message) in seen
        seen.append((channel, event.message))
        as_it_was = event.seq in _seqs(message) and event.chat in _chats(message)
        if message.attempts and event.seq is not None and as_it_was and not again:
            first.append((channel, event))
    faults = []
    for number, (channel, event) in enumerate(first):
        before = [other.seq or 0 for where, other in first[:number] if where == channel]
        if max(before, default=0) > (event.seq or 0):
            faults.append((*_named(hearing, event), f"after seq {max(before)} of"))
    return Answer(faults, checked=len(first))


def _seqs(message: Message) -> set[int | None]:
    """Every seq that anybody ever knew it by."""
    answered = [attempt for attempt in message.attempts if attempt.outcome is Outcome.OK]
    return {
        message.seq,
        *(look.seq for look in message.looks if look.seq is not None),
        *(message.seq if attempt.told is None else attempt.told for attempt in answered),
    }


def _chats(message: Message) -> set[int]:
    looked = {look.chat for look in message.looks if look.chat is not None}
    return {message.chat, message.row_chat} | looked


def _senders(message: Message) -> set[int]:
    looked = {look.sender for look in message.looks if look.sender is not None}
    stored = message.sender if message.stored_sender is None else message.stored_sender
    return {message.sender, stored} | looked


def phantom(story: Story) -> Answer:
    """What is not stored, or not as it was shown, or not for this person."""
    hearing = Hearing(story)
    shown = [
        event
        for event in story.events
        if event.message is not None and (event.type is not EventType.DELETE or _of_the_run(hearing, event))
    ]
    wrongs = [(event, _wrong(hearing, event)) for event in shown]
    faults = [(*_named(hearing, event), wrong) for event, wrong in wrongs if wrong and wrong != NOT_TOLD]
    unseen = sum(wrong == NOT_TOLD for _, wrong in wrongs)
    return Answer(
        faults,
        checked=len(shown),
        unseen=not hearing.last_look or unseen > 0,
        facts={"unseen_of_others": unseen},
    )


NOT_TOLD = "a message of somebody else that no look saw"


def _wrong(hearing: Hearing, event: Event) -> str | None:
    """What is wrong with an event, in the sentence's words."""
    story = hearing.story
    if event.type is EventType.DELETE:
        return "every later look found it stored" if _is_still_there(hearing, event) else None
    message = hearing.row(event.message)
    if event.chat >= len(story.chats):
        return _astray(event, message)
    to_whom = _not_for_them(hearing, event, message)
    if to_whom or message is None:
        return to_whom or _unknown(hearing, event)
    return (
        _unlike(story, message, event) if message.attempts else None
    )  # nobody is blamed for somebody else's


def _not_for_them(hearing: Hearing, event: Event, message: Message | None) -> str | None:
    """Why it should not have come to this person."""
    story = hearing.story
    if event.person not in story.chats[event.chat] and not hearing.may_be_added(event, message):
        return "who is not in the chat"
    if message is not None and hearing.had_left(event.person, event.chat, message):
        return "had left the chat"
    if hearing.left_long_ago(event):
        return "after their subscription on that socket had ended"
    return None


def _astray(event: Event, message: Message | None) -> str | None:
    """What is wrong with an event that is of no chat of the run."""
    if event.chatless and event.type is EventType.UPDATE:
        return None  # it need not tell what did not change
    blamed = message is not None and message.attempts and event.chat not in _chats(message)
    return "in another chat than is stored" if blamed else "names no chat of the run"


def _of_the_run(hearing: Hearing, event: Event) -> bool:
    message = hearing.row(event.message)
    return message is not None and bool(message.attempts)


def _is_still_there(hearing: Hearing, event: Event) -> bool:
    """No look ever missed the message, and the last was certainly taken after the event had come."""
    story, message = hearing.story, hearing.row(event.message)
    if not hearing.last_look or message is None:
        return False
    last = Moment(hearing.last_look_asked(), story.monitor.host)
    lag = hearing.lag(Moment(event.at, story.host(event.person)), last)
    return (
        lag is not None and lag > 0 and all(look.change is not ObservedChange.GONE for look in message.looks)
    )


def _unlike(story: Story, message: Message, event: Event) -> str | None:
    """What it shows that the message never was."""
    sent = story.text(event.message)
    texts = {sent, message.stored_text or sent, *(look.text or sent for look in message.looks)}
    text = sent if event.text is None else event.text
    unlike = {
        "in another chat than is stored": event.chat not in _chats(message),
        "another sender than is stored": story.sender(event) not in _senders(message),
        "another seq than is stored": _must_have_a_seq(story, event) and event.seq not in _seqs(message),
        "another text than was sent or stored": (text or event.type is EventType.INSERT)
        and text not in texts,
    }
    return next((wrong for wrong, holds in unlike.items() if holds), None)


def _must_have_a_seq(story: Story, event: Event) -> bool:
    """It has one; or it is an INSERT, as are others that have."""
    insert = EventType.INSERT
    tells = any(other.type is insert and other.seq is not None for other in story.events)
    return event.seq is not None or (event.type is insert and tells)


def _unknown(hearing: Hearing, event: Event) -> str | None:
    """What is wrong with an event of a message that no look saw."""
    story = hearing.story
    answered = (event.message or 0) < len(story.messages) and any(
        attempt.outcome is Outcome.OK for attempt in story.messages[event.message or 0].attempts
    )
    deleted = any(other.message == event.message and other.type is EventType.DELETE for other in story.events)
    from_before = event.seq is not None and event.seq <= (story.baseline[event.chat] or 0)
    if answered or deleted or (from_before and event.type is EventType.UPDATE):
        return None
    perhaps = story.sender(event) >= story.people or _may_be_of_a_send_without_an_answer(story, event)
    if perhaps or hearing.may_be_later(event.person, event.at):
        return NOT_TOLD
    return "no such message was ever stored" if hearing.last_look else None


def _may_be_of_a_send_without_an_answer(story: Story, event: Event) -> bool:
    """Whether it shows the chat, the sender and, if any, the text of a message of which nobody knows what became of it."""
    text = story.text(event.message) if event.text is None else event.text
    return any(
        (one.chat, one.sender) == (event.chat, story.sender(event))
        and (not text or text == story.text(number))
        and fate_unknown(one)
        for number, one in enumerate(story.messages)
    )


def _named(hearing: Hearing, event: Event) -> tuple[str, str, int | None]:
    at = hearing.dated(Moment(event.at, hearing.story.host(event.person)))
    told_of = str(message_id(event.message or 0)), str(person_id(event.person))
    return *told_of, tenths_of_ms(None if at is None else ns(at))


def tenths_of_ms(at_ns: int | None) -> int | None:
    """A time as coarse as seconds and their drift are here."""
    return None if at_ns is None else round(at_ns / 100_000)
