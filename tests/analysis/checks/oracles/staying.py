"""Whom nothing brought a message that was sent while they were between two subscriptions: by nested loops over a story."""

from typing import TYPE_CHECKING

from analysis.record.codes import SocketEvent
from tests.analysis.checks.oracles.story import Message, Story

if TYPE_CHECKING:
    from tests.analysis.checks.oracles.hearing import Hearing
    from tests.analysis.checks.oracles.subscriptions import Subscription

CERTAIN_AFTER = 10  # seconds for which somebody of whom no drain is known had to be there
INSTANT = 1e-6  # seconds: shorter than anything that stories tell apart


def should_have_read(hearing: "Hearing", message: Message, person: int, chat: int) -> bool:
    """It was sent between the first and the last subscription of a device that was there long enough to read it."""
    return any(
        hearing.sent_since(stay[0], message)
        and not hearing.sent_since(stay[-1], message)
        and any(
            hearing.was_stored(message, hearing.moment(at, person), INSTANT)
            for at in _there_at(hearing, stay, message)
        )
        for stay in stays(hearing, person, chat)
    )


def stays(hearing: "Hearing", person: int, chat: int) -> "list[list[Subscription]]":
    """The subscriptions of each device, from the first on by which they were online."""
    devices: list[list[Subscription]] = []
    for one in sorted(hearing.of(person, chat), key=lambda one: one.began):
        if devices and _one_device(hearing, devices[-1][-1], one):
            devices[-1].append(one)
        else:
            devices.append([one])
    for device in devices:
        while device and _was_refused(hearing.story, device[0]):
            del device[0]
    return [device for device in devices if device]


def _one_device(hearing: "Hearing", one: "Subscription", other: "Subscription") -> bool:
    """The first was lost, and nobody had gone offline when the next began."""
    story, of_both = hearing.story, hearing.of(one.person, one.chat)
    gave_up, drained = (_times(story, one, event) for event in (SocketEvent.GAVE_UP, SocketEvent.DRAINING))
    if one.cut_off is None or any(one.began <= at <= other.began for at in gave_up):
        return False
    if not any(one.began <= at <= other.began for at in drained):
        return True
    ends = [at for at in gave_up if at >= other.began]
    ends += [
        it.ended for it in of_both if it.ended is not None and it.cut_off is None and it.ended >= other.began
    ]
    return any(all(at > end for at in drained if at > other.began) for end in ends)


def _there_at(hearing: "Hearing", stay: "list[Subscription]", message: Message) -> list[float]:
    """What was stored by any of these moments they had to read."""
    last = stay[-1]
    found: list[float] = [hearing.end(last) - CERTAIN_AFTER]
    if message.seq is not None and last.awaited is not None and message.seq <= last.awaited:
        found.append(hearing.end(last))
    if last.sought is not None:
        found.append(last.sought)
    if last.cut_off is not None:
        following = [one.began for one in hearing.of(last.person, last.chat) if one.began > last.began]
        later = [at for at in _times(hearing.story, last, SocketEvent.GAVE_UP) if at >= last.began]
        found += [at for at in sorted(later)[:1] if not following or at <= min(following)]
    return found


def _times(story: Story, one: "Subscription", event: SocketEvent) -> list[float]:
    of_chat = (event, one.person, one.chat)
    return [step.at for step in story.steps if (step.event, step.person, step.chat) == of_chat]


def _was_refused(story: Story, one: "Subscription") -> bool:
    return any((step.event, step.socket) == (SocketEvent.REFUSED, one.socket) for step in story.steps)
