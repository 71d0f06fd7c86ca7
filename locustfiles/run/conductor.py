"""Owns the runs of a Locust process that decides: the local one, or the master.

``prepare`` (people, chats, folder, monitor) → ``start`` (load processes open) → users run → ``end`` (cease,
drain, last look, report). Each is safe to call again: Locust's events overlap, e.g. when a run time is over
while somebody presses Ctrl-C, and a caller may be killed in the middle.
"""

import json
import logging
import platform
import shutil
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import gevent
from gevent.event import Event

from analysis.errors import ChatsoakError, RecordError, TargetError
from analysis.record import Chat, Person, Run, new_run_id
from locustfiles.run.assignment import Assignment
from locustfiles.run.children import run_chatsoak
from locustfiles.run.crew import Crew
from locustfiles.run.live import Live
from locustfiles.run.monitor import Monitor
from locustfiles.run.progress import as_terminal, waiting
from locustfiles.run.target import Target

logger = logging.getLogger(__name__)

FEWEST_PEOPLE = 2  # a chat needs two
VERDICT_CODES = (0, 1, 3)  # pass, fail, inconclusive
INCONCLUSIVE = 3


class Conductor:
    """The runs on one target.

    Attributes:
        verdict_code: exit code of the latest run's verdict; None before the first has ended.
        live: what is known of the newest run so far.
        report: the latest run's report; None when it could not be judged.
        closing: the closing summary of the latest run, for a terminal.
    """

    def __init__(self, target: Target, crew: Crew) -> None:
        self.target = target
        self.verdict_code: int | None = None
        self.report: Path | None = None
        self.closing = ""
        self.live = Live()
        self._crew = crew
        self._run: Run | None = None
        self._folder = Path()
        self._users = 0
        self._monitor: Monitor | None = None
        self._started = False
        self._preparing: gevent.Greenlet | None = None
        self._ending: gevent.Greenlet | None = None
        self._over = Event()

    def prepare(self, users: int) -> None:
        """Make a run ready for at most `users` users: everything but the load processes.

        Raises:
            ChatsoakError: it cannot be made ready; nothing of it is left running.
        """
        if self._ending is not None:
            self._ending.join()
        if self._run is not None:
            return
        if self._preparing is None:
            self._preparing = gevent.spawn(self._try_to_prepare, users)
        preparing = self._preparing
        try:
            problem = preparing.get()
        finally:
            if preparing.ready():
                self._preparing = None
        if isinstance(problem, ChatsoakError):
            raise problem

    def start(self, users: int) -> None:
        """Open the load processes of the prepared run. Users may be spawned when this returns.

        Raises:
            ChatsoakError: a load process cannot take part; the run is given up.
        """
        self.prepare(users)
        assert self._run is not None
        if self._started:
            return
        self._started = True
        run = self._run
        assignment = Assignment(
            run_id=run.run_id,
            folder=str(self._folder),
            host=self.target.host,
            process="",
            share=0,
            shares=1,
            users=self._users,
            people=tuple(run.people),
            chats=tuple(run.chats),
            settings=self.target.for_workers(),
        )
        try:
            run.processes = self._crew.open(assignment, self.target.settings)
        except ChatsoakError:
            self.give_up()
            raise
        run.started_at = _now()
        self._mark("load")
        logger.info("Run %s: %d people in %d chats.", run.run_id, len(run.people), len(run.chats))

    def end(self, notes: Sequence[str] = ()) -> None:
        """Cease, drain, judge and report. Returns when the run is over, whoever began to end it.

        Args:
            notes: what the verdict's reader should know of the run's end.
        """
        if self._preparing is not None:
            self._preparing.kill()
            self._preparing = None
        if self._run is None:
            return
        if not self._started:
            self.give_up()
            return
        if self._ending is None:
            self._ending = gevent.spawn(self._end, notes)
        self._ending.join()

    def give_up(self) -> None:
        """Drop a run that has sent nothing: no verdict, and no folder left behind that looks like one."""
        if self._monitor is not None:
            self._monitor.abandon()
        shutil.rmtree(self._folder, ignore_errors=True)
        self._run, self._monitor, self._started = None, None, False

    def _try_to_prepare(self, users: int) -> ChatsoakError | None:
        """What was wrong, returned: of what a greenlet raises gevent prints a traceback."""
        try:
            self._prepare(users)
        except ChatsoakError as problem:
            return problem
        return None

    def _prepare(self, users: int) -> None:
        settings = self.target.settings
        self.target.check_alive()
        run = Run(
            run_id=new_run_id(),
            host=self.target.host,
            embedded=self.target.embedded,
            settings=settings.masked(),
            versions=_versions(),
            notes=[
                f"The staging environment was told to misbehave: {fault}." for fault in self.target.faults
            ],
            faults=list(self.target.faults),
        )
        folder = _make_folder(settings.chatsoak_reports_dir, run.run_id)
        try:
            self._seed(run, max(users, settings.chatsoak_people, FEWEST_PEOPLE))
            run.write(folder)
            self.live = Live()
            with waiting("Starting the monitor"):
                self._monitor = Monitor(folder, self.target.environment(), self.live)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._run, self._folder, self._users = run, folder, max(users, 1)

    def _seed(self, run: Run, people: int) -> None:
        logger.info("Preparing run %s: %d people and their chats.", run.run_id, people)
        command = ["seed", "--people", str(people), "--json", "--progress-every", "1"]
        with waiting("Seeding people and chats") as say:
            seeded = run_chatsoak(command, self.target.environment(), heard=say)
        if seeded.code != 0:
            raise TargetError(seeded.last_words or f"chatsoak seed ended with code {seeded.code}.")
        data = json.loads(seeded.stdout)
        run.people = [Person(id=person["id"], email=person["email"]) for person in data["people"]]
        run.chats = [
            Chat(chat["id"], chat["type"], tuple(chat["participants"]), chat["weight"])
            for chat in data["chats"]
        ]

    def _end(self, notes: Sequence[str]) -> None:
        run = self._run
        assert run is not None
        run.notes += notes
        self.verdict_code = None
        try:
            logger.info("Run %s: the load stops; awaiting deliveries on their way.", run.run_id)
            self._mark("stopping")
            with waiting("Awaiting deliveries on their way"):
                self._crew.cease()
                run.notes += self._crew.drain()
            self._mark("drained")
            if self._monitor is not None:
                with waiting("The monitor's last look at the database"):
                    problem = self._monitor.finish()
                run.notes += [*self._monitor.notes, *([problem] if problem else [])]
            run.ended_at = _now()
            self._write(run)
            for note in run.notes:
                logger.warning("%s", note)
            self.verdict_code = self._judge()
        finally:
            if self.verdict_code is None:
                self.verdict_code = INCONCLUSIVE
            self._run, self._monitor, self._started, self._ending = None, None, False, None

    def _judge(self) -> int:
        logger.info("Judging %s.", self._folder)
        self.report, self.closing = None, ""
        command = ["report", str(self._folder)]
        judged = run_chatsoak(
            command, {**self.target.environment(), **as_terminal(sys.stdout)}, show_progress=True
        )
        code = judged.code
        if code in VERDICT_CODES:
            self.closing = judged.stdout
            self.report = self._folder / "report.html"
            return code
        logger.error(
            "The run could not be judged: `chatsoak report %s` ended with code %s.", self._folder, code
        )
        return INCONCLUSIVE

    def _mark(self, phase: str) -> None:
        assert self._run is not None
        self._run.phases.append({"name": phase, "at_ns": time.monotonic_ns()})
        self._write(self._run)

    def _write(self, run: Run) -> None:
        """A full disk must stop neither the drain nor the judge, who sees what is missing."""
        try:
            run.write(self._folder)
        except OSError as error:
            logger.error("%s cannot be written: %s.", self._folder / "run.json", error.strerror)


def _make_folder(reports: Path, run_id: str) -> Path:
    folder = reports / run_id
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise RecordError(
            f"CHATSOAK_REPORTS_DIR: {folder} cannot be made ({error.strerror}); give a folder that can be written."
        ) from error
    return folder


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _versions() -> dict[str, str]:
    return {
        "chatsoak": version("chatsoak"),
        "locust": version("locust"),
        "python": platform.python_version(),
        "system": platform.platform(),
    }
