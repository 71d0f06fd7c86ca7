"""Faults of somebody who repairs a chat by hand: a row put back, a counter set back, a message numbered anew."""

from typing import Any

import asyncpg

from tests.adversary.faults import ChatFault
from tests.adversary.in_database import InDatabase
from tests.adversary.proxy import Forward, Request, Response
from tests.adversary.truth import is_send
from tests.adversary.waiting import monitor_has_looked, realtime_has_read

TAKE_OUT = "delete from public.chat_messages m where id = $1 returning to_jsonb(m)::text"
PUT_BACK = """
    insert into public.chat_messages
    select * from jsonb_populate_record(null::public.chat_messages, $1::text::jsonb)"""
NEXT_SEQ = """
    update public.chat_seq_counters set last_seq = last_seq + 1 where chat_id = $1 returning last_seq"""
SET_BACK = """
    update public.chat_seq_counters c set last_seq = last_seq - 1
    where chat_id = $1 and not exists (
      select from public.chat_messages m where m.chat_id = c.chat_id and m.client_generated_id is not null
    ) returning last_seq + 1"""


class RowPutBack(InDatabase):
    """As it was, so that its second INSERT shows it as read. One that is not read yet might be marked while it is away."""

    what = "a stored message is deleted, and put back as it was when a look has missed it"
    breaks = ("messages.lost", "realtime.duplicated", "status.invalid")
    statuses = ("read",)

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        await realtime_has_read(database)
        message, taken = str(row["id"]), await database.fetchval(TAKE_OUT, row["id"])
        for _ in range(2):  # the look that goes on may have begun before
            await monitor_has_looked(database)
        async with database.transaction():
            await database.execute(
                "set local session_replication_role = replica"
            )  # it has a seq and a status
            await database.execute(PUT_BACK, taken)
        self.must_name("messages.lost", {"message_id": message})
        self.must_name("status.invalid", {"message_id": message})
        for person in self.chat.participants:
            self.must_name("realtime.duplicated", {"message_id": message, "recipient_id": person})


class CounterSetBack(ChatFault):
    """Before anybody writes: a number so low would be out of order, too, after any other message of the run."""

    what = "a chat's counter is set back by one before the run's first message, which gets the number of one from before the run"
    how = "SQL"
    breaks = ("seq.duplicates",)
    needs = 2  # on a second page of history one of the two could rightly be missing

    def __init__(self) -> None:
        super().__init__()
        self._seq: int | None = None

    async def prepare(self, database: asyncpg.Connection) -> None:
        self._seq = await database.fetchval(SET_BACK, self.chat.id)
        assert self._seq, "somebody was there first"

    async def strike(self, database: asyncpg.Connection) -> None:
        message = await database.fetchval(
            "select id from public.chat_messages where chat_id = $1 and seq = $2 and client_generated_id is not null",
            self.chat.id,
            self._seq,
        )
        if message is not None:
            self.touch(message_id=str(message), seq=self._seq)


class NumberedAnew(InDatabase):
    what = "a stored message gets the next number of its chat, in place of its own"
    breaks = ("messages.corrupted",)
    statement = "update public.chat_messages set seq = $2 where id = $1"

    async def harm(self, database: asyncpg.Connection, row: Any) -> None:
        async with database.transaction():
            seq = await database.fetchval(NEXT_SEQ, self.chat.id)
            await database.execute(self.statement, row["id"], seq)
        self.touch(message_id=str(row["id"]), seq=seq)


class NumberedAnewUntold(NumberedAnew):
    """Only looks can tell it: there is no answer to hold it against."""

    what = "the same where answers to sends tell no number"
    how = "SQL, proxy (HTTP)"
    from_the_start = True

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        response = await forward(request)
        if is_send(request) and response.ok:
            return response.with_json({name: value for name, value in response.json.items() if name != "seq"})
        return response
