"""Histories of runs, a line a step, as Jepsen's own tests build theirs; and how to write them as a real record.

Times are in seconds of the run; message texts are unique unless given. A history says nothing by itself: a
message that was sent must be `store`d to be seen by the monitor and `deliver`ed to be seen by anybody::

    run = History(people=3)
    chat = run.chat(0, 1, 2)
    hello = run.send(0, chat, at=1.0)
    run.store(hello, seq=1)
    run.deliver(hello)
    run.finish()
    evidence = run.evidence()
"""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.evidence import Evidence, assemble
from analysis.record import Chat, Person, ProcessInfo, RecordWriter, Run
from analysis.record.codes import ObservedChange, PollKind, SocketEvent, Status
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.in_memory import CLOCK_NS, EPOCH_US, InMemory
from tests.analysis.load_steps import Message, ns, us
from tests.analysis.server_steps import ServerSteps

__all__ = ["CLOCK_NS", "EPOCH_US", "History", "Message", "ns", "us"]


@dataclass
class History(ServerSteps):
    """A run in the making.

    Attributes:
        server_s: when the server began that the last look was at.
    """

    server_s: float = 0.0

    def poll(
        self,
        at: float,
        kind: PollKind = PollKind.POLL,
        *,
        xmin: int | None = None,
        next_xid: int | None = None,
        server_s: float | None = None,
        asked: float | None = None,
    ) -> int:
        """A look of the monitor; observations that follow belong to it. By default no transaction is running.

        Args:
            server_s: when the server began; by default it is the one of the look before.
            asked: when it was asked for; by default the record does not tell, as one of an earlier version.
        """
        if server_s is not None:
            self.server_s = server_s
        self.polls += 1
        failed = kind is PollKind.FAILED
        error = "connection refused" if failed else None
        own = 1000 + self.polls
        told = (None, None, None) if failed else (xmin or own, next_xid or xmin or own, us(self.server_s))
        self.rows["polls"].append(
            (
                self.polls - 1,
                kind,
                ns(at),
                1.0,
                us(at),
                *told,
                0,
                0,
                0,
                error,
                None if asked is None else ns(asked),
            )
        )
        return self.polls - 1

    def member(self, person: int, chat: int, at: float, *, there: bool = True) -> None:
        """A look found this person in the chat for the first time, or no longer."""
        self.rows["memberships"].append(
            (ns(at), self.chat_id(chat).bytes, self.person_id(person).bytes, there)
        )

    def observe(
        self,
        message: Message,
        at: float,
        *,
        seq: int | None = None,
        status: Status = Status.SENT,
        change: ObservedChange = ObservedChange.APPEARED,
        id: uuid.UUID | None = None,  # noqa: A002 - the field's name
        sender: int | None = None,
        chat: int | None = None,
        text: str | None = None,
        client_id: uuid.UUID | None = None,
        keyed: bool = True,
        deleted: bool = False,
    ) -> None:
        """What the monitor's newest poll saw of a row; by default the message as it was sent."""
        self.rows["observations"].append(
            (
                self.polls - 1,
                change,
                ns(at),
                (id or message.id).bytes,
                self.chat_id(message.chat if chat is None else chat).bytes,
                message.seq if seq is None else seq,
                self.person_id(message.sender if sender is None else sender).bytes,
                (client_id or message.client_id).bytes if keyed else None,
                status,
                "bogus" if status is Status.OTHER else None,
                message.text if text is None else text,
                us(message.at),
                deleted,
            )
        )

    def store(self, message: Message, seq: int | None = None, at: float | None = None, **row: Any) -> None:
        """The message is stored, and seen by a poll of its own shortly after."""
        if seq is not None:
            message.seq = seq
        at = message.at + 0.5 if at is None else at
        self.poll(at)
        self.observe(message, at, **row)

    def status(self, message: Message, status: Status, at: float, **row: Any) -> None:
        """The monitor sees that the row's status has changed."""
        self.poll(at)
        self.observe(message, at, status=status, change=ObservedChange.CHANGED, **row)

    def finish(self, at: float = 100.0) -> None:
        """The drain ends for everybody in every chat; the monitor takes its last look, and one at the server."""
        for chat, participants in enumerate(self.chats):
            for person in participants:
                self.socket(person, SocketEvent.FINISHED, at, chat=chat)
        self.poll(at + 1, PollKind.SWEEP)
        self.serve_history()

    def run(self) -> Run:
        """``run.json`` of this history."""
        return Run(
            run_id="20261123T160000Z-test",
            host="http://127.0.0.1:8000",
            embedded=True,
            settings={},
            versions={"chatsoak": "test"},
            people=[Person(str(self.person_id(n)), f"chatsoak+{n}@example.com") for n in range(self.people)],
            chats=[
                Chat(
                    str(self.chat_id(number)),
                    "direct" if len(participants) == 2 else "group",
                    tuple(str(self.person_id(person)) for person in participants),
                    1.0,
                )
                for number, participants in enumerate(self.chats)
            ],
            processes=[self.process],
            started_at="2026-11-23T16:00:00Z",
            ended_at="2026-11-23T16:02:00Z",
        )

    def evidence(self) -> Evidence:
        """The history as the judge sees it, without a detour over the disk."""
        return assemble(
            self.run(), {self.process: InMemory(self.rows, self.process)}, InMemory(self.rows, "monitor")
        )

    def write(self, folder: Path) -> Path:
        """The history as a real record in `folder`, written by the real writer."""
        folder.mkdir(parents=True, exist_ok=True)
        self.run().write(folder)
        parts = (
            (folder / "record" / self.process, LOAD_TABLES, self.process),
            (folder / "database", DATABASE_TABLES, "monitor"),
        )
        for path, tables, name in parts:
            writer = RecordWriter(path, tables, ProcessInfo.here(name))
            for table in tables:
                add = writer.adder(table)
                for row in self.rows[table]:
                    add(row)
            writer.close()
        return folder
