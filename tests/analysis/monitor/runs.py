"""A run to be watched: people and chats put straight into a database, and the monitor over it, in or out of process."""

import asyncio
import copy
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg

from analysis.monitor.process import Monitor
from analysis.record import Chat, Person, Run, monitor_folder, read_run, read_table
from analysis.record.codes import ObservedChange, PollKind
from analysis.record.tables import DATABASE_TABLES
from tests.analysis.targets import ROOT, Target, bare_environment, run

PATIENCE_S = 20.0
INTERVAL_S = "0.1"


class WatchedRun:
    """A run in `folder` whose chats are in the database of `target`; each is of the same two people."""

    def __init__(self, folder: Path, target: Target, chats: int = 1) -> None:
        self.folder = folder
        self.target = target.but(CHATSOAK_MONITOR_INTERVAL_S=INTERVAL_S)
        self.database_folder = monitor_folder(folder)
        self.database = target.environment["DATABASE_URL"]
        self.people = [str(uuid.uuid4()) for _ in range(2)]
        self.chats = [str(uuid.uuid4()) for _ in range(chats)]
        for person in self.people:
            run(
                self.database,
                f"insert into auth.users (id, email) values ('{person}', '{person}@example.com')",
                f"insert into accounts (id, name, email) values ('{person}', 'p', '{person}@example.com')",
            )
        rows = ", ".join(f"('{chat}', 'group', '{self.people[0]}')" for chat in self.chats)
        run(self.database, f"insert into chats (id, type, created_by) values {rows}")
        Run(
            run_id="test",
            host=target.host,
            embedded=True,
            settings={},
            versions={},
            people=[Person(person, f"{person}@example.com") for person in self.people],
            chats=[Chat(chat, "group", tuple(self.people), 1.0) for chat in self.chats],
        ).write(folder)

    @property
    def chat(self) -> str:
        return self.chats[0]

    def insert(self, count: int = 1, chat: str | None = None) -> str:
        """The statement that stores `count` messages of the first person."""
        return (
            "insert into chat_messages (chat_id, sender_id, message_text) "
            f"select '{chat or self.chat}', '{self.people[0]}', 'message ' || n from generate_series(1, {count}) n"
        )

    def send(self, count: int = 1, chat: str | None = None) -> None:
        run(self.database, self.insert(count, chat))

    def do(self, *statements: str) -> None:
        run(self.database, *statements)

    def part_of_successor(self) -> "WatchedRun":
        """This run, as the monitor that took over has written it down."""
        part = copy.copy(self)
        part.database_folder = monitor_folder(self.folder, successor=True)
        return part

    def monitor(self) -> Monitor:
        return Monitor(self.folder, read_run(self.folder), self.target.settings)

    def table(self, name: str) -> list[dict[str, Any]]:
        part = read_table(self.database_folder, name, DATABASE_TABLES[name])
        return part.table.to_pylist()

    def changes(self) -> list[tuple[str, int | None]]:
        """What the looks found, in order: APPEARED, CHANGED or GONE, and the seq."""
        return [(ObservedChange(row["change"]).name, row["seq"]) for row in self.table("observations")]

    def kinds(self) -> list[str]:
        return [PollKind(row["kind"]).name for row in self.table("polls")]

    def findings(self) -> list[dict[str, Any]]:
        file = self.database_folder / "findings.jsonl"
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    def whys(self) -> list[str]:
        return [finding["why"] for finding in self.findings()]

    def watch(self, *steps: Callable[[], object] | None, sweep: bool = True) -> None:
        """Baseline; then each step and a poll after it (None: a poll alone); then the last sweep."""

        async def watching() -> None:
            monitor = self.monitor()
            try:
                await monitor.begin()
                for step in steps:
                    if step is not None:
                        await asyncio.to_thread(step)
                    await monitor.poll()
                if sweep:
                    await monitor.end(0.0)
            finally:
                monitor.close()

        asyncio.run(watching())


class MonitorProcess:
    """`chatsoak monitor` as a process of its own."""

    def __init__(self, watched: WatchedRun, *options: str) -> None:
        self.watched = watched
        self.process = subprocess.Popen(
            [sys.executable, "-m", "analysis.cli", "monitor", "--run", str(watched.folder), *options],
            cwd=ROOT,
            env={**bare_environment(), **watched.target.environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def line(self) -> dict[str, Any]:
        """The next line that it says, but for its count of looks."""
        assert self.process.stdout is not None
        said: dict[str, Any] = {"look": None}
        while "look" in said:
            said = json.loads(self.process.stdout.readline())
        return said

    def finish(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write("finish\n")
        self.process.stdin.flush()
        return self.process.wait(PATIENCE_S)


@contextmanager
def monitor_process(watched: WatchedRun, *options: str) -> Iterator[MonitorProcess]:
    """The process, gone afterwards."""
    monitor = MonitorProcess(watched, *options)
    try:
        yield monitor
    finally:
        if monitor.process.poll() is None:
            monitor.process.kill()
        monitor.process.wait(PATIENCE_S)
        for stream in (monitor.process.stdin, monitor.process.stdout, monitor.process.stderr):
            if stream is not None and not stream.closed:
                # What we said to a process that has ended is still in the buffer of our end.
                try:
                    stream.close()
                except BrokenPipeError:
                    assert stream is monitor.process.stdin


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for `condition`, bounded."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in {PATIENCE_S:.0f} s it did not come about that {what}"
        time.sleep(0.02)


async def fetch(database: str, statements: Sequence[str], query: str, *arguments: Any) -> list[Any]:
    """Run `statements`, then what `query` answers, in one session."""
    connection = await asyncpg.connect(database)
    try:
        for statement in statements:
            await connection.execute(statement)
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
