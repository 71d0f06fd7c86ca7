"""The monitor's life: baseline, looks until it is told to finish, last sweep.

Protocol with whoever started it, in lines: on stdout ``{"ready": true}`` once the baseline is taken, then
``{"finding": {…}}`` as they are seen; on stdin ``finish``, or its end when the starter died. SIGINT is
ignored, because a terminal's Ctrl-C reaches everybody and the starter decides; SIGTERM means finish, too.
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

import asyncpg

from analysis.criteria import Finding
from analysis.errors import RecordError, TargetError
from analysis.monitor import looks
from analysis.monitor.memory import Look, Memory
from analysis.monitor.sends import unseen_sends
from analysis.monitor.telemetry import STATEMENTS_FILE, Telemetry, content
from analysis.record import ProcessInfo, RecordWriter, Run, read_run
from analysis.record.run import write_json
from analysis.record.tables import DATABASE_TABLES, PollKind
from analysis.settings import Settings
from analysis.target.database import connect

GAUGES_EVERY_S = 5.0
RECONNECT_S = 0.5  # pause before the next attempt, on top of the interval
SWEEP_ATTEMPTS_S = 60.0  # how long the last sweep waits for a database that is away

SESSION = {
    "application_name": "chatsoak-monitor",
    "default_transaction_read_only": "on",
    "statement_timeout": "60000",
    "lock_timeout": "5000",
    "timezone": "UTC",
}


async def watch(folder: Path, settings: Settings) -> None:
    """Watch the database for the run in `folder` until told to finish.

    Raises:
        ChatsoakError: the run or the database cannot be read at the start.
    """
    finish = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    loop.add_signal_handler(signal.SIGTERM, finish.set)
    listening = asyncio.create_task(_listen(finish))
    run = read_run(folder)
    monitor = _Monitor(folder, run, settings)
    try:
        await monitor.begin()
        print(json.dumps({"ready": True, "chats": len(run.chats)}), flush=True)  # noqa: T201 - the protocol
        while not finish.is_set():
            began = time.monotonic()
            await monitor.look()
            pause_s = settings.chatsoak_monitor_interval_s - (time.monotonic() - began)
            if pause_s > 0:
                await _wait(finish, pause_s)
        await monitor.end()
    finally:
        listening.cancel()
        await monitor.close()


async def _listen(finish: asyncio.Event) -> None:
    """Set `finish` at the line of that name, or at the end of stdin."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        if line.strip() == b"finish":
            break
    finish.set()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return


class _Monitor:
    def __init__(self, folder: Path, run: Run, settings: Settings) -> None:
        self._folder = folder
        self._run = run
        self._settings = settings
        self._connection: asyncpg.Connection | None = None
        self._telemetry = Telemetry()
        self._gauges_due = 0.0
        self._polls = 0
        self._began_us = 0
        self._memory = Memory({})
        self._record: RecordWriter | None = None
        self._findings: TextIO | None = None

    async def begin(self) -> None:
        """Take the baseline."""
        self._connection = await connect(self._settings, server_settings=SESSION)
        try:
            async with looks.snapshot(self._connection) as taken:
                found = await looks.baseline(self._connection, [chat.id for chat in self._run.chats])
        except asyncpg.PostgresError as error:
            raise TargetError(
                f"The monitor cannot read chat_messages ({error}); may the user of DATABASE_URL, "
                "and are the migrations applied?"
            ) from None
        self._began_us = taken.database_us
        self._memory = Memory({chat: seq for chat, seq, _ in found})
        self._record = RecordWriter(self._folder / "database", DATABASE_TABLES, ProcessInfo.here("monitor"))
        try:
            self._findings = (self._folder / "database" / "findings.jsonl").open("a", encoding="utf-8")
        except OSError as error:
            raise RecordError(f"Findings cannot be written to {self._folder}: {error.strerror}.") from None
        for row in found:
            self._record.adder("baseline")(row)
        self._record.flush()

    async def look(self) -> None:
        """One poll; a database that is away costs a failed poll and a reconnect."""
        await self._attempt(PollKind.POLL, self._poll)
        assert self._record is not None
        self._record.flush()

    async def end(self) -> None:
        """The last sweep; waits for a database that is away, within bounds."""
        unseen = unseen_sends(self._folder, self._memory.all())

        async def sweep(connection: asyncpg.Connection, number: int, taken: looks.Snapshot) -> Look:
            return await looks.sweep(connection, self._memory, number, taken, self._began_us, unseen)

        deadline = time.monotonic() + SWEEP_ATTEMPTS_S
        while not await self._attempt(PollKind.SWEEP, sweep) and time.monotonic() < deadline:
            await asyncio.sleep(RECONNECT_S)
        if self._connection is not None and not self._connection.is_closed():
            await self._read_gauges(self._connection)
            statements = await self._telemetry.statements(self._connection)
            write_json(self._folder / "database" / STATEMENTS_FILE, content(self._telemetry, statements))

    async def close(self) -> None:
        """Close the record and the connection."""
        if self._record is not None:
            self._record.close()
        if self._findings is not None:
            self._findings.close()
        if self._connection is not None:
            self._connection.terminate()

    async def _poll(self, connection: asyncpg.Connection, number: int, taken: looks.Snapshot) -> Look:
        return await looks.poll(connection, self._memory, number, taken)

    async def _attempt(
        self,
        kind: PollKind,
        look: Callable[[asyncpg.Connection, int, looks.Snapshot], Awaitable[Look]],
    ) -> bool:
        number, self._polls = self._polls, self._polls + 1
        began_ns = time.monotonic_ns()
        assert self._record is not None
        add = self._record.adder("polls")
        try:
            connection = await self._connected()
            if kind is PollKind.POLL and time.monotonic() >= self._gauges_due:
                await self._read_gauges(connection)
            began_ns = time.monotonic_ns()
            async with looks.snapshot(connection) as taken:
                seen = await look(connection, number, taken)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError, TargetError) as error:
            said = f"{type(error).__name__}: {error}"
            add((number, PollKind.FAILED, began_ns, _ms_since(began_ns), None, None, 0, 0, 0, said))
            if self._connection is not None:
                self._connection.terminate()
                self._connection = None
            return False
        duration_ms = _ms_since(began_ns)
        add(
            (
                number,
                kind,
                taken.at_ns,
                duration_ms,
                taken.database_us,
                taken.xmin,
                seen.new,
                seen.changed,
                seen.gone,
                None,
            )
        )
        observe = self._record.adder("observations")
        for row in seen.observations:
            observe(row)
        self._tell(seen.findings)
        return True

    async def _connected(self) -> asyncpg.Connection:
        """The connection; a lost one is made anew, with a pause after a failure."""
        if self._connection is None or self._connection.is_closed():
            try:
                self._connection = await connect(self._settings, server_settings=SESSION)
            except TargetError:
                await asyncio.sleep(RECONNECT_S)
                raise
        return self._connection

    async def _read_gauges(self, connection: asyncpg.Connection) -> None:
        assert self._record is not None
        self._gauges_due = time.monotonic() + GAUGES_EVERY_S
        at_ns = time.monotonic_ns()
        for name, value in await self._telemetry.read(connection):
            self._record.adder("gauges")((at_ns, name, value))

    def _tell(self, findings: list[Finding]) -> None:
        assert self._findings is not None
        for finding in findings:
            said = {name: value for name, value in asdict(finding).items() if value is not None}
            self._findings.write(json.dumps(said, ensure_ascii=False) + "\n")
            print(json.dumps({"finding": said}), flush=True)  # noqa: T201 - the protocol
        self._findings.flush()


def _ms_since(began_ns: int) -> float:
    return (time.monotonic_ns() - began_ns) / 1e6
