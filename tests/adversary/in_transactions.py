"""Numbers that open transactions hold while later ones are visible, as in an app without a counter that stays locked."""

from typing import ClassVar

import asyncpg

from tests.adversary.faults import ChatFault

TAKE = "update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $1 and last_seq > 3 returning last_seq"
HELD_S = 2.0


class Holding(ChatFault):
    """Takes a number, holds it in an open transaction until later ones are there, and ends that in its own way."""

    how = "SQL"
    end: ClassVar[str]

    async def strike(self, database: asyncpg.Connection) -> None:
        seq = await database.fetchval(TAKE, self.chat)  # committed: nobody waits for it
        if seq is None:
            return
        await database.execute("begin")
        await database.execute("set local session_replication_role = replica")  # without the app's trigger
        await database.execute(
            "insert into public.chat_messages (chat_id, sender_id, message_text, seq) "
            "select chat_id, user_id, 'held', $2 from public.chat_participants where chat_id = $1 limit 1",
            self.chat,
            seq,
        )
        await database.execute("select pg_sleep($1)", HELD_S)
        await database.execute(self.end)
        self.touch(f"seq {seq}")


class HeldNumberGivenUp(Holding):
    what = "a transaction holds a number while later ones are stored, and is rolled back"
    breaks = ("seq.gaps",)
    end = "rollback"


class HeldNumberUsed(Holding):
    what = "a transaction holds a number while later ones are stored, and is committed"
    end = "commit"
