"""Who chats with whom: pure, and the same for the same seed.

As in life, most chats are between two, groups have 3 to 20 people with small ones more common, and a share of
chats is much busier than the rest.
"""

import uuid
from collections.abc import Sequence
from random import Random

from analysis.record import Chat, Person
from analysis.settings import Settings

SMALLEST_GROUP, LARGEST_GROUP = 3, 20
GROUP_MEAN = 6.0


def chats_for(people: Sequence[Person], settings: Settings) -> list[Chat]:
    """Fresh chats for `people`; everybody is in at least one. Ids are new each time, all else follows the seed."""
    rng = Random(settings.chatsoak_seed)
    wanted = max(1, round(len(people) * settings.chatsoak_chats_per_person))
    rooms: list[list[Person]] = []
    lonely = list(people)
    rng.shuffle(lonely)
    while lonely or len(rooms) < wanted:
        size = _size(rng, settings.chatsoak_direct_share, len(people))
        first = lonely[:size]
        del lonely[:size]
        others = [person for person in rng.sample(people, min(len(people), 2 * size)) if person not in first]
        rooms.append(first + others[: size - len(first)])
    busy = set(rng.sample(range(len(rooms)), round(len(rooms) * settings.chatsoak_busy_share)))
    return [
        Chat(
            id=str(uuid.uuid4()),
            type="direct" if len(room) == 2 else "group",
            participants=tuple(person.id for person in room),
            weight=settings.chatsoak_busy_weight if number in busy else 1.0,
        )
        for number, room in enumerate(rooms)
    ]


def _size(rng: Random, direct_share: float, people: int) -> int:
    if people < SMALLEST_GROUP or rng.random() < direct_share:
        return 2
    extra = int(rng.expovariate(1 / (GROUP_MEAN - SMALLEST_GROUP)))
    return min(SMALLEST_GROUP + extra, LARGEST_GROUP, people)
