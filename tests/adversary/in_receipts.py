"""Faults in the receipts of a chat."""

import asyncio
import time

import asyncpg

from analysis.evidence import Evidence
from analysis.record.codes import PollKind
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response, answer
from tests.adversary.truth import READING, Reading

HOW = "proxy (HTTP)"
RECEIPT = "/rpc/mark_messages_as"
SLOW_S = 1.0
# A message that was stored this long before the last look is overdue: its receipt left soon after it had arrived, and had
# to show within the target of 5 s. Of later ones that is open.
OVERDUE_S = 12
# The same from the answer to who said to have read it.
UNREAD_S = 7
CLOSE_NS = 1_000_000_000  # nearer to one another than this, two moments are not put in order

UNREAD = """
    select id, sender_id, status, extract(epoch from created_at) * 1000000 < $2 as overdue from public.chat_messages
    where chat_id = $1 and status in ('sent', 'delivered') and client_generated_id is not null"""


class Stuck(ChatFault):
    """Keeps messages at `sent` or `delivered`, whatever their recipients say."""

    breaks = ("status.stuck",)

    async def conclude(self, database: asyncpg.Connection, record: Evidence) -> None:
        swept = record.polls["kind"] == PollKind.SWEEP
        ((last_us, last_ns),) = record.polls.loc[swept, ["database_us", "at_ns"]].itertuples(index=False)
        for row in await database.fetch(UNREAD, self.chat.id, float(last_us - OVERDUE_S * 1_000_000)):
            message, sender = str(row["id"]), str(row["sender_id"])
            others = [person for person in self.chat.participants if person != sender]
            if row["status"] == "sent":
                must = may = others
            else:
                may, must = self._readers(message, others, int(last_ns))
            # Whose receipt was the first is open where several had it.
            said = [{"message_id": message, "recipient_id": person} for person in may]
            overdue = row["overdue"] if row["status"] == "sent" else bool(must)
            if said:
                (self.named if overdue else self.may_be_named)["status.stuck"].append(said)

    def _readers(self, message: str, others: list[str], last_ns: int) -> tuple[list[str], list[str]]:
        """Who may have said to have read a message, and who certainly had it, said so, and should have been heeded by the last look."""
        stored = self.truth.stored.get(message)
        if stored is None:
            return [], []
        later = [
            one
            for one in self.truth.readings
            if one.chat == self.chat.id and one.person in others and one.answered_ns >= stored.asked_ns
        ]
        certain = [
            one.person
            for one in later
            if self._had(one, message, stored.answered_ns) and one.answered_ns + UNREAD_S * 10**9 < last_ns
        ]
        return [one.person for one in later], certain

    def _had(self, reading: Reading, message: str, answered_ns: int) -> bool:
        shown_ns = self.truth.shown.get((reading.person, message))
        return shown_ns is not None and max(shown_ns, answered_ns) + CLOSE_NS < reading.asked_ns


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


class ReadReceiptsSwallowed(Stuck):
    what = "the word that messages were read is answered and does nothing"
    how = HOW

    def __init__(self) -> None:
        super().__init__()
        self._since_ns: int | None = None

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if READING in request.path:
            self._since_ns = self._since_ns or time.monotonic_ns()
            return answer(200, [{"updated_count": 0}])
        return await forward(request)

    async def strike(self, database: asyncpg.Connection) -> None:
        """It has acted when a message that nobody could mark any more is overdue."""
        now_ns = time.monotonic_ns()
        self.struck = self._since_ns is not None and any(
            bool(
                self._readers(
                    message, [one for one in self.chat.participants if one != stored.sender], now_ns
                )[1]
            )
            for message, stored in self.truth.stored.copy().items()  # the proxy's thread goes on filling it
            if stored.chat == self.chat.id and stored.asked_ns > self._since_ns
        )


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
