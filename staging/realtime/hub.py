"""What the sockets, the feed and the HTTP part share: who is connected, who has joined what, and is the feed up.

One event loop owns all of it; nothing here waits.
"""

import asyncio
from collections import defaultdict
from typing import Protocol

from staging.realtime.subscriptions import Subscriptions

__all__ = ["Hub", "Member", "OpenSocket"]


class Member(Protocol):
    """A joined channel, as others see it."""

    def broadcast(self, payload: object) -> None:
        """Send a user's broadcast to the client."""

    def resubscribe(self) -> None:
        """Subscribe to its database changes anew; the client is told when that is done."""


class OpenSocket(Protocol):
    """A connected socket, as others see it."""

    def cut(self) -> None:
        """Drop the connection without a close frame."""

    def close(self, code: int) -> None:
        """Close with a close frame."""


class Hub:
    """The state of Realtime.

    Attributes:
        feed_ready: set while the replication slot exists, so that what is committed from now on will be seen.
    """

    def __init__(self) -> None:
        self.sockets: set[OpenSocket] = set()
        self.subscriptions = Subscriptions()
        self.feed_ready = asyncio.Event()
        self._members: dict[str, set[Member]] = defaultdict(set)

    def join(self, topic: str, member: Member) -> None:
        """`member` gets the topic's broadcasts from now on."""
        self._members[topic].add(member)

    def leave(self, topic: str, member: Member) -> None:
        """`member` is gone."""
        members = self._members[topic]
        members.discard(member)
        if not members:
            del self._members[topic]

    def broadcast(self, topic: str, payload: object, *, beside: Member | None = None) -> None:
        """To all who have joined the topic, `beside` apart."""
        for member in list(self._members.get(topic, ())):
            if member is not beside:
                member.broadcast(payload)

    def resubscribe(self) -> None:
        """What was subscribed may have missed changes, or be published no more: all of it is made anew."""
        for members in list(self._members.values()):
            for member in list(members):
                member.resubscribe()
