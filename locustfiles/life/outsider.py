"""Somebody who tries what they may not: which attempt comes next, on which chat, in whose name."""

from collections import deque
from random import Random

from analysis.record import Chat, Person
from analysis.record.codes import Guise
from locustfiles.clients.guises import Attempt, attempts
from locustfiles.clients.outsider import OutsiderClient
from locustfiles.clients.session import Session
from locustfiles.pool import Circle
from locustfiles.run.load import Load


class Outsider:
    """One person's attempts: every kind in turn, in an order of their own.

    Args:
        client: carries them out.
    """

    def __init__(self, load: Load, person: Person, client: OutsiderClient, rng: Random) -> None:
        self._load = load
        self._person = person
        self._client = client
        self._rng = rng
        self._own = load.pool.circle_of(person)
        self._others = load.pool.circle_without(person)
        self._left = deque[Attempt]()
        self._first: Session | None = None  # to be tried again once it has expired

    def try_next(self, session: Session) -> None:
        """Try what is next; `session` is the person's own."""
        self._first = self._first or session
        found = self._next()
        if found is None:
            return
        tried, chat = found
        victims = [one for one in chat.participants if one != self._person.id]
        old = tried.guise is Guise.EXPIRED_TOKEN
        self._client.attempt(
            tried,
            self._first if old else session,
            chat.id,
            self._rng.choice(victims),
            self._load.next_socket(),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _next(self) -> tuple[Attempt, Chat] | None:
        """The next attempt that can be made now, and the chat for it; None when there is none at all."""
        for _ in range(2 * len(attempts())):
            if not self._left:
                self._left.extend(self._rng.sample(attempts(), len(attempts())))
            tried = self._left.popleft()
            circle = self._circle(tried)
            if circle is not None:
                return tried, circle.pick(self._rng)
        return None

    def _circle(self, tried: Attempt) -> Circle | None:
        """The chats to try it on; None when it cannot be tried now."""
        margin_s = self._load.settings.chatsoak_outsider_expired_s
        too_early = self._first is None or self._first.remaining_s > -margin_s
        if tried.guise is Guise.EXPIRED_TOKEN and too_early:
            return None
        circle = self._others if tried.elsewhere else self._own
        return circle if circle.chats else None
