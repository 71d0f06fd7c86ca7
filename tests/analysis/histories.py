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
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis.evidence import Evidence, assemble
from analysis.record import Chat, Person, ProcessInfo, ProcessRecord, RecordWriter, Run
from analysis.record.columns import column
from analysis.record.tables import (
    DATABASE_TABLES,
    LOAD_TABLES,
    EventType,
    MarkKind,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
)

EPOCH_US = 1_780_000_000_000_000  # the database's clock at second 0 of a run
CLOCK_NS = 5_000_000_000_000  # the monotonic clock at second 0 of a run


def ns(at: float) -> int:
    """Second `at` of the run on the monotonic clock."""
    return CLOCK_NS + round(at * 1e9)


def us(at: float) -> int:
    """Second `at` of the run on the database's clock."""
    return EPOCH_US + round(at * 1e6)


@dataclass(slots=True)
class Message:
    """A message as its sender meant it, and as the run's steps refer to it."""

    sender: int
    chat: int
    text: str
    client_id: uuid.UUID
    id: uuid.UUID
    seq: int | None = None
    at: float = 0.0
    attempts: int = 0


@dataclass
class History:
    """A run in the making. People, chats and sockets are numbered from 0; socket n is person n's first."""

    people: int = 2
    process: str = "local"
    messages: list[Message] = field(default_factory=list)
    rows: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=lambda: {name: [] for name in LOAD_TABLES | DATABASE_TABLES}
    )
    chats: list[tuple[int, ...]] = field(default_factory=list)
    polls: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: iter(range(1, 1 << 62)))

    def new_id(self) -> uuid.UUID:
        """A UUID of its own, the same in every run of a test."""
        return uuid.UUID(int=(0x4000 << 64) | (0x8 << 60) | next(self._ids))

    def person_id(self, person: int) -> uuid.UUID:
        return uuid.UUID(int=(0xAAAA << 112) | person)

    def chat_id(self, chat: int) -> uuid.UUID:
        return uuid.UUID(int=(0xCCCC << 112) | chat)

    def chat(self, *participants: int, subscribed: float | None = 0.0, baseline: int = 0) -> int:
        """A chat of these people, each subscribed to it from second `subscribed` on (None: nobody)."""
        number = len(self.chats)
        self.chats.append(participants)
        self.rows["baseline"].append((self.chat_id(number).bytes, baseline, baseline))
        if subscribed is not None:
            for person in participants:
                self.socket(person, SocketEvent.SUBSCRIBED, subscribed, chat=number)
        return number

    def send(
        self,
        sender: int,
        chat: int,
        at: float,
        *,
        took: float = 0.1,
        outcome: Outcome = Outcome.OK,
        text: str | None = None,
        seq: int | None = None,
        answered_id: uuid.UUID | None = None,
    ) -> Message:
        """A first attempt. An ok one is answered with the message's id and `seq`."""
        message = Message(
            sender, chat, text or f"message {len(self.messages)}", self.new_id(), self.new_id(), seq, at
        )
        self.messages.append(message)
        return self.repeat(message, at, took=took, outcome=outcome, answered_id=answered_id)

    def repeat(
        self,
        message: Message,
        at: float,
        *,
        took: float = 0.1,
        outcome: Outcome = Outcome.OK,
        answered_id: uuid.UUID | None = None,
        answered_seq: int | None = None,
    ) -> Message:
        """A further attempt with the same client_generated_id."""
        ok = outcome is Outcome.OK
        self.rows["sends"].append(
            (
                self.person_id(message.sender).bytes,
                self.chat_id(message.chat).bytes,
                message.client_id.bytes,
                message.attempts,
                ns(at),
                ns(at),
                ns(at + took),
                outcome,
                {Outcome.OK: 201, Outcome.FAIL: 403, Outcome.INFO: 0}[outcome],
                (answered_id or message.id).bytes if ok else None,
                (message.seq if answered_seq is None else answered_seq) if ok else None,
                message.text,
                None if ok else f"the server said {outcome.name}",
            )
        )
        message.attempts += 1
        return message

    def poll(self, at: float, kind: PollKind = PollKind.POLL) -> int:
        """A look of the monitor; observations that follow belong to it."""
        self.polls += 1
        error = "connection refused" if kind is PollKind.FAILED else None
        self.rows["polls"].append(
            (self.polls - 1, kind, ns(at), 1.0, us(at), 1000 + self.polls, 0, 0, 0, error)
        )
        return self.polls - 1

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

    def event(
        self,
        message: Message,
        person: int,
        at: float,
        *,
        type: EventType = EventType.INSERT,  # noqa: A002 - the field's name
        status: Status = Status.SENT,
        seq: int | None = None,
        socket: int | None = None,
        id: uuid.UUID | None = None,  # noqa: A002 - the field's name
        text: str | None = None,
        committed: float | None = None,
    ) -> None:
        """A Realtime event that reached a person."""
        self.rows["events"].append(
            (
                self.person_id(person).bytes,
                person if socket is None else socket,
                self.chat_id(message.chat).bytes,
                (id or message.id).bytes,
                self.person_id(message.sender).bytes,
                message.seq if seq is None else seq,
                type,
                status,
                zlib.crc32((message.text if text is None else text).encode()),
                us(at if committed is None else committed),
                ns(at),
            )
        )

    def deliver(self, message: Message, at: float | None = None, *people: int) -> None:
        """The message's INSERT event reaches these people, by default everybody in its chat."""
        for person in people or self.chats[message.chat]:
            self.event(message, person, message.at + 0.2 if at is None else at)

    def socket(
        self,
        person: int,
        event: SocketEvent,
        at: float,
        *,
        chat: int | None = None,
        socket: int | None = None,
        seq: int | None = None,
    ) -> None:
        """A step in the life of a person's socket; without `chat`, of the whole socket."""
        chat_id = None if chat is None else self.chat_id(chat).bytes
        number = person if socket is None else socket
        self.rows["sockets"].append((self.person_id(person).bytes, number, chat_id, event, ns(at), seq, None))

    def mark(
        self,
        person: int,
        chat: int,
        at: float,
        *,
        kind: MarkKind = MarkKind.DELIVERED,
        up_to_seq: int,
        took: float = 0.1,
        outcome: Outcome = Outcome.OK,
    ) -> None:
        """A receipt that a person sent."""
        self.rows["marks"].append(
            (
                self.person_id(person).bytes,
                self.chat_id(chat).bytes,
                kind,
                ns(at),
                ns(at + took),
                outcome,
                200,
                1,
                up_to_seq,
            )
        )

    def page(
        self,
        person: int,
        chat: int,
        at: float,
        messages: list[Message],
        *,
        purpose: PagePurpose = PagePurpose.BROWSE,
        before_seq: int | None = None,
        limit: int = 50,
        walk: int = 0,
        took: float = 0.1,
    ) -> None:
        """A page of history as it was answered."""
        self.rows["pages"].append(
            (
                self.person_id(person).bytes,
                self.chat_id(chat).bytes,
                walk,
                purpose,
                before_seq,
                limit,
                ns(at),
                ns(at + took),
                Outcome.OK,
                200,
                [message.seq for message in messages],
                [message.id.bytes for message in messages],
            )
        )

    def finish(self, at: float = 100.0) -> None:
        """The drain ends for everybody in every chat, and the monitor takes its last look."""
        for chat, participants in enumerate(self.chats):
            for person in participants:
                self.socket(person, SocketEvent.FINISHED, at, chat=chat)
        self.poll(at + 1, PollKind.SWEEP)

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
        return assemble(self.run(), {self.process: _InMemory(self, self.process)}, _InMemory(self, "monitor"))

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


class _InMemory:
    """One process's part of a history."""

    def __init__(self, history: History, name: str) -> None:
        self._rows = history.rows
        tables = DATABASE_TABLES if name == "monitor" else LOAD_TABLES
        self._record = ProcessRecord(
            ProcessInfo(name, 1, "host", "boot", CLOCK_NS, EPOCH_US),
            closed=True,
            counts={table: len(self._rows[table]) for table in tables},
        )

    def process(self) -> ProcessRecord:
        return self._record

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        schema = (LOAD_TABLES | DATABASE_TABLES)[table]
        if rows := self._rows[table]:
            columns = [
                column(values, field)[0]
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def complete(self, table: str) -> bool:
        return table in self._record.counts
