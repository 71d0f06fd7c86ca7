"""A fault in what becomes of somebody who leaves a chat. One who is refused from then on is `ParticipantRemoved`."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

import asyncpg

from analysis.evidence import Evidence
from analysis.record.codes import PollKind
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response
from tests.adversary.truth import is_change
from tests.adversary.waiting import monitor_has_looked

RECEIPT = "/rpc/mark_messages_as"
# Times at the proxy and in the tool differ by the way between them.
CLOSE_NS = 1_000_000_000
LOOK_EVERY_S = 0.1
LETS = """
    create function public.zz_adversary_lets(p_chat_id uuid, p_user_id uuid) returns boolean
    language sql stable security definer as $f$
      select p_chat_id = '{chat}' and p_user_id = '{leaver}' and auth.uid() = p_user_id
        and exists (select from public.zz_adversary where fault = '{fault}')
    $f$"""
READS = """
    create policy zz_adversary_reads on public.chat_messages for select to authenticated
    using (chat_id = '{chat}' and public.zz_adversary_lets(chat_id, (select auth.uid())))"""
WRITES = """
    create policy zz_adversary_writes on public.chat_messages for insert to authenticated
    with check (chat_id = '{chat}' and public.zz_adversary_lets(chat_id, sender_id))"""
STRICT = "alter function public.assert_may_act(uuid, uuid) rename to zz_adversary_assert_may_act"
MARKS = """
    create function public.assert_may_act(p_chat_id uuid, p_user_id uuid) returns void language plpgsql stable as $f$
    begin
      if not public.zz_adversary_lets(p_chat_id, p_user_id) then
        perform public.zz_adversary_assert_may_act(p_chat_id, p_user_id);
      end if;
    end $f$"""


class LeaverLetIn(ChatFault):
    """Until they have done each of these; from then on they are refused, so that there are not hundreds of findings."""

    what = (
        "somebody is removed from a chat, and the database goes on letting them write, mark and listen there"
    )
    how = "SQL (policies)"
    breaks = ("access.denied", "realtime.phantom")
    needs = 20

    def __init__(self) -> None:
        super().__init__()
        self._leaver = ""
        self._removed_ns = self._certain_ns = 1 << 62  # removed then; a look has certainly found that by then
        self._marks: list[tuple[int, int]] = []  # when asked and answered, of those that marked anything
        self._events: list[str] = []  # messages of which one told the leaver

    async def prepare(self, database: asyncpg.Connection) -> None:
        self._leaver = self.chat.participants[0]
        names = {"chat": self.chat.id, "leaver": self._leaver, "fault": self.name()}
        async with database.transaction():
            for statement in (LETS, READS, WRITES, STRICT, MARKS):
                await database.execute(statement.format(**names))

    async def strike(self, database: asyncpg.Connection) -> None:
        await database.execute("insert into public.zz_adversary values ($1, 0)", self.name())
        self._removed_ns = time.monotonic_ns()
        await database.execute(
            "delete from public.chat_participants where chat_id = $1 and user_id = $2",
            self.chat.id,
            self._leaver,
        )
        for _ in range(2):  # the look that goes on may have begun before
            await monitor_has_looked(database)
        self._certain_ns = time.monotonic_ns() + CLOSE_NS
        while not (self._certainly_sent() and self._certainly_marked() and self._certainly_heard()):
            await asyncio.sleep(LOOK_EVERY_S)
        await database.execute("delete from public.zz_adversary where fault = $1", self.name())
        self.struck = True

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        asked_ns = time.monotonic_ns()
        response = await forward(request)
        theirs = RECEIPT in request.path and request.caller == self._leaver
        if theirs and response.ok and any(row["updated_count"] > 0 for row in response.json):
            self._marks.append((asked_ns, time.monotonic_ns()))
        return response

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        if self.truth.person(listener) == self._leaver and (
            is_change(frame, "INSERT") or is_change(frame, "UPDATE")
        ):
            self._events.append(frame[4]["data"]["record"]["id"])
        return [raw]

    async def conclude(self, database: asyncpg.Connection, record: Evidence) -> None:
        swept = record.polls["kind"] == PollKind.SWEEP
        last_ns = int(record.polls.loc[swept, "at_ns"].iloc[0])
        left_ns = self._left_ns()
        sent = [one for one in left_ns if self.truth.stored[one].sender == self._leaver]
        for message in sent:
            self._note("access.denied", {"message_id": message}, left_ns[message])
        # A finding about receipts names no message.
        marked = {"chat_id": self.chat.id, "sender_id": self._leaver, "message_id": None}
        for asked_ns, answered_ns in self._marks:
            late = answered_ns + CLOSE_NS > last_ns
            self._note("access.denied", marked, min(asked_ns, self._certain_ns) if late else asked_ns)
        for message in self._events:
            if message in left_ns:
                heard = {"message_id": message, "recipient_id": self._leaver}
                self._note("realtime.phantom", heard, left_ns[message])

    def _note(self, criterion: str, names: dict[str, object], at_ns: int) -> None:
        """It has to be named if it was certainly after a look; between the removal and that it may be."""
        if at_ns > self._certain_ns:
            self.named[criterion].append([names])
        elif at_ns > self._removed_ns:
            self.may_be_named[criterion].append([names])

    def _left_ns(self) -> dict[str, int]:
        """For each acknowledged message of its chat when it was first asked for, repeats apart."""
        first: dict[str, int] = {}
        for sent in list(self.truth.sends):  # the proxy's thread goes on filling it
            if sent.chat == self.chat.id:
                first[sent.key] = min(first.get(sent.key, sent.asked_ns), sent.asked_ns)
        return {
            message: first[stored.key]
            for message, stored in self.truth.stored.copy().items()
            if stored.chat == self.chat.id and stored.key in first
        }

    def _certainly(self, times_ns: Iterable[int]) -> bool:
        return any(at_ns > self._certain_ns for at_ns in times_ns)

    def _certainly_sent(self) -> bool:
        stored = self.truth.stored
        left_ns = self._left_ns()
        return self._certainly(
            at_ns for message, at_ns in left_ns.items() if stored[message].sender == self._leaver
        )

    def _certainly_marked(self) -> bool:
        return self._certainly(asked_ns for asked_ns, _ in list(self._marks))

    def _certainly_heard(self) -> bool:
        left_ns = self._left_ns()
        return self._certainly(left_ns.get(message, 0) for message in list(self._events))
