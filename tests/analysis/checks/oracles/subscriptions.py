"""The subscriptions that a story tells of, with their ends."""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.record.codes import SocketEvent
from tests.analysis.checks.oracles.story import Story


@dataclass(eq=False, slots=True)
class Subscription:
    """One subscription; `ended` is None while its end is not known, `cut_off` while its channel went on.

    Attributes:
        sought: when the user asked what to wait for before they went offline.
    """

    person: int
    chat: int
    socket: int
    began: int
    ended: int | None = None
    awaited: int | None = None
    cut_off: int | None = None
    sought: float | None = None


def subscriptions(story: Story) -> Iterator[Subscription]:
    """All subscriptions, in the order in which they began."""
    for number, step in enumerate(story.steps):
        if step.event is not SocketEvent.SUBSCRIBED:
            continue
        one = Subscription(step.person, step.chat or 0, step.socket, step.at)
        for later in story.steps[number + 1 :]:
            if (later.person, later.socket) != (step.person, step.socket):
                continue
            of_channel = later.chat == step.chat and later.event in {
                SocketEvent.UNSUBSCRIBED,
                SocketEvent.FINISHED,
            }
            if of_channel or later.event is SocketEvent.CLOSED:
                one.ended = later.at
                if later.event is SocketEvent.FINISHED:
                    one.awaited = later.seq
                    place = story.steps.index(later)
                    asked = [
                        other.at
                        for other in story.steps[:place]
                        if (other.event, other.person, other.chat)
                        == (SocketEvent.DRAINING, later.person, later.chat)
                    ]
                    without = [later.at] if later.seq is None else [None]
                    one.sought = (asked or without)[-1]
                else:
                    one.cut_off = later.at
                break
        yield one
