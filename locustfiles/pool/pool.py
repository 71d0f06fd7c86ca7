"""Who may be played by the users of one load process, and which chats they share.

Process `share` of `shares` plays every `shares`-th person, so that nobody is online twice and all processes
together play everybody. A person whose user leaves can be taken again by a later user.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import accumulate
from random import Random

from analysis.record import Chat, Person


class Circle:
    """The chats of one person, the busier ones chosen more often."""

    def __init__(self, chats: Sequence[Chat]) -> None:
        self.chats = tuple(chats)
        self._cumulative = list(accumulate(chat.weight for chat in self.chats))

    def pick(self, rng: Random) -> Chat:
        """A chat, chosen by weight."""
        return rng.choices(self.chats, cum_weights=self._cumulative)[0]


class Pool:
    """People of this process who are not online yet, and everybody's chats.

    Attributes:
        people: everybody whom this process plays.
    """

    def __init__(
        self, people: Sequence[Person], chats: Iterable[Chat], share: int = 0, shares: int = 1
    ) -> None:
        self.people = tuple(people[share::shares])
        self._free = deque(self.people)
        self._chats = tuple(chats)
        mine = {person.id for person in self._free}
        by_person: dict[str, list[Chat]] = {person_id: [] for person_id in mine}
        for chat in self._chats:
            for person_id in chat.participants:
                if person_id in mine:
                    by_person[person_id].append(chat)
        self._circles = {person_id: Circle(theirs) for person_id, theirs in by_person.items()}

    def take(self) -> Person | None:
        """Somebody who is not online, or None when everybody is."""
        return self._free.popleft() if self._free else None

    def give_back(self, person: Person) -> None:
        """`person` went offline; a later user may be them again."""
        self._free.append(person)

    def circle_without(self, person: Person) -> Circle:
        """The chats that `person` is not in."""
        return Circle([chat for chat in self._chats if person.id not in chat.participants])

    def circle_of(self, person: Person) -> Circle:
        """The chats of `person`."""
        return self._circles[person.id]
