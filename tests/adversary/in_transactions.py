"""What open transactions hold, and what they give up: numbers and locks."""

import asyncio
from typing import ClassVar

import asyncpg

from analysis.evidence import Evidence
from tests.adversary.faults import ChatFault

# Committed at once, so that nobody waits for it, as in an app without a counter that stays locked.
TAKE = "update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $1 returning last_seq"
INSERT = """
    insert into public.chat_messages (chat_id, sender_id, message_text)
    select chat_id, user_id, 'in a transaction' from public.chat_participants where chat_id = $1 limit 1 returning seq"""
LATER = "select exists (select from public.chat_messages where chat_id = $1 and seq > $2)"
SOMEBODY_WAITS = """
    select exists (
      select from pg_locks where not granted and locktype = 'transactionid' and transactionid = pg_current_xact_id()::xid
    )"""
LOOKED_S = 2.5  # a look at the database, of which there is one a second, has come by then
HELD_S = 1.8
LOOK_EVERY_S = 0.1


class Holding(ChatFault):
    """Takes a number, holds it in an open transaction until later ones were there for a while, and ends that in its own way."""

    how = "SQL"
    end: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.seq = 0

    async def strike(self, database: asyncpg.Connection) -> None:
        self.seq = await database.fetchval(TAKE, self.chat.id)
        await database.execute("begin")
        await database.execute("set local session_replication_role = replica")  # without the app's trigger
        await database.execute(
            "insert into public.chat_messages (chat_id, sender_id, message_text, seq) "
            "select chat_id, user_id, 'held', $2 from public.chat_participants where chat_id = $1 limit 1",
            self.chat.id,
            self.seq,
        )
        while not await database.fetchval(LATER, self.chat.id, self.seq):
            await asyncio.sleep(LOOK_EVERY_S)
        await asyncio.sleep(LOOKED_S)
        await database.execute(self.end)
        self.touch(seq=self.seq)
        self.struck = True


class HeldNumberGivenUp(Holding):
    what = "a transaction holds a number while later ones are stored, and is rolled back"
    breaks = ("seq.gaps",)
    end = "rollback"


class HeldNumberUsed(Holding):
    """No gap: the number came late, and it came."""

    what = "a message that nobody sent holds a number while later ones are stored, and is committed"
    breaks = ("messages.unexpected",)
    end = "commit"

    def shows(self, record: Evidence) -> bool:
        """A look saw a higher number before it saw this one."""
        rows = self.part(record, "rows")
        first_look = rows.set_index("seq")["first_poll"]
        return bool(first_look[self.seq] > first_look[first_look.index > self.seq].min())


class SeqHeldByAnOpenTransaction(ChatFault):
    what = (
        "a message that nobody sent holds the next seq in an open transaction while somebody waits to write"
    )
    how = "SQL"
    breaks = ("messages.unexpected",)

    async def strike(self, database: asyncpg.Connection) -> None:
        async with database.transaction():
            seq = await database.fetchval(INSERT, self.chat.id)
            while not await database.fetchval(SOMEBODY_WAITS):
                await asyncio.sleep(LOOK_EVERY_S)
            await asyncio.sleep(HELD_S)
        self.touch(seq=seq)

    def shows(self, record: Evidence) -> bool:
        return self.longest_send_s(record) >= 1.5


# What must disturb nobody


class InsertRolledBack(ChatFault):
    what = "an insert is rolled back, and its number given to the next message"
    how = "SQL"

    def __init__(self) -> None:
        super().__init__()
        self._seq = 0

    async def strike(self, database: asyncpg.Connection) -> None:
        transaction = database.transaction()
        await transaction.start()
        self._seq = await database.fetchval(INSERT, self.chat.id)
        await transaction.rollback()
        self.struck = True

    def shows(self, record: Evidence) -> bool:
        rows = self.part(record, "rows")
        return self._seq > self.baseline(record) and self._seq in set(rows["seq"])
