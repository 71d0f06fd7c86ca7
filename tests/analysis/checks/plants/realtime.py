"""Faults in the events that reach people."""

import uuid

from hypothesis import assume
from hypothesis import strategies as st

from tests.analysis.checks.plants.planting import (
    Planted,
    found,
    neighbours,
    pick,
    plant,
)
from tests.analysis.checks.worlds import (
    POLL_EVERY,
    Listening,
    Shown,
    World,
)


def surely_owed(world: World) -> list[Shown]:
    """Events to people who had subscribed before the message was sent, and stayed."""
    return [
        shown for row in world.ours() for shown in world.events_of(row)
        if shown.to.ended is None and shown.to.began < row.message.at
    ]  # fmt: skip


def surely_by(listening: Listening, shown: Shown) -> bool:
    """Whether it came when no other subscription of the same socket could have brought it."""
    return listening.began <= shown.at and (listening.ended is None or shown.at <= listening.ended)


@plant
def an_event_does_not_come(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, surely_owed(world))
    world.shown.remove(shown)
    return found("realtime.missed", shown.truth)


@plant
def an_event_comes_twice(world: World, data: st.DataObject) -> Planted:
    events = [shown for row in world.ours() for shown in world.events_of(row)]
    shown = pick(data, [shown for shown in events if surely_by(shown.to, shown)])
    world.shown.append(Shown(shown.truth, shown.to, shown.at + 0.0001, shown.committed))
    return found("realtime.duplicated", shown.truth)


@plant
def two_events_change_places(world: World, data: st.DataObject) -> Planted:
    inserts = {
        (id(shown.to), id(shown.truth)): shown for row in world.ours() for shown in world.events_of(row)
    }
    pairs = [
        (early, late)
        for first, second in neighbours(world)
        for listening in world.listening
        if (early := inserts.get((id(listening), id(first))))
        and (late := inserts.get((id(listening), id(second))))
        and all(surely_by(listening, shown) for shown in (early, late))
    ]
    early, late = pick(data, pairs)
    early.at, late.at = late.at, early.at
    return found("realtime.reordered", early.truth)


@plant
def an_event_shows_a_message_that_is_not_stored(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, world.shown)
    ghost = uuid.uuid4()
    world.shown.append(Shown(shown.truth, shown.to, shown.at, shown.committed, id=ghost))
    return Planted({"realtime.phantom": {str(ghost)}})


@plant
def an_event_shows_another_text(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, [shown for shown in world.shown if shown.truth.ours])
    shown.text = "something else"
    return found("realtime.phantom", shown.truth)


@plant
def an_event_shows_no_text(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, [shown for row in world.ours() for shown in world.events_of(row)])
    shown.textless = True
    return found("realtime.phantom", shown.truth)


@plant
def an_event_shows_another_sender(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, [shown for shown in world.shown if shown.truth.ours])
    shown.sender = pick(data, [one for one in range(world.history.people) if one != shown.truth.sender])
    return found("realtime.phantom", shown.truth)


@plant
def an_event_shows_another_chat(world: World, data: st.DataObject) -> Planted:
    """Of the same people, too: they see it where it does not belong."""
    shown = pick(data, [shown for row in world.ours() for shown in world.events_of(row)])
    chats = [one for one in range(len(world.history.chats)) if one != shown.truth.message.chat]
    shown.chat = pick(data, chats)
    return found("realtime.phantom", shown.truth)


@plant
def an_event_shows_another_seq(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, [shown for shown in world.shown if shown.truth.ours])
    shown.seq = (shown.truth.seq or 0) + 1
    return found("realtime.phantom", shown.truth)


def leaves(world: World, data: st.DataObject) -> tuple[int, int, float]:
    """Somebody is removed from a chat, shortly before a look: person, chat, and when that look was.

    They do nothing there afterwards that this world's server would let them do: that would be `access.denied`'s.
    """
    done = [(message.sender, message.chat, message.at) for message in world.history.messages]
    done += [(person, chat, at) for person, chat, at, _, _ in world.marks]
    leavers = [
        (person, chat, POLL_EVERY * look)
        for chat, people in enumerate(world.history.chats)
        for person in people
        for look in range(2, 16)
        if not any(one[:2] == (person, chat) and one[2] > POLL_EVERY * (look - 1) for one in done)
    ]
    world.left.append(pick(data, leavers))
    return world.left[-1]


@plant
def somebody_leaves_and_is_shown_nothing_more(world: World, data: st.DataObject) -> Planted:
    """Nobody is to blame."""
    person, chat, at = leaves(world, data)
    world.shown = [
        shown
        for shown in world.shown
        if (shown.to.person, shown.to.chat) != (person, chat) or shown.at < at - POLL_EVERY
    ]
    for page in world.pages:
        if (page.person, page.chat) == (person, chat) and page.at > at - POLL_EVERY:
            page.rows = []
    return Planted({})


@plant
def somebody_leaves_and_is_shown_what_follows(world: World, data: st.DataObject) -> Planted:
    person, chat, at = leaves(world, data)
    after = [
        row
        for row in world.ours()
        if row.message.chat == chat
        and row.message.at > at
        and any(shown.truth is row and shown.to.person == person for shown in world.shown)
    ]
    assume(after)
    return found("realtime.phantom", *after)


@plant
def an_event_reaches_somebody_who_is_not_in_the_chat(world: World, data: st.DataObject) -> Planted:
    shown = pick(data, [shown for shown in world.shown if shown.truth.ours])
    chat = shown.truth.message.chat
    outsider = pick(
        data, [one for one in range(world.history.people) if one not in world.history.chats[chat]]
    )
    stranger = Listening(outsider, chat, 5, 0.0, None)
    world.shown.append(Shown(shown.truth, stranger, shown.at, shown.committed, shown.type, shown.status))
    return found("realtime.phantom", shown.truth)
