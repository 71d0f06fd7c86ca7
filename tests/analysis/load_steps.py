"""What people do and see in a run, a row of the record a step: the half of `tests.analysis.histories` that the load writes."""

import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from analysis.record.codes import (
    AttemptKind,
    EventType,
    Guise,
    MarkKind,
    Outcome,
    PagePurpose,
    SocketEvent,
    Status,
    Way,
)
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.in_memory import CLOCK_NS, EPOCH_US


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
class LoadSteps:
    """What the people of a run did and saw. People, chats and sockets are numbered from 0; socket n is person n's first."""

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

    def fare(self, at: float, *, users: int = 2, cpu_share: float = 0.3, **more: Any) -> None:
        """The load process on itself, at one second; `more` are columns of the table by name."""
        told = {"users": users, "cpu_share": cpu_share, "rss_bytes": 10**8, "loop_lag_ms": 1.0} | more
        told |= {"at_ns": ns(at), "wall_us": us(at)}
        self.rows["generator"].append(tuple(told.get(name) for name in LOAD_TABLES["generator"].names))

    def stall(self, begin: float, end: float, cpu_ms: float = 0.0) -> None:
        """The load process's event loop stood still."""
        self.rows["stalls"].append((ns(begin), ns(end), cpu_ms))

    def no_slot_was_free(self, begin: float, end: float) -> None:
        """Somebody waited because all slots of the load process were taken."""
        self.rows["slots_taken"].append((ns(begin), ns(end)))

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
        late: float = 0.0,
    ) -> Message:
        """A first attempt, which leaves `late` after it was due. An ok one is answered with the message's id and `seq`."""
        message = Message(
            sender,
            chat,
            f"message {len(self.messages)}" if text is None else text,
            self.new_id(),
            self.new_id(),
            seq,
            at,
        )
        self.messages.append(message)
        return self.repeat(message, at, took=took, outcome=outcome, answered_id=answered_id, late=late)

    def repeat(
        self,
        message: Message,
        at: float,
        *,
        took: float = 0.1,
        outcome: Outcome = Outcome.OK,
        answered_id: uuid.UUID | None = None,
        answered_seq: int | None = None,
        late: float = 0.0,
    ) -> Message:
        """A further attempt with the same client_generated_id."""
        ok = outcome is Outcome.OK
        self.rows["sends"].append(
            (
                self.person_id(message.sender).bytes,
                self.chat_id(message.chat).bytes,
                message.client_id.bytes,
                message.attempts,
                ns(at - late),
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
        textless: bool = False,
        sender: int | None = None,
        chat: int | None = None,
        committed: float | None = None,
    ) -> None:
        """A Realtime event that reached a person; what is not given is as the message has it."""
        self.rows["events"].append(
            (
                self.person_id(person).bytes,
                person if socket is None else socket,
                self.chat_id(message.chat if chat is None else chat).bytes,
                (id or message.id).bytes,
                self.person_id(message.sender if sender is None else sender).bytes,
                message.seq if seq is None else seq,
                type,
                status,
                None if textless else zlib.crc32((message.text if text is None else text).encode()),
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
        senders: bool = True,
        seqs: bool = True,
        texts: Sequence[str | None] | None = None,
        statuses: Sequence[Status | None] | None = None,
    ) -> None:
        """A page of history as it was answered, with or without the seqs and senders of its messages.

        Args:
            texts, statuses: as shown; None: as an app answers that tells none.
        """
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
                [message.seq for message in messages] if seqs else None,
                [message.id.bytes for message in messages],
                [self.person_id(message.sender).bytes for message in messages] if senders else None,
                None
                if texts is None
                else [None if one is None else zlib.crc32(one.encode()) for one in texts],
                None if statuses is None else list(statuses),
            )
        )

    def attempt(
        self,
        person: int,
        chat: int,
        at: float,
        kind: AttemptKind,
        *,
        guise: Guise = Guise.OUTSIDER,
        way: Way = Way.REST,
        outcome: Outcome = Outcome.FAIL,
        got: int | None = None,
        took: float = 0.1,
        status_code: int | None = None,
        message: Message | None = None,
        text: str | None = None,
    ) -> None:
        """Something that should be refused; `message` is what a send answered or stored."""
        sends = kind is AttemptKind.SEND
        self.rows["attempts"].append(
            (
                self.person_id(person).bytes,
                self.chat_id(chat).bytes,
                kind,
                guise,
                way,
                ns(at),
                ns(at + took),
                outcome,
                {Outcome.OK: 200, Outcome.FAIL: 403, Outcome.INFO: 500}[outcome]
                if status_code is None
                else status_code,
                got,
                message.id.bytes if message and outcome is Outcome.OK else None,
                (message.client_id if message else self.new_id()).bytes if sends else None,
                text or (message.text if message else f"attempt {len(self.rows['attempts'])}")
                if sends
                else None,
                None,
            )
        )
