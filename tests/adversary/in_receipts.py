"""Faults in the receipts of a chat."""

import asyncio

import asyncpg

from analysis.evidence import Evidence
from analysis.record.codes import PollKind
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response, answer

HOW = "proxy (HTTP)"
RECEIPT = "/rpc/mark_messages_as"
SLOW_S = 1.0
# A message that was stored this long before the last look is overdue: its receipt left soon after it had arrived, and had
# to show within the target of 5 s. Of later ones that is open.
OVERDUE_S = 12

SENT = """
    select id, sender_id, extract(epoch from created_at) * 1000000 < $2 as overdue from public.chat_messages
    where chat_id = $1 and status = 'sent' and client_generated_id is not null"""


class Stuck(ChatFault):
    """Keeps messages at `sent`, whatever their recipients say."""

    breaks = ("status.stuck",)

    async def conclude(self, database: asyncpg.Connection, record: Evidence) -> None:
        (last_us,) = record.polls.loc[record.polls["kind"] == PollKind.SWEEP, "database_us"]
        for row in await database.fetch(SENT, self.chat.id, float(last_us - OVERDUE_S * 1_000_000)):
            # Whose receipt was the first is open where several had it.
            said = [
                {"message_id": str(row["id"]), "recipient_id": person}
                for person in self.chat.participants
                if person != str(row["sender_id"])
            ]
            (self.named if row["overdue"] else self.may_be_named)["status.stuck"].append(said)


class StatusFrozen(Stuck):
    what = "a trigger keeps every status of a chat at sent"
    how = "SQL (trigger)"
    needs = 25  # for several recipients

    async def prepare(self, database: asyncpg.Connection) -> None:
        await database.execute(
            "create function public.zz_adversary_frozen() returns trigger language plpgsql "
            "as $f$ begin new.status := old.status; return new; end $f$"
        )
        await database.execute(
            "create trigger zz_adversary_frozen before update on public.chat_messages for each row "
            f"when (new.chat_id = '{self.chat.id}') execute function public.zz_adversary_frozen()"
        )

    async def strike(self, database: asyncpg.Connection) -> None:
        self.struck = True


class ReceiptsSwallowed(Stuck):
    what = "receipts are answered and do nothing"
    how = HOW

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if RECEIPT in request.path:
            self.struck = True
            return answer(200, [{"updated_count": 0}])
        return await forward(request)


# What must disturb nobody


class ReceiptsSlow(ChatFault):
    what = "receipts take effect a second late"
    how = HOW

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if RECEIPT in request.path:
            self.struck = True
            await asyncio.sleep(SLOW_S)
        return await forward(request)

    def shows(self, record: Evidence) -> bool:
        marks = self.part(record, "marks")
        return bool(((marks["answered_ns"] - marks["left_ns"]) >= SLOW_S * 1e9).any())
