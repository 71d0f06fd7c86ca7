"""Faults done by a trigger, to a message while it is stored."""

from typing import Any

import asyncpg

from tests.adversary.faults import ChatFault

# When each trigger is to act: as seq of its chat. Triggers are made before the load, because making one waits for every open
# transaction, and has everybody else wait meanwhile; this says later what they do.
PREPARATION = "create table public.zz_adversary (fault text primary key, at bigint not null)"


class OnInsert(ChatFault):
    """Does something to one message while it is stored, by a trigger that runs after the app's own."""

    how = "SQL (trigger)"
    body = ""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0

    async def prepare(self, database: asyncpg.Connection) -> None:
        name = f"zz_adversary_{self.name()}"
        await database.execute(
            f"create function public.{name}() returns trigger language plpgsql security definer as $f$ "
            f"declare v_at bigint := (select at from public.zz_adversary where fault = '{self.name()}'); "
            f"begin {self.body} return new; end $f$"
        )
        await database.execute(
            f"create trigger {name} before insert on public.chat_messages for each row "
            f"when (new.chat_id = '{self.chat.id}') execute function public.{name}()"
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        if not self._at:
            self._at = await database.fetchval(
                "insert into public.zz_adversary select $1, last_seq + 3 from public.chat_seq_counters "
                "where chat_id = $2 returning at",
                self.name(),
                self.chat.id,
            )
        rows = await database.fetch(
            "select id, seq from public.chat_messages where chat_id = $1 and seq = $2", self.chat.id, self._at
        )
        if rows:
            self.note(rows)

    def note(self, rows: list[Any]) -> None:
        """Write down whom it touched: whose seq is the one at which it acts."""
        self.touch(message_id=str(rows[0]["id"]))


class TextCutOnInsert(OnInsert):
    what = "a text is cut while it is stored"
    breaks = ("messages.corrupted",)
    body = "if new.seq = v_at then new.message_text := left(new.message_text, -1) || '…'; end if;"


class DeliveredAtOnce(OnInsert):
    what = "a new message is stored as delivered, before anybody can have received it"
    breaks = ("status.invalid",)
    body = "if new.seq = v_at then new.status := 'delivered'; end if;"


class SeqGivenTwice(OnInsert):
    what = "two messages get the same seq"
    breaks = ("seq.duplicates",)
    body = """
        if new.seq = v_at + 1 and not exists (
          select from public.chat_messages where chat_id = new.chat_id and seq = v_at offset 1
        ) then
          new.seq := v_at;
          update public.chat_seq_counters set last_seq = v_at where chat_id = new.chat_id;
        end if;"""

    def note(self, rows: list[Any]) -> None:
        if len(rows) > 1:
            said = [{"message_id": str(row["id"]), "seq": self._at} for row in rows]
            self.must_name("seq.duplicates", *said)


class SeqLeftForLater(OnInsert):
    what = "a message gets a seq below those of messages sent long before"
    breaks = ("seq.order", "realtime.reordered")
    needs = 30
    body = """
        if new.seq = v_at then
          new.seq := v_at + 1;
          update public.chat_seq_counters set last_seq = v_at + 1 where chat_id = new.chat_id;
        elsif new.seq = v_at + 6 and not exists (
          select from public.chat_messages where chat_id = new.chat_id and seq = v_at
        ) then
          new.seq := v_at;
          update public.chat_seq_counters set last_seq = v_at + 5 where chat_id = new.chat_id;
        end if;"""

    def note(self, rows: list[Any]) -> None:
        message = str(rows[0]["id"])
        self.must_name("seq.order", {"message_id": message})
        for person in self.chat.participants:
            self.must_name("realtime.reordered", {"message_id": message, "recipient_id": person})


class InsertRefusedByTrigger(OnInsert):
    what = "a trigger lets no further row of a chat in"
    breaks = ("errors.send",)
    body = "if new.seq >= v_at then raise exception 'no'; end if;"

    async def strike(self, database: asyncpg.Connection) -> None:
        await super().strike(database)
        self.struck = bool(self.truth.not_acknowledged(self.chat.id))
