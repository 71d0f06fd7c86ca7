"""Faults done in the database, as a careless migration, a trigger or a person at psql would do them."""

from collections import Counter
from typing import Any

import asyncpg

from tests.adversary.faults import ChatFault, is_send
from tests.adversary.proxy import Forward, Request, Response

# A message that was sent a while ago and that others followed.
SETTLED = """
    select id, seq, sender_id, client_generated_id from public.chat_messages m
    where chat_id = $1 and seq is not null and client_generated_id is not null
      and created_at < now() - interval '1500 ms' and status = any($2)
      and exists (select from public.chat_messages later where later.chat_id = $1 and later.seq >= m.seq + 2)
      and exists (select from public.chat_messages before where before.chat_id = $1 and before.seq = m.seq - 1)
    order by seq desc limit 1"""
ANY = ("sent", "delivered", "read")


class InDatabase(ChatFault):
    """Does something once to one settled message of its chat."""

    how = "SQL"
    statement = ""
    statuses: tuple[str, ...] = ANY

    async def strike(self, database: asyncpg.Connection) -> None:
        row = await database.fetchrow(SETTLED, self.chat, list(self.statuses))
        if row is not None and await self.harm(database, row):
            self.touch(row["id"])

    async def harm(self, database: asyncpg.Connection, row: Any) -> bool:
        """Do it. Whether it took effect: the row may have changed since it was read."""
        done = await database.execute(self.statement, row["id"])
        return bool(done.split()[-1] != "0")


class OnInsert(ChatFault):
    """Does something to one message while it is stored, by a trigger that runs after the app's own."""

    how = "SQL (trigger)"
    body = ""
    at = 6  # how manieth message of the chat

    async def prepare(self, database: asyncpg.Connection) -> None:
        name = f"zz_adversary_{self.name()}"
        body = self.body.format(at=self.at, counters="public.chat_seq_counters")
        await database.execute(
            f"create function public.{name}() returns trigger language plpgsql security definer "
            f"as $f$ begin {body} return new; end $f$"
        )
        await database.execute(
            f"create trigger {name} before insert on public.chat_messages for each row "
            f"when (new.chat_id = '{self.chat}') execute function public.{name}()"
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        row = await database.fetchrow(
            "select id, seq from public.chat_messages where chat_id = $1 and seq = $2", self.chat, self.at
        )
        if row is not None:
            await self.note(database, row)

    async def note(self, database: asyncpg.Connection, row: Any) -> None:
        """Write down whom it touched."""
        self.touch(row["id"])


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
        ) where id = $1"""


class KeyChanged(InDatabase):
    what = "a stored message gets another client_generated_id"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set client_generated_id = gen_random_uuid() where id = $1"


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
        select chat_id, sender_id, message_text from public.chat_messages where id = $1"""

    def __init__(self) -> None:
        super().__init__()
        self._sent: Counter[str] = Counter()

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if is_send(request):
            self._sent[request.json["clientGeneratedId"]] += 1
        return await forward(request)

    async def harm(self, database: asyncpg.Connection, row: Any) -> bool:
        once = self._sent[str(row["client_generated_id"])] == 1
        return once and await super().harm(database, row)


class SeqEmptied(InDatabase):
    what = "a message loses its seq"
    breaks = ("seq.missing",)
    statement = "update public.chat_messages set seq = null where id = $1"


class SeqSkipped(InDatabase):
    what = "a chat's counter skips a number"
    breaks = ("seq.gaps",)

    async def harm(self, database: asyncpg.Connection, row: Any) -> bool:
        last = await database.fetchval(
            "update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $1 returning last_seq",
            self.chat,
        )
        self.touch(f"seq {last}")
        return False


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


class TextCutOnInsert(OnInsert):
    what = "a text is cut while it is stored"
    breaks = ("messages.corrupted",)
    body = "if new.seq = {at} then new.message_text := left(new.message_text, -1) || '…'; end if;"


class SeqGivenTwice(OnInsert):
    what = "two messages get the same seq"
    breaks = ("seq.duplicates",)
    body = """
        if new.seq = {at} + 1 and not exists (
          select from public.chat_messages where chat_id = new.chat_id and seq = {at} offset 1
        ) then
          new.seq := {at};
          update {counters} set last_seq = {at} where chat_id = new.chat_id;
        end if;"""

    async def strike(self, database: asyncpg.Connection) -> None:
        rows = await database.fetch(
            "select id from public.chat_messages where chat_id = $1 and seq = $2", self.chat, self.at
        )
        if len(rows) > 1:
            self.touch(*(row["id"] for row in rows))


class SeqLeftForLater(OnInsert):
    what = "a message gets a seq below those of messages sent long before"
    breaks = ("seq.order", "realtime.reordered")
    body = """
        if new.seq = {at} then
          new.seq := {at} + 1;
          update {counters} set last_seq = {at} + 1 where chat_id = new.chat_id;
        elsif new.seq = {at} + 6 and not exists (
          select from public.chat_messages where chat_id = new.chat_id and seq = {at}
        ) then
          new.seq := {at};
          update {counters} set last_seq = {at} + 5 where chat_id = new.chat_id;
        end if;"""


class StatusFrozen(ChatFault):
    what = "a trigger keeps every status of a chat at sent"
    how = "SQL (trigger)"
    breaks = ("status.stuck",)

    async def prepare(self, database: asyncpg.Connection) -> None:
        await database.execute(
            "create function public.zz_adversary_frozen() returns trigger language plpgsql "
            "as $f$ begin new.status := old.status; return new; end $f$"
        )
        await database.execute(
            "create trigger zz_adversary_frozen before update on public.chat_messages for each row "
            f"when (new.chat_id = '{self.chat}') execute function public.zz_adversary_frozen()"
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        self.struck = await database.fetchval(
            "select count(*) > 3 from public.chat_messages where chat_id = $1", self.chat
        )


class NewestDeletedAndItsSeqReused(ChatFault):
    what = "the newest message is deleted and its seq given to the next"
    how = "SQL"
    breaks = ("messages.lost", "seq.duplicates")

    async def strike(self, database: asyncpg.Connection) -> None:
        async with database.transaction():
            await database.execute(
                "select from public.chat_seq_counters where chat_id = $1 for update", self.chat
            )
            row = await database.fetchrow(
                "select id, seq from public.chat_messages where chat_id = $1 and seq > 5 "
                "and created_at < now() - interval '1100 ms' order by seq desc limit 1",
                self.chat,
            )
            newest = await database.fetchval(
                "select last_seq from public.chat_seq_counters where chat_id = $1", self.chat
            )
            if row is None or row["seq"] != newest:
                return
            await database.execute("delete from public.chat_messages where id = $1", row["id"])
            await database.execute(
                "update public.chat_seq_counters set last_seq = last_seq - 1 where chat_id = $1", self.chat
            )
        self.named["messages.lost"] = {str(row["id"])}
        self.named["seq.duplicates"] = {f"seq {row['seq']}"}
        self.struck = True


class InsertRefusedByTrigger(ChatFault):
    what = "a trigger lets no row of a message in"
    how = "SQL (trigger)"
    breaks = ("errors.send",)
    text = "cannot be stored"

    async def prepare(self, database: asyncpg.Connection) -> None:
        await database.execute(
            "create function public.zz_adversary_refuses() returns trigger language plpgsql as "
            "$f$ begin if new.seq % 4 = 0 then raise exception 'no'; end if; return new; end $f$"
        )
        await database.execute(
            "create trigger zz_adversary_refuses before insert on public.chat_messages for each row "
            f"when (new.chat_id = '{self.chat}') execute function public.zz_adversary_refuses()"
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        count = await database.fetchval(
            "select count(*) from public.chat_messages where chat_id = $1", self.chat
        )
        self.struck = count >= 3


# What must disturb nobody


class StrangerWrites(ChatFault):
    what = "somebody who is no user of the run writes into a chat"
    how = "SQL"

    async def strike(self, database: asyncpg.Connection) -> None:
        await database.execute(
            "insert into public.chat_messages (chat_id, sender_id, message_text) "
            "select chat_id, user_id, 'from elsewhere' from public.chat_participants where chat_id = $1 limit 1",
            self.chat,
        )
        self.struck = True


class InsertRolledBack(ChatFault):
    what = "an insert is rolled back"
    how = "SQL"

    async def strike(self, database: asyncpg.Connection) -> None:
        transaction = database.transaction()
        await transaction.start()
        await database.execute(
            "insert into public.chat_messages (chat_id, sender_id, message_text) "
            "select chat_id, user_id, 'never' from public.chat_participants where chat_id = $1 limit 1",
            self.chat,
        )
        await transaction.rollback()
        self.struck = True


class SeqHeldByAnOpenTransaction(ChatFault):
    what = "a transaction holds the next seq for two seconds"
    how = "SQL"

    async def strike(self, database: asyncpg.Connection) -> None:
        async with database.transaction():
            await database.execute(
                "insert into public.chat_messages (chat_id, sender_id, message_text) "
                "select chat_id, user_id, 'slow' from public.chat_participants where chat_id = $1 limit 1",
                self.chat,
            )
            await database.execute("select pg_sleep(2)")
        self.struck = True


class OldMessagesMarked(ChatFault):
    what = "a message from before the run gets its receipts in the run"
    how = "SQL"

    async def prepare(self, database: asyncpg.Connection) -> None:
        await database.execute(
            "insert into public.chat_messages (chat_id, sender_id, message_text) "
            "select chat_id, user_id, 'from before' from public.chat_participants where chat_id = $1 limit 1",
            self.chat,
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        self.struck = await database.fetchval(
            "select bool_and(status <> 'sent') from public.chat_messages where chat_id = $1 and message_text = 'from before'",
            self.chat,
        )
