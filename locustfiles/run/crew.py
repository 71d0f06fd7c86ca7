"""The load processes of a run as its owner sees them: this process alone, or the master's workers.

The order is the same for both: `open` before any user starts; `cease` when the load ends, for all of them
before the first drains, so that nobody sends to somebody who has left; then `drain`.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import gevent
from gevent.event import Event
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner

from analysis.errors import ChatsoakError, TargetError
from analysis.record import ProcessInfo
from analysis.settings import Settings
from locustfiles.run.assignment import Assignment
from locustfiles.run.clock import ASK, TOLD, tell
from locustfiles.run.load import CEASE_SLACK_S, Load
from locustfiles.run.strain import Tell

logger = logging.getLogger(__name__)

ORDER = "chatsoak_order"  # master → worker: {"do": open | cease | drain, …}
DONE = "chatsoak_done"  # worker → master: {"done": …, "error": …, "notes": […], "host": …, "machine": …}
STRAIN = "chatsoak_strain"  # worker → master: {"process": …, "seconds": …, "words": …}
NOTICED = "chatsoak_noticed"  # worker → master: {"process": …, "said": [what `Live.hear` takes, …]}
# What one worker asks and another one answers; the master hands both on to all of them.
SOUGHT = "chatsoak_sought"  # {"messages": [id, …]}
FOUND = "chatsoak_found"  # {"answers": {id: [chat's id, seq], …}}
OPEN_S = 60.0
DRAIN_SLACK_S = 30.0
SILENT_S = 10  # seconds without a heartbeat, beyond Locust's own three, after which a worker counts as gone


class Crew(Protocol):
    """The load processes of one run after another."""

    def open(self, assignment: Assignment, settings: Settings) -> list[str]:
        """Make every load process ready for a run. Returns their names in the record.

        Raises:
            ChatsoakError: one of them cannot take part.
        """

    def cease(self) -> None:
        """Have all of them stop sending."""

    def drain(self) -> list[str]:
        """Have all of them drain and close their record. Returns what is worth noting in the verdict."""


class Alone:
    """This process makes the load itself.

    Args:
        on_load: called with the load that users belong to from then on.
    """

    def __init__(self, on_load: Callable[[Load], None]) -> None:
        self._on_load = on_load
        self._load: Load | None = None

    def open(self, assignment: Assignment, settings: Settings) -> list[str]:
        """Open this process's record."""
        self._load = Load(assignment.for_process("local", 0, 1), settings)
        self._on_load(self._load)
        return ["local"]

    def cease(self) -> None:
        """Stop sending."""
        if self._load is not None:
            self._load.cease()

    def drain(self) -> list[str]:
        """Drain and close the record."""
        if self._load is None:
            return []
        self._load.drain()
        return self._load.notes


class Workers:
    """The master's workers, reached through Locust's own messages.

    Args:
        on_strain: called with what a worker tells of not keeping up.
        on_noticed: called with a worker's name and its new findings.
    """

    def __init__(
        self,
        runner: MasterRunner,
        on_strain: Tell,
        on_noticed: Callable[[str, list[dict[str, Any]]], None],
    ) -> None:
        self._runner = runner
        self._on_strain = on_strain
        self._on_noticed = on_noticed
        self._answers: dict[tuple[str, str], dict[str, Any]] = {}  # (client id, what was done)
        self._answered = Event()
        self._members: dict[str, str] = {}  # client id → name in the record
        self._settings: Settings | None = None
        runner.register_message(DONE, self._on_done)
        runner.register_message(STRAIN, self._on_strained)
        runner.register_message(NOTICED, self._on_findings)
        runner.register_message(SOUGHT, self._on_talk)
        runner.register_message(FOUND, self._on_talk)
        runner.register_message(ASK, self._on_ask)

    def open(self, assignment: Assignment, settings: Settings) -> list[str]:
        """Give every worker its share of the people and wait until all have opened their record."""
        clients = [
            c.id
            for c in self._runner.clients.ready + self._runner.clients.running + self._runner.clients.spawning
        ]
        self._settings = settings
        self._answers.clear()
        self._members = {client: f"worker-{index}" for index, client in enumerate(clients)}
        leader = ProcessInfo.here("master").clock_domain
        for index, (client, name) in enumerate(self._members.items()):
            part = replace(assignment.for_process(name, index, len(clients)), leader=leader)
            self._runner.send_message(ORDER, {"do": "open", **part.as_message()}, client)
        missing = self._wait("open", OPEN_S)
        if missing:
            raise TargetError(
                f"{', '.join(missing)} did not get ready within {OPEN_S:.0f} s; look at its log."
            )
        for (_, _), answer in self._answers.items():
            if answer["error"]:
                raise TargetError(
                    f"{answer['process']} on {answer['host']} cannot take part: {answer['error']}"
                )
        return list(self._members.values())

    def cease(self) -> None:
        """Have every worker stop sending, and wait until all are quiet."""
        if self._settings is not None:
            self._order("cease", self._settings.chatsoak_request_timeout_s + 2 * CEASE_SLACK_S)

    def drain(self) -> list[str]:
        """Have every worker drain and close its record."""
        if self._settings is None:
            return []
        missing = self._order("drain", self._settings.chatsoak_drain_s + DRAIN_SLACK_S)
        notes = [f"{name} never said that its record is complete." for name in missing]
        here = ProcessInfo.here("master").machine
        for (client, done), answer in self._answers.items():
            if done != "drain":
                continue
            notes += answer["notes"]
            if answer["machine"] != here:
                name, host = self._members[client], answer["host"]
                notes.append(
                    f"{name} ran on {host}: its part of the record lies there, in {answer['folder']}; copy that folder "
                    "beside the others and run `chatsoak report` again."
                )
        return notes

    def _order(self, do: str, timeout_s: float) -> list[str]:
        for client in self._members:
            if (client, do) not in self._answers and client in self._runner.clients:
                self._runner.send_message(ORDER, {"do": do}, client)
        return self._wait(do, timeout_s)

    def _wait(self, done: str, timeout_s: float) -> list[str]:
        """Wait until everybody has `done` it or is gone; returns who has not."""
        with gevent.Timeout(timeout_s, False):
            while self._open_clients(done):
                self._answered.clear()
                self._answered.wait(timeout=1.0)
        return [name for client, name in self._members.items() if (client, done) not in self._answers]

    def _open_clients(self, done: str) -> list[str]:
        def is_there(client: str) -> bool:
            worker = self._runner.clients.get(client)
            return worker is not None and worker.heartbeat > -SILENT_S

        return [
            client for client in self._members if (client, done) not in self._answers and is_there(client)
        ]

    def _on_strained(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        self._on_strain(msg.data["process"], msg.data["seconds"], msg.data["words"])

    def _on_findings(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        self._on_noticed(msg.data["process"], msg.data["said"])

    def _on_talk(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        self._runner.send_message(msg.type, msg.data)

    def _on_done(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        self._answers[msg.node_id, msg.data["done"]] = msg.data
        self._answered.set()

    def _on_ask(self, environment: Environment, msg: Message) -> None:  # noqa: ARG002 - Locust's signature
        self._runner.send_message(TOLD, tell(msg.data), msg.node_id)


def sentence(error: BaseException) -> str:
    """What went wrong, for a message to another process."""
    return str(error) if isinstance(error, ChatsoakError) else repr(error)
