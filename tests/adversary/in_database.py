"""Faults done in the database, as a careless migration or a person at psql would do them."""

import uuid
from collections import Counter
from typing import Any

import asyncpg

from analysis.evidence import Evidence
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response
from tests.adversary.truth import is_send
from tests.adversary.waiting import monitor_has_looked, realtime_has_read

# A message that was sent a while ago and that others followed.
SETTLED = """
    select id, seq, sender_id, client_generated_id from public.chat_messages m
    where chat_id = $1 and seq is not null and client_generated_id is not null
      and created_at < now() - interval '1500 ms' and status = any($2)
      and exists (select from public.chat_messages later where later.chat_id = $1 and later.seq >= m.seq + 2)
      and exists (select from public.chat_messages before where before.chat_id = $1 and before.seq = m.seq - 1)
    order by seq desc limit 1"""
ANY = ("sent", "delivered", "read")
FROM_BEFORE = "from before"  # text of messages that were there before the run
SHORT_LIVED = 6  # messages that are deleted again


class InDatabase(ChatFault):
    """Does something once to one settled message of its chat."""

    how = "SQL"
    statement = ""
    statuses: tuple[str, ...] = ANY

    async def strike(self, database: asyncpg.Connection) -> None:
        row = await database.fetchrow(SETTLED, self.chat.id, list(self.statuses))
        if row is not None:
            await self.harm(database, row)

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        """Do it; it may have no effect, since the row may have changed since it was read."""
        done = await database.execute(self.statement, row["id"])
        if done.split()[-1] != "0":
            self.touch(message_id=str(row["id"]))


class RowDeleted(InDatabase):
    what = "a stored message is deleted"
    breaks = ("messages.lost",)
    statement = "delete from public.chat_messages where id = $1"


class TextChanged(InDatabase):
    what = "a stored text is changed"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set message_text = 'changed' where id = $1"


class TextEmptied(InDatabase):
    what = "a stored text becomes NULL"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set message_text = null where id = $1"


class LineAppended(InDatabase):
    what = "a stored text gets a line break at its end"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set message_text = message_text || e'\\n' where id = $1"


class SenderChanged(InDatabase):
    what = "a stored message gets another sender"
    breaks = ("messages.corrupted",)
    statement = """
        update public.chat_messages m set sender_id = (
          select user_id from public.chat_participants p where p.chat_id = m.chat_id and user_id <> m.sender_id limit 1
        ) where id = $1 returning sender_id"""

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        message, other = str(row["id"]), str(await database.fetchval(self.statement, row["id"]))
        # Who has sent it, or who is said to.
        said = [{"message_id": message, "sender_id": sender} for sender in (str(row["sender_id"]), other)]
        self.must_name("messages.corrupted", *said)


class KeyChanged(InDatabase):
    what = "a stored message gets another client_generated_id"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set client_generated_id = $2 where id = $1"

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        message, keys = str(row["id"]), (str(row["client_generated_id"]), str(uuid.uuid4()))
        await database.execute(self.statement, message, keys[1])
        said = [{"message_id": message, "client_generated_id": key} for key in keys]
        self.must_name("messages.corrupted", *said)


class ChatChanged(InDatabase):
    """To the end of another chat: with its old number it would be a second of that number there."""

    what = "a stored message is moved to another chat"
    breaks = ("messages.corrupted",)
    spares = 1
    statement = """
        with next as (
          update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $2 returning last_seq)
        update public.chat_messages set chat_id = $2, seq = (select last_seq from next) where id = $1 returning seq"""

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        await monitor_has_looked(database)  # that it was in its own chat nobody else could tell
        (other,) = self.others
        seq = await database.fetchval(self.statement, row["id"], other.id)
        self.touch(message_id=str(row["id"]), chat_id=other.id, seq=seq)


class SoftDeleted(InDatabase):
    what = "deleted_at of a message is set"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set deleted_at = now() where id = $1"


class RowCopied(InDatabase):
    """Of a message that was sent once: of one that was repeated nobody could tell whose fault the copy is."""

    what = "a stored message is copied"
    breaks = ("messages.duplicated",)
    statement = """
        insert into public.chat_messages (chat_id, sender_id, message_text)
        select chat_id, sender_id, message_text from public.chat_messages where id = $1 returning id"""

    def __init__(self) -> None:
        super().__init__()
        self._sent: Counter[str] = Counter()

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if is_send(request):
            self._sent[request.json["clientGeneratedId"]] += 1
        return await forward(request)

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        if self._sent[str(row["client_generated_id"])] == 1:
            copy = await database.fetchval(self.statement, row["id"])
            said = [{"message_id": str(message)} for message in (row["id"], copy)]
            self.must_name("messages.duplicated", *said)


class SeqEmptied(InDatabase):
    what = "a message loses its seq"
    breaks = ("seq.missing",)
    statement = "update public.chat_messages set seq = null where id = $1"

    def touch(self, **fields: object) -> None:
        super().touch(**fields, seq=None)


class SeqSkipped(InDatabase):
    what = "a chat's counter skips a number"
    breaks = ("seq.gaps",)

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        last = await database.fetchval(
            "update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $1 returning last_seq",
            self.chat.id,
        )
        self.touch(seq=last)


class StatusSetBack(InDatabase):
    what = "a message that was read is sent again"
    breaks = ("status.regressed",)
    statuses = ("read",)
    statement = "update public.chat_messages set status = 'sent' where id = $1 and status = 'read'"


class ReadBecomesDelivered(InDatabase):
    what = "a message that was read is delivered again"
    breaks = ("status.regressed",)
    statuses = ("read",)
    statement = "update public.chat_messages set status = 'delivered' where id = $1 and status = 'read'"


class StatusInvented(InDatabase):
    what = "a message gets a status outside the three"
    breaks = ("status.invalid",)
    statement = "update public.chat_messages set status = 'seen' where id = $1"


class StatusEmptied(InDatabase):
    what = "the status of a message becomes NULL"
    breaks = ("status.invalid",)
    statement = "update public.chat_messages set status = null where id = $1"


class NewestDeletedAndItsSeqReused(ChatFault):
    what = "the newest message is deleted and its seq given to the next"
    how = "SQL"
    breaks = ("messages.lost", "seq.duplicates")

    async def strike(self, database: asyncpg.Connection) -> None:
        async with database.transaction():
            newest = await database.fetchval(
                "select last_seq from public.chat_seq_counters where chat_id = $1 for update", self.chat.id
            )
            # So old that a look has seen it.
            row = await database.fetchrow(
                "select id, seq from public.chat_messages where chat_id = $1 and seq = $2 "
                "and client_generated_id is not null and created_at < now() - interval '1800 ms'",
                self.chat.id,
                newest,
            )
            if row is None:
                return
            await database.execute("delete from public.chat_messages where id = $1", row["id"])
            await database.execute(
                "update public.chat_seq_counters set last_seq = last_seq - 1 where chat_id = $1", self.chat.id
            )
        self._deleted, self._seq = str(row["id"]), newest
        self.must_name("messages.lost", {"message_id": self._deleted})

    async def conclude(self, database: asyncpg.Connection, record: Evidence) -> None:
        """Its successor came later."""
        successor = await database.fetchval(
            "select id from public.chat_messages where chat_id = $1 and seq = $2", self.chat.id, self._seq
        )
        both = [{"message_id": message, "seq": self._seq} for message in (self._deleted, str(successor))]
        self.must_name("seq.duplicates", *both)


# What must disturb nobody


class StrangerWrites(ChatFault):
    what = "somebody who is no user of the run, and not in the chat, writes into it"
    how = "SQL"

    def __init__(self) -> None:
        super().__init__()
        self._stranger, self._message = str(uuid.uuid4()), ""

    async def strike(self, database: asyncpg.Connection) -> None:
        await self.come(database)
        self._message, self.struck = await self.write(database), True

    async def come(self, database: asyncpg.Connection) -> None:
        """The stranger signs up."""
        email = f"{self._stranger}@example.com"
        await database.execute("insert into auth.users (id, email) values ($1, $2)", self._stranger, email)
        await database.execute(
            "insert into public.accounts (id, name, email) values ($1, 'stranger', $2)", self._stranger, email
        )

    async def write(self, database: asyncpg.Connection) -> str:
        """The stranger writes a message. Returns its id."""
        message = await database.fetchval(
            "insert into public.chat_messages (chat_id, sender_id, message_text) "
            "values ($1, $2, 'from elsewhere') returning id",
            self.chat.id,
            self._stranger,
        )
        return str(message)

    def shows(self, record: Evidence) -> bool:
        rows = record.rows[record.rows["message_id"].map(record.messages.text) == self._message]
        known = record.people.text(int(rows["sender_id"].iloc[0])) == self._stranger
        return known and int(rows["seq"].iloc[0]) > self.baseline(record)


class StrangerWritesAndDeletes(StrangerWrites):
    """So soon that most of it no look sees. What of it only events and pages tell makes `realtime.phantom`, `history.pages` and
    `seq.gaps` inconclusive at the most, which other faults of the same run have fail."""

    what = "somebody who is no user of the run writes into it, and deletes it before a look can see it"

    def __init__(self) -> None:
        super().__init__()
        self._written: set[str] = set()

    async def strike(self, database: asyncpg.Connection) -> None:
        await self.come(database)
        for _ in range(SHORT_LIVED):
            await monitor_has_looked(database)
            message = await self.write(database)
            self._written.add(message)
            await realtime_has_read(database)
            await database.execute("delete from public.chat_messages where id = $1", message)
        self.struck = True

    def shows(self, record: Evidence) -> bool:
        """Somebody was shown one that no look saw, and the chat's numbers went on above it."""
        seen = set(self.part(record, "rows")["message_id"].map(record.messages.text))
        events = self.part(record, "events")
        unseen = events["message_id"].map(record.messages.text).isin(self._written - seen)
        return bool((events["seq"][unseen] < self.part(record, "rows")["seq"].max()).any())


class ParticipantRemoved(ChatFault):
    """They go on as if they were still there: they send, read and mark, and are refused."""

    what = "somebody is removed from a chat in mid-run, is refused from then on, and gets no events of it any more"
    how = "SQL"

    def __init__(self) -> None:
        super().__init__()
        self._removed = ""

    async def strike(self, database: asyncpg.Connection) -> None:
        self._removed = str(
            await database.fetchval(
                "delete from public.chat_participants where id = (select id from public.chat_participants "
                "where chat_id = $1 order by id limit 1) returning user_id",
                self.chat.id,
            )
        )
        self.struck = True

    def shows(self, record: Evidence) -> bool:
        seen = self.part(record, "memberships")
        left = seen[~seen["there"]]
        return left["user_id"].map(record.people.text).tolist() == [self._removed]


class OldMessageMarked(ChatFault):
    what = "a message from before the run gets its receipts in the run"
    how = "SQL"

    def __init__(self) -> None:
        super().__init__()
        self._seq = 0

    async def strike(self, database: asyncpg.Connection) -> None:
        """Not by us: by whoever acknowledges the next message."""
        row = await database.fetchrow(
            "select seq, status from public.chat_messages where chat_id = $1 and message_text = $2 order by seq desc limit 1",
            self.chat.id,
            FROM_BEFORE,
        )
        assert row is not None
        self._seq, self.struck = row["seq"], row["status"] != "sent"

    def shows(self, record: Evidence) -> bool:
        return 0 < self._seq <= self.baseline(record)
