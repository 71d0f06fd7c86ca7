"""One run with every fault of a chat, each in a chat of its own."""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from tests.adversary import expectations
from tests.adversary.faults import Adversary, ChatFault
from tests.adversary.proxy import Proxy
from tests.locustfiles.soaks import Ended, Soak, describe
from tests.staging.stages import ROOT, RunningStage

USERS = "24"
LOAD_S = 48
STRIKE_EVERY_S = 0.2
ENVIRONMENT = {
    "CHATSOAK_WARMUP_S": "1",
    "CHATSOAK_THINK_TIME_S": "0.25",
    "CHATSOAK_CHATS_PER_PERSON": "3",
    "CHATSOAK_BUSY_SHARE": "0",
    "CHATSOAK_REPEAT_SHARE": "0.3",
    "CHATSOAK_HISTORY_SHARE": "0.35",
    "CHATSOAK_RECONNECT_SHARE": "0",
    "CHATSOAK_OUTSIDER_SHARE": "0.1",
}

# What production's schema would prevent: faults need a database that lets them.
PREPARATIONS = ("repeat_seq_rate_prepare", "status_invalid_rate_prepare")


class SharedRun:
    """The run, over.

    Attributes:
        faults: as they were carried out, by name.
        mistakes: of the verdict, by fault.
    """

    def __init__(self, stage: RunningStage, folder: Path, kinds: Sequence[type[ChatFault]]) -> None:
        self.faults = {kind.name(): kind() for kind in kinds}
        adversary = Adversary()
        with Proxy(stage.app_url, adversary) as proxy:
            described = {**describe(stage), **ENVIRONMENT, "NEXT_PUBLIC_SUPABASE_URL": proxy.url}
            options = (
                "--host",
                proxy.url,
                "--users",
                USERS,
                "--spawn-rate",
                USERS,
                "--run-time",
                f"{LOAD_S}s",
            )
            with Soak(folder, *options, environment=described) as soak:
                soak.wait_until("the run is prepared", lambda: bool(soak.chats()))
                chats = busiest_first(soak)
                assert len(chats) > len(kinds), "each fault needs a chat of its own"
                for fault, chat in zip(self.faults.values(), chats, strict=False):
                    fault.chat = chat
                    adversary.by_chat[chat] = fault
                asyncio.run(self._strike(stage, soak))
                self.ended: Ended = soak.end()
        assert proxy.errors == []
        self.folder = (folder / "reports" / "latest").resolve()
        self.expected: dict[str, Any] = expectations.of(self.faults.values())
        self.broken = {criterion for kind in kinds for criterion in kind.breaks}
        expectations.write(self.folder, dict.fromkeys(sorted(self.broken), "fail"), self.expected)
        assert self.ended.verdict, self.ended.output
        self.mistakes = expectations.mistakes(self.ended.verdict, self.expected)

    async def _strike(self, stage: RunningStage, soak: Soak) -> None:
        async with asyncio.TaskGroup() as tasks:
            for statement in PREPARATIONS:
                await _execute(stage, (ROOT / "sql" / "staging" / "faults" / f"{statement}.sql").read_text())
            for fault in self.faults.values():
                tasks.create_task(self._carry_out(stage, soak, fault))

    async def _carry_out(self, stage: RunningStage, soak: Soak, fault: ChatFault) -> None:
        connection = await asyncpg.connect(stage.database_url)
        try:
            await fault.prepare(connection)
            while not fault.struck and "the load stops" not in soak.output():
                await fault.strike(connection)
                await asyncio.sleep(STRIKE_EVERY_S)
        finally:
            await connection.close()


def busiest_first(soak: Soak) -> list[str]:
    """Ids of the run's chats, those first in which most is to be expected: everybody divides their time."""
    (file,) = soak.reports.glob("2*/run.json")
    chats = json.loads(file.read_text())["chats"]
    of_person = Counter(person for chat in chats for person in chat["participants"])
    return [
        chat["id"]
        for chat in sorted(chats, key=lambda chat: -sum(1 / of_person[one] for one in chat["participants"]))
    ]


async def _execute(stage: RunningStage, statement: str) -> None:
    connection = await asyncpg.connect(stage.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def described(run: SharedRun) -> str:
    """The mistakes, for a person."""
    return json.dumps(run.mistakes, indent=1)
