"""One run with every fault of a chat, each in a chat of its own."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from analysis.evidence import Evidence, read_evidence
from analysis.record import Chat, read_run
from tests.adversary import expectations
from tests.adversary.expectations import Named
from tests.adversary.faults import Adversary, ChatFault
from tests.adversary.in_database import FROM_BEFORE
from tests.adversary.in_triggers import PREPARATION
from tests.adversary.proxy import Proxy
from tests.adversary.truth import Sent, Truth
from tests.adversary.whole_runs import PATIENT
from tests.analysis.targets import run as run_sql
from tests.locustfiles.soaks import Ended, Soak, describe
from tests.staging.stages import ROOT, RunningStage

USERS = "26"
LONGEST_S = 150  # the load ends sooner, once every fault has acted
AFTERWARDS_S = 4  # for what the last one set off
STRIKE_EVERY_S = 0.2
ON_THE_WAY_NS = 10_000_000_000  # longer than a request takes from the tool to the proxy
ENVIRONMENT = {
    **PATIENT,
    "CHATSOAK_WARMUP_S": "1",
    "CHATSOAK_THINK_TIME_S": "0.25",
    "CHATSOAK_CHATS_PER_PERSON": "4.2",
    "CHATSOAK_BUSY_SHARE": "0",
    "CHATSOAK_REPEAT_SHARE": "0.3",
    "CHATSOAK_HISTORY_SHARE": "0.35",
    "CHATSOAK_RECONNECT_SHARE": "0",
    "CHATSOAK_OUTSIDER_SHARE": "0.1",
}

# What production's schema would prevent: faults need a database that lets them.
PREPARATIONS = ("repeat_seq_rate_prepare", "status_invalid_rate_prepare")

# Every chat has a history from before the run, more than a page of it: all read but for the newest.
HISTORY = 55
SEED_HISTORY = (
    f"""
    create function public.zz_adversary_history() returns trigger language plpgsql security definer as $f$
    begin
      if not exists (select from public.chat_messages where chat_id = new.chat_id) then
        insert into public.chat_messages (chat_id, sender_id, message_text)
        select new.chat_id, new.user_id, '{FROM_BEFORE}' from generate_series(1, {HISTORY});
        update public.chat_messages set status = 'read' where chat_id = new.chat_id and seq < {HISTORY};
      end if;
      return new;
    end $f$""",
    """
    create trigger zz_adversary_history after insert on public.chat_participants
    for each row execute function public.zz_adversary_history()""",
)


class SharedRun:
    """The run, over.

    Attributes:
        faults: as they were carried out, by name.
        shown: those of which the record shows what it should.
        mistakes: of the verdict, by fault.
    """

    def __init__(self, stage: RunningStage, folder: Path, kinds: Sequence[type[ChatFault]]) -> None:
        self.faults = {kind.name(): kind() for kind in kinds}
        adversary = Adversary()
        run_sql(stage.database_url, *SEED_HISTORY, PREPARATION)
        with Proxy(stage.app_url, adversary) as proxy:
            described = {**describe(stage), **ENVIRONMENT, "NEXT_PUBLIC_SUPABASE_URL": proxy.url}
            load = ("--users", USERS, "--spawn-rate", USERS, "--run-time", f"{LONGEST_S}s")
            with Soak(folder, "--host", proxy.url, *load, environment=described) as soak:
                soak.wait_until("the run is prepared", lambda: bool(soak.chats()))
                (self.folder,) = (file.parent for file in soak.reports.glob("2*/run.json"))
                chats = read_run(self.folder).chats
                self._assign(adversary, chats)
                run_sql(stage.database_url, *_without_constraints())
                asyncio.run(self._strike(stage, soak, adversary, chats))
                if soak.process.poll() is None:
                    soak.interrupt()
                self.ended: Ended = soak.end()
        assert proxy.errors == []
        record = read_evidence(self.folder)
        asyncio.run(self._conclude(stage, record))
        self.shown = {name for name, fault in self.faults.items() if fault.struck and fault.shows(record)}
        self.broken = {criterion for kind in kinds for criterion in kind.breaks}
        expected = [_expected(fault) for fault in self.faults.values()]
        expectations.write(self.folder, dict.fromkeys(sorted(self.broken), "fail"), expected)
        assert self.ended.verdict, self.ended.output
        self.mistakes = expectations.mistakes(self.folder, self.ended.verdict, expected)

    def _assign(self, adversary: Adversary, chats: Sequence[Chat]) -> None:
        """Give the busiest chats to the neediest faults."""
        free = busiest_first(chats)
        assert len(free) > sum(1 + fault.spares for fault in self.faults.values()), "too few chats"
        faults = sorted(self.faults.values(), key=lambda fault: -fault.needs)
        for place, fault in enumerate(faults):
            fault.truth, fault.chat = adversary.truth, free.pop(0)
            if (
                fault.spares == 1
            ):  # it cannot do with just any: with one that nobody else will get, or else with a quiet one
                promised = len(faults) - place - 1
                near = max([*free[promised:], *free[:promised][::-1]], key=fault.goes_with)
                free.remove(near)
                fault.others.append(near)
        for fault in faults:
            if fault.spares > 1:  # it takes what is left
                fault.others, free = free[: fault.spares], free[fault.spares :]
            adversary.by_chat |= {chat.id: fault for chat in fault.chats}

    async def _strike(
        self, stage: RunningStage, soak: Soak, adversary: Adversary, chats: Sequence[Chat]
    ) -> None:
        """Prepare everything at once, and let the faults act once everybody is there, as long as the load lasts."""
        everybody = {(person, chat.id) for chat in chats for person in chat.participants}
        carrying = [
            asyncio.create_task(_carry_out(stage, adversary, fault)) for fault in self.faults.values()
        ]
        while "the load stops" not in soak.output() and not all(one.done() for one in carrying):
            adversary.acts = everybody <= adversary.truth.subscribed.keys()
            await asyncio.sleep(STRIKE_EVERY_S)
        await asyncio.sleep(AFTERWARDS_S)
        for one in carrying:
            one.cancel()
        for outcome in await asyncio.gather(*carrying, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome

    async def _conclude(self, stage: RunningStage, record: Evidence) -> None:
        connection = await asyncpg.connect(stage.database_url)
        try:
            for fault in self.faults.values():
                if fault.struck:
                    await fault.conclude(connection, record)
        finally:
            await connection.close()


def busiest_first(chats: Sequence[Chat]) -> list[Chat]:
    """Those first in which most is to be expected: everybody divides their time."""
    of_person = Counter(person for chat in chats for person in chat.participants)
    return sorted(chats, key=lambda chat: -sum(1 / of_person[one] for one in chat.participants))


async def _carry_out(stage: RunningStage, adversary: Adversary, fault: ChatFault) -> None:
    connection = await asyncpg.connect(stage.database_url)
    stored = (
        "select count(*) from public.chat_messages where chat_id = $1 and client_generated_id is not null"
    )
    try:
        await fault.prepare(connection)
        while not fault.struck:
            await asyncio.sleep(STRIKE_EVERY_S)
            if adversary.acts and await connection.fetchval(stored, fault.chat.id) >= 2:
                await fault.strike(connection)
    finally:
        connection.terminate()


def _without_constraints() -> list[str]:
    return [(ROOT / "sql" / "staging" / "faults" / f"{name}.sql").read_text() for name in PREPARATIONS]


def _expected(fault: ChatFault) -> dict[str, Any]:
    """What it calls for, with all that the truth knows of the messages that it names."""
    chats = [chat.id for chat in fault.chats]
    named, may_be_named = (
        {criterion: [_filled(one, fault.truth) for one in names] for criterion, names in said.items()}
        for said in (fault.named, fault.may_be_named)
    )
    if "errors.send" in fault.breaks:
        named["errors.send"] = _attempts(fault.truth.not_acknowledged(*chats), fault.truth)
    return expectations.expected(fault.name(), chats, fault.breaks, named, may_be_named)


def _filled(names: Named, truth: Truth) -> Named:
    return [_known(one["message_id"], truth) | one if "message_id" in one else one for one in names]


def _known(message: str, truth: Truth) -> dict[str, Any]:
    found = truth.stored.get(message)
    if found is None:
        return {}
    known = {"chat_id": found.chat, "seq": found.seq, "sender_id": found.sender}
    return known | ({"client_generated_id": found.key} if found.key else {})


def _attempts(failed: Sequence[Sent], truth: Truth) -> list[Named]:
    """What `errors.send` says of attempts: who sent which message, when it left, and what became of it all the same."""
    became = {
        (one.key, one.sender): {"message_id": message, "seq": one.seq}
        for message, one in truth.stored.items()
    }
    asked_ns: dict[tuple[str, str], list[int]] = defaultdict(list)
    for sent in failed:
        asked_ns[sent.key, sent.sender].append(sent.asked_ns)
    return [
        [
            {
                "client_generated_id": key,
                "sender_id": sender,
                "at_ns": [min(times) - ON_THE_WAY_NS, max(times)],
            }
            | became.get((key, sender), {})
        ]
        for (key, sender), times in asked_ns.items()
        for _ in times
    ]
