"""A worker's side of the master's orders: open the record, cease, drain."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import RLock
from locust.env import Environment
from locust.rpc import Message
from locust.runners import WorkerRunner

from analysis.errors import ChatsoakError
from analysis.record import ProcessInfo
from analysis.settings import DEFAULT_ENV_FILE, load
from locustfiles.run.assignment import Assignment
from locustfiles.run.clock import ASK, TOLD, ClockWatch
from locustfiles.run.crew import DONE, FOUND, NOTICED, ORDER, SOUGHT, STRAIN, sentence
from locustfiles.run.load import Load

logger = logging.getLogger(__name__)

ORPHAN_S = 3.0  # after an interrupt, how long to wait for the master to end the run too
PARENT_EVERY_S = 0.25  # how often to see whether our parent is there
OVER = {"drain", "close"}  # what closes the record
MASTER_S = 60.0  # how long the master may take from its first order to stop to its last


class Worker:
    """Carries out the master's orders, one run after another.

    Args:
        env_file: describes a target that is not embedded; its secrets are not sent by the master.
        on_load: called with the load that users belong to from then on.
        forked: our parent is a process of Locust (``--processes``).
    """

    def __init__(
        self, runner: WorkerRunner, env_file: Path | None, on_load: Callable[[Load], None], *, forked: bool
    ) -> None:
        self._runner = runner
        self._env_file = env_file
        self._on_load = on_load
        self._load: Load | None = None
        self._done: set[str] = set()
        self._ordered = Event()  # the master has begun to end the run
        self._drained = Event()
        self._lock = RLock()  # one order after another
        self._clock: ClockWatch | None = None
        runner.register_message(ORDER, self._on_order, concurrent=True)
        runner.register_message(TOLD, self._on_told)
        runner.register_message(SOUGHT, self._on_sought)
        runner.register_message(FOUND, self._on_found)
        if forked:
            gevent.spawn(self._end_with, os.getppid())

    def leave(self) -> None:
        """This process is about to end: see that its record is whole, with the master if it ends as well."""
        if self._load is None or self._done & OVER:
            return
        self._carry_out("cease", {})
        if self._ordered.wait(timeout=ORPHAN_S):
            self._drained.wait(timeout=MASTER_S)
        self._carry_out("drain", {})

    def _end_with(self, parent: int) -> None:
        """End when the process is gone that has forked us: by its heartbeat Locust itself would notice only after a minute, for which
        nobody watches what we do to the target. Nor is there anybody left to look at what a drain would wait for, or perhaps a target."""
        while os.getppid() == parent:
            gevent.sleep(PARENT_EVERY_S)
        logger.error("The process of Locust that started this one is gone: the load ends.")
        self._carry_out("cease", {})
        self._carry_out("close", {})
        self._runner.quit()

    def _on_order(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        if msg.data["do"] != "open":
            self._ordered.set()
        self._carry_out(msg.data["do"], msg.data)

    def _on_told(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        if self._clock is not None:
            self._clock.hear(msg.data)

    def _on_sought(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        if self._load is None:
            return
        answered = self._load.watch.answered
        found = {
            message: told for message in msg.data["messages"] if (told := answered.of(message)) is not None
        }
        if found:
            self._runner.send_message(FOUND, {"answers": found})

    def _on_found(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        if self._load is not None:
            for message, (chat, seq) in msg.data["answers"].items():
                self._load.watch.answered.note(message, chat, seq)

    def _carry_out(self, do: str, data: dict[str, Any]) -> None:
        with self._lock:
            if do != "open" and (do in self._done or self._done & OVER):
                return
            error = None
            try:
                if do == "open":
                    self._open(data)
                elif self._load is not None:
                    {"cease": self._load.cease, "drain": self._load.drain, "close": self._load.close}[do]()
            except (ChatsoakError, OSError) as problem:
                error = sentence(problem)
                logger.error("%s", error)
            self._done.add(do)
            self._answer(do, error)
            if do == "drain":
                self._drained.set()

    def _open(self, data: dict[str, Any]) -> None:
        assignment = Assignment.from_message({name: value for name, value in data.items() if name != "do"})
        settings = load(self._env_file or DEFAULT_ENV_FILE, dict(assignment.settings))
        self._done.clear()
        self._ordered.clear()
        self._drained.clear()
        self._load = Load(assignment, settings)
        if assignment.leader != ProcessInfo.here("worker").clock_domain:
            self._clock = ClockWatch(
                lambda question: self._runner.send_message(ASK, question), self._load.record.adder("clocks")
            )
            self._load.before_close.append(self._clock.stop)
        self._load.strain.tell = self._tell_strain
        self._load.tell_noticed = self._tell_noticed
        self._load.seek = self._seek
        self._on_load(self._load)

    def _tell_strain(self, process: str, seconds: int, words: str) -> None:
        self._runner.send_message(STRAIN, {"process": process, "seconds": seconds, "words": words})

    def _tell_noticed(self, process: str, said: list[dict[str, Any]]) -> None:
        self._runner.send_message(NOTICED, {"process": process, "said": said})

    def _seek(self, messages: list[str]) -> None:
        self._runner.send_message(SOUGHT, {"messages": messages})

    def _answer(self, done: str, error: str | None) -> None:
        here = ProcessInfo.here("worker")
        assignment = self._load.assignment if self._load is not None else None
        self._runner.send_message(
            DONE,
            {
                "done": done,
                "error": error,
                "process": assignment.process if assignment else "A worker",
                "notes": self._load.notes if self._load is not None else [],
                "host": here.host,
                "machine": here.machine,
                "folder": str(Path(assignment.folder).resolve() / "record" / assignment.process)
                if assignment
                else "",
            },
        )
