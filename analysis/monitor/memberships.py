"""Who is in the run's chats, look by look: people may leave one, or be removed, while the load runs.

A look asks for one number, and only when that is another than before for the people themselves.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from analysis.monitor.rows import Row
from analysis.target.database import sql


class Memberships:
    """What the last look found.

    Args:
        chats: of the run.
        written: rows of table `memberships` that a monitor before this one has written down: when, chat, person, there.
    """

    def __init__(self, chats: Iterable[str], written: Iterable[tuple[int, bytes, bytes, bool]] = ()) -> None:
        self._chats = [UUID(chat) for chat in chats]
        self._there: set[tuple[bytes, bytes]] = set()
        for _, chat, person, there in written:
            (self._there.add if there else self._there.discard)((chat, person))
        self._digest: tuple[object, ...] | None = None

    async def look(self, connection: asyncpg.Connection, at_ns: int) -> Sequence[Row]:
        """Who has come and who has left since the last look: rows of table `memberships`.

        Args:
            at_ns: when the snapshot was taken.
        """
        digest = tuple(await connection.fetchrow(sql("monitor/memberships_digest"), self._chats))
        if digest == self._digest:
            return []
        found = await connection.fetch(sql("monitor/memberships"), self._chats)
        there = {(chat.bytes, person.bytes) for chat, person in found}
        changes: list[Row] = [(at_ns, *one, False) for one in sorted(self._there - there)]
        changes += [(at_ns, *one, True) for one in sorted(there - self._there)]
        self._there, self._digest = there, digest
        return changes
