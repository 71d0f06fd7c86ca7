"""Who is in the run's chats, look by look: people may leave one, or be removed, while the load runs.

A look asks for one number, and only when that is another than before for the people themselves. A role that may not read
table chat_participants watches on without: then nobody is known to have left.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from analysis.monitor.rows import Row
from analysis.target.database import sql

PART = "people in chats"  # in table `left_out`


class Memberships:
    """What the last look found.

    Args:
        chats: of the run.
        written: rows of table `memberships` that a monitor before this one has written down: when, chat, person, there.

    Attributes:
        left_out: why the first look could not see who is in the chats; None where it could.
    """

    def __init__(self, chats: Iterable[str], written: Iterable[tuple[int, bytes, bytes, bool]] = ()) -> None:
        self._chats = [UUID(chat) for chat in chats]
        self._there: set[tuple[bytes, bytes]] = set()
        for _, chat, person, there in written:
            (self._there.add if there else self._there.discard)((chat, person))
        self._digest: tuple[object, ...] | None = None
        self.left_out: str | None = None

    async def look(self, connection: asyncpg.Connection, at_ns: int) -> Sequence[Row]:
        """Who has come and who has left since the last look: rows of table `memberships`.

        Args:
            at_ns: when the snapshot was taken.
        """
        if self.left_out is not None:
            return []
        if self._digest is None and not await self._may_read(connection):
            return []
        digest = await self._read_digest(connection)
        if digest == self._digest:
            return []
        found = await connection.fetch(sql("monitor/memberships"), self._chats)
        there = {(chat.bytes, person.bytes) for chat, person in found}
        changes: list[Row] = [(at_ns, *one, False) for one in sorted(self._there - there)]
        changes += [(at_ns, *one, True) for one in sorted(there - self._there)]
        self._there, self._digest = there, digest
        return changes

    async def _may_read(self, connection: asyncpg.Connection) -> bool:
        """Asked in a savepoint: a refusal would end the look's transaction."""
        try:
            async with connection.transaction():
                await self._read_digest(connection)
        except asyncpg.exceptions.SyntaxOrAccessError as error:
            self.left_out = f"{error}: grant select on chat_participants to the role of DATABASE_URL"
        return self.left_out is None

    async def _read_digest(self, connection: asyncpg.Connection) -> tuple[object, ...]:
        return tuple(await connection.fetchrow(sql("monitor/memberships_digest"), self._chats))
