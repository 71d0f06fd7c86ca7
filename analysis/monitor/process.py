"""The monitor's life: baseline, looks until it is told to finish, last sweep. One that takes over from a monitor that was
killed has no baseline of its own: it goes on from what that one had written down, and looks at every row again at once.

Protocol with whoever started it, in lines: on stdout ``{"ready": true}`` once the baseline is taken, then
``{"finding": {…}}`` as they are seen; on stdin ``finish``, or its end when the starter died. SIGINT is
ignored, because a terminal's Ctrl-C reaches everybody and the starter decides; SIGTERM means finish as well,
without waiting for a database that is away.
"""

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import UUID

import asyncpg

from analysis.errors import RecordError, TargetError
from analysis.monitor import looks
from analysis.monitor.answers import Answered, Answers
from analysis.monitor.connection import FAILURES, Database
from analysis.monitor.findings import JUDGED
from analysis.monitor.journal import Journal
from analysis.monitor.memberships import PART, Memberships
from analysis.monitor.memory import Hole, Look, Memory
from analysis.monitor.predecessor import read_predecessor
from analysis.monitor.sends import Sends, unseen_sends
from analysis.monitor.server import ServerWatch
from analysis.record import Run, monitor_folder, read_run
from analysis.record.codes import PollKind
from analysis.settings import Settings

SWEEP_ATTEMPTS_S = 60.0  # how long the last sweep waits for a database that is away
# How long after the last sweep transactions that may hold a missing seq are waited for, and how often we look.
TRANSACTIONS_S = 10.0
TRANSACTIONS_EVERY_S = 0.25


async def watch(folder: Path, settings: Settings, *, take_over: bool = False) -> None:
    """Watch the database for the run in `folder` until told to finish.

    Args:
        take_over: go on where a monitor of this run was killed.

    Raises:
        ChatsoakError: the run or the database cannot be read at the start.
    """
    finish, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: None)

    def terminate() -> None:
        hurry.set()
        finish.set()

    loop.add_signal_handler(signal.SIGTERM, terminate)
    run = read_run(folder)
    monitor = Monitor(folder, run, settings)
    try:
        await (monitor.take_over() if take_over else monitor.begin())
        _listen(lambda: loop.call_soon_threadsafe(finish.set))
        while not finish.is_set():
            began = time.monotonic()
            await monitor.poll()
            await _wait(finish, settings.chatsoak_monitor_interval_s - (time.monotonic() - began))
        await monitor.end(0.0 if hurry.is_set() else SWEEP_ATTEMPTS_S)
    finally:
        monitor.close()


def _listen(finish: Callable[[], object]) -> None:
    """Call `finish` at the line of that name on stdin, or at its end.

    In a thread, because stdin may be anything, and the event loop takes pipes only; with plain reads, because a
    thread that waits in ``sys.stdin`` holds a lock that the interpreter needs in order to end.
    """
    descriptor = sys.stdin.fileno()

    def listen() -> None:
        heard = b""
        while said := os.read(descriptor, 4096):
            *lines, heard = (heard + said).split(b"\n")
            if b"finish" in (line.strip() for line in lines):
                break
        finish()

    threading.Thread(target=listen, name="stdin", daemon=True).start()


async def _wait(event: asyncio.Event, seconds: float) -> None:
    """Until `event`, or for `seconds`."""
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return


class Monitor:
    """The looks at one run's rows, and what is written down of them."""

    def __init__(self, folder: Path, run: Run, settings: Settings) -> None:
        self._folder = folder
        self._run = run
        self._database = Database(settings)
        self._server: ServerWatch | None = None
        self._looks = 0
        self._at_everything = False  # with the next poll
        self._began_us: int | None = None  # when the baseline was taken, by the database's clock
        self._baseline_ns = 0  # the same by ours, of a monitor that took over
        self._people = [UUID(person.id).bytes for person in run.people]
        self._memory = Memory({}, self._people)
        self._memberships = Memberships(chat.id for chat in run.chats)
        self._sends = Sends(folder)
        self._answers = Answers()
        self._answered: list[Answered] = []  # and not held against a look yet
        self._journal: Journal | None = None

    async def begin(self) -> None:
        """Take the baseline, and say that we are ready.

        Raises:
            TargetError: the database cannot be read.
            RecordError: the run's folder cannot be written.
        """
        connection = await self._database.connection()
        try:
            async with looks.snapshot(connection) as taken:
                found = await looks.baseline(connection, [chat.id for chat in self._run.chats])
                participants = await self._memberships.look(connection, taken.at_ns)
        except asyncpg.PostgresError as error:
            raise TargetError(
                f"The monitor cannot read chat_messages ({error}); may the user of DATABASE_URL, "
                "and are the migrations applied?"
            ) from None
        self._memory = Memory({chat: seq for chat, seq, _ in found}, self._people)
        self._begin_at(taken.database_us)
        self._journal = Journal(monitor_folder(self._folder))
        self._journal.write("memberships", participants)
        if self._memberships.left_out is not None:
            row = (time.monotonic_ns(), PART, self._memberships.left_out, True)
            self._journal.write("left_out", [row])
        self._journal.baseline(found)
        self._server = ServerWatch(self._journal.write)
        await self._watch_server(self._server.begin)
        self._journal.say({"ready": True, "chats": len(found), "judges": JUDGED})

    async def take_over(self) -> None:
        """Remember what a monitor that was killed had seen, and say that we are ready. The database may be away.

        Raises:
            RecordError: it left nothing to go on from, or the run's folder cannot be written.
        """
        before = read_predecessor(monitor_folder(self._folder), self._people)
        self._sends.skip()
        self._memory, self._looks, self._baseline_ns = before.memory, before.looks, before.baseline_ns
        self._memberships = Memberships((chat.id for chat in self._run.chats), before.memberships)
        self._at_everything = True
        self._journal = Journal(monitor_folder(self._folder, successor=True), before.stored)
        if before.unfinished is not None:
            killed = InterruptedError("the monitor was killed during this look")
            self._journal.failed(before.unfinished, before.unfinished.at_ns, killed)
        self._server = ServerWatch(self._journal.write)

        async def resume(connection: asyncpg.Connection) -> None:
            assert self._server is not None
            await self._server.resume(connection, before.statements)

        await self._watch_server(resume)
        self._journal.say({"ready": True, "chats": len(self._run.chats), "judges": JUDGED})

    async def poll(self) -> None:
        """One poll; a database that is away costs a failed one."""

        async def look_once(connection: asyncpg.Connection, look: Look) -> None:
            self._answers.take_in(self._answered)
            self._answered.clear()
            await looks.poll(connection, self._memory, look, self._answers, at_everything=self._at_everything)

        assert self._server is not None
        await self._watch_server(self._server.look)
        # Before the snapshot is taken: whatever was acknowledged by then has to be in it.
        self._answered += self._sends.new()
        if await self._look(PollKind.POLL, look_once) is not None:
            self._at_everything = False

    async def end(self, patience_s: float) -> None:
        """The last sweep; waits at most `patience_s` for a database that is away, and for transactions that run on.

        Raises:
            RecordError: the run's own record cannot be read, so that sends without a row were not looked up.
        """
        problem: RecordError | None = None
        unseen: list[looks.UnseenSend] = []
        try:
            unseen = unseen_sends(self._folder, self._memory)
        except RecordError as error:
            problem = error

        async def sweep(connection: asyncpg.Connection, look: Look) -> None:
            assert self._began_us is not None
            await looks.sweep(connection, self._memory, look, self._began_us, unseen)

        deadline = time.monotonic() + patience_s
        while (swept := await self._look(PollKind.SWEEP, sweep)) is None:
            if time.monotonic() >= deadline:
                break
        else:
            await self._await_transactions(swept, min(patience_s, TRANSACTIONS_S))
            await self._end_server()
        if problem is not None:
            raise problem

    async def _await_transactions(self, swept: looks.Snapshot, patience_s: float) -> None:
        """Where seqs are missing: look again until every transaction that ran at the last sweep has ended."""
        deadline = time.monotonic() + patience_s
        while holes := self._memory.holes():

            async def look_into(
                connection: asyncpg.Connection, look: Look, holes: list[Hole] = holes
            ) -> None:
                await looks.look_into(connection, self._memory, holes, look)

            taken = await self._look(PollKind.HOLES, look_into)
            if (taken is not None and taken.xmin >= swept.next_xid) or time.monotonic() >= deadline:
                break
            await asyncio.sleep(TRANSACTIONS_EVERY_S)

    def close(self) -> None:
        """Close the record and the connection."""
        self._database.drop()
        if self._journal is not None:
            self._journal.close()

    async def _look(
        self, kind: PollKind, see: Callable[[asyncpg.Connection, Look], Awaitable[None]]
    ) -> looks.Snapshot | None:
        """One look, written down whether it comes to its end or not; None when it does not."""
        assert self._journal is not None
        began_ns = time.monotonic_ns()
        look = Look(self._looks, began_ns)
        self._looks += 1
        try:
            connection = await self._database.connection()
            began_ns = time.monotonic_ns()
            async with looks.snapshot(connection) as taken:
                look.at_ns = taken.at_ns
                if self._began_us is None:
                    self._begin_at(taken.database_us - (taken.at_ns - self._baseline_ns) // 1000)
                await see(connection, look)
                # At once: what was seen stays seen though the look may not come to its end, and no later one tells it again.
                self._journal.write("memberships", await self._memberships.look(connection, taken.at_ns))
                self._memory.gaps(look, taken.xmin, taken.next_xid)
        except FAILURES as error:
            self._database.drop()
            self._journal.failed(look, began_ns, error)
            return None
        self._journal.looked(kind, look, taken, began_ns)
        return taken

    def _begin_at(self, database_us: int) -> None:
        """The run begins here, by the database's clock."""
        self._began_us = self._memory.began_us = database_us

    async def _watch_server(self, see: Callable[[asyncpg.Connection], Awaitable[None]]) -> bool:
        """The server's figures; when the connection is lost meanwhile, the next look notices it and says so."""
        try:
            await see(await self._database.connection())
        except FAILURES:
            self._database.drop()
            return False
        return True

    async def _end_server(self) -> None:
        """The server's figures after the last look; a connection that is lost meanwhile is made anew once."""
        chats, seqs = self._memory.frontiers
        newest = dict(zip(chats, seqs, strict=True))

        async def see(connection: asyncpg.Connection) -> None:
            assert self._server is not None
            await self._server.end(connection, newest)

        if not await self._watch_server(see):
            await self._watch_server(see)
