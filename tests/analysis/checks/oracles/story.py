"""Small histories as plain objects, for the oracles to read. `writing` makes a record of one.

People, chats, sockets and messages are numbers; times are seconds of the run, as they truly were. In a record they stand
by the clock of whoever noted them: `Story.ahead`, `Story.set_by`. Lists are in the order in which their writer wrote. A story promises nothing: anything that a real record could hold may
stand in it.
"""

import uuid
from dataclasses import dataclass, field

from analysis.record.codes import (
    EventType,
    MarkKind,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
)
from tests.analysis.in_memory import CLOCK_NS, EPOCH_US

SECOND_NS = 1_000_000_000
MONITOR = "monitor"
MEASURED_OFF = 0.03  # seconds by which the clocks of `Story.measured` were measured wrong


@dataclass(slots=True)
class Attempt:
    """One request to send a message; `left` and `answered` by the clock of its sender's process.

    Attributes:
        told: the seq in an ok answer; None: the message's.
    """

    left: float
    answered: float
    outcome: Outcome
    told: int | None = None


@dataclass(slots=True)
class Look:
    """What the poll of this number saw of a message's row; seq, text, chat and sender where they were others than at the end."""

    poll: int
    change: ObservedChange
    status: Status = Status.SENT
    seq: int | None = None
    text: str | None = None
    chat: int | None = None
    sender: int | None = None


@dataclass(slots=True)
class Message:
    """A message, and the row that it became.

    Attributes:
        attempts: none: it is of somebody who is no user of the run, or from before.
        looks: none: nobody saw a row of it.
        stored_text, stored_chat, stored_sender: of the row in the end; None: as it was sent.
    """

    sender: int
    chat: int
    attempts: list[Attempt]
    seq: int | None
    looks: list[Look]
    stored_text: str | None = None
    stored_chat: int | None = None
    stored_sender: int | None = None

    @property
    def row_chat(self) -> int:
        """The chat in which its row is."""
        return self.chat if self.stored_chat is None else self.stored_chat


@dataclass(slots=True)
class Step:
    """A step in the life of a socket, or of one of its channels."""

    person: int
    socket: int
    event: SocketEvent
    at: float
    chat: int | None = None
    seq: int | None = None


@dataclass(slots=True)
class Event:
    """A change that a socket brought; a message of a number that the story does not have exists nowhere.

    Attributes:
        text: None: as it was sent; "": none.
        sender: None: who sent the message; of one that exists nowhere, the first person.
        chatless: it names no chat at all; `chat` is then one that the run does not have.
    """

    person: int
    socket: int
    message: int | None
    chat: int
    at: float
    type: EventType = EventType.INSERT
    status: Status = Status.SENT
    seq: int | None = None
    text: str | None = None
    committed: float = 0
    sender: int | None = None
    chatless: bool = False


@dataclass(slots=True)
class Page:
    """A page of history that somebody read.

    Attributes:
        left: when they asked for it.
        shown: messages; one of a number that the story does not have exists nowhere.
        ids, seqs: whether the app tells them.
        other_seqs: by its place on the page the seq with which a message is shown that is not its own.
        senders: whether the app tells them.
        other_senders: by its place on the page whom a message is shown of that somebody else sent.
        texts: whether the app tells them.
        other_texts: by its place on the page the text with which a message is shown that was sent with another.
        statuses: by place; of the others the app tells none.
        strange: whom it shows as the sender of what exists nowhere: a person; None: the first.
    """

    person: int
    chat: int
    purpose: PagePurpose
    before: int | None
    limit: int
    left: float
    outcome: Outcome
    shown: list[int]
    walk: int = 0
    ids: bool = True
    seqs: bool = True
    other_seqs: dict[int, int] = field(default_factory=dict)
    senders: bool = True
    other_senders: dict[int, int] = field(default_factory=dict)
    texts: bool = True
    other_texts: dict[int, str] = field(default_factory=dict)
    statuses: dict[int, Status] = field(default_factory=dict)
    strange: int | None = None


@dataclass(slots=True)
class Receipt:
    """A receipt that somebody sent for a chat, up to the newest seq that they knew."""

    person: int
    chat: int
    left: float
    answered: float
    outcome: Outcome
    up_to: int | None
    kind: MarkKind = MarkKind.DELIVERED


@dataclass(slots=True)
class Poll:
    """A look of the monitor at the database.

    Attributes:
        database: the time by the database's own clock.
        server: its start.
        xmin, next_xid: the oldest transaction that was running, and the next to begin.
        asked: when it was asked for; None: an earlier version wrote the record, which did not tell.
    """

    kind: PollKind
    at: float
    took: float = 0
    database: float = 0
    server: int | None = 0
    xmin: int = 1000
    next_xid: int = 1000
    asked: float | None = None

    def asked_by(self, lag: float) -> float:
        """Since when its snapshot may have been taken; not told, so much sooner than it was noted."""
        return self.at - lag if self.asked is None else self.asked


@dataclass(slots=True)
class Membership:
    """A look found that somebody had left a chat, or come back."""

    at: float
    chat: int
    person: int
    there: bool = False


@dataclass(slots=True)
class Process:
    """A load process or the monitor.

    Attributes:
        lost: tables of which it could not write a row.
        short: tables of which a row that it wrote is not there.
        unfinished: tables without the mark of a good end.
        silent: it left no word of itself.
    """

    host: str = "here"
    lost: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    error: str | None = None
    closed: bool = True
    silent: bool = False


@dataclass(slots=True)
class Measured:
    """How far the monitor's clock is ahead of that of this load process, known to `error`: measured at `at` by its own."""

    process: int
    at: int
    offset: int
    error: int


@dataclass(slots=True)
class Story:
    """A run, as far as some family of checkers looks at it.

    Attributes:
        ahead: by how many seconds the clock of a host is ahead of the run's; where it is not said, by none.
        measured: hosts of load processes whose clocks were held against the monitor's, and whether they kept step with it.
        offsets: what load processes measured besides, one by one.
        set_by: from which second on the database's clock was ahead by how many.
    """

    people: int
    chats: list[tuple[int, ...]]
    baseline: list[int | None]  # None: the monitor did not see this chat before the load
    processes: list[Process] = field(default_factory=lambda: [Process()])
    monitor: Process = field(default_factory=Process)
    process_of: list[int] = field(default_factory=list)  # of each person
    messages: list[Message] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    offsets: list[Measured] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    ended: bool = True
    interval_s: float | None = None  # between two looks, as it was set
    ahead: dict[str, float] = field(default_factory=dict)
    measured: dict[str, bool] = field(default_factory=dict)
    set_by: tuple[float, float] = (0, 0)

    def host(self, person: int) -> str:
        """Whose clock the times of this person are by."""
        return self.processes[self.process_of[person]].host

    def sender(self, event: Event) -> int:
        """Whom an event shows as the sender of its message."""
        if event.sender is not None:
            return event.sender
        known = event.message is not None and event.message < len(self.messages)
        return self.messages[event.message or 0].sender if known else 0

    def comparable(self, person: int) -> bool:
        """Whether the times of this person can be held against the monitor's."""
        host = self.host(person)
        return host == self.monitor.host or self.measured.get(host, False)

    def dated(self, person: int, at: float) -> float | None:
        """When by the run's clock, as far as the measurements go, this person saw something; None: they do not tell."""
        if not self.comparable(person):
            return None
        return at if self.host(person) == self.monitor.host else at + MEASURED_OFF

    def wall(self, at: float) -> float:
        """What the database's clock showed then."""
        since, ahead = self.set_by
        return at + ahead if at >= since else at

    def shown_seq(self, page: Page, place: int) -> int | None:
        """The seq that a page tells of the message there."""
        number = page.shown[place]
        own = self.messages[number].seq if number < len(self.messages) else None
        return page.other_seqs.get(place, own) if page.seqs else None

    def shown_sender(self, page: Page, place: int) -> int | None:
        """Whom a page shows as the sender of the message there."""
        number = page.shown[place]
        if not page.senders:
            return None
        own = self.messages[number].sender if number < len(self.messages) else page.strange or 0
        return page.other_senders.get(place, own)

    def shown_text(self, page: Page, place: int) -> str | None:
        """The words with which a page shows the message there."""
        return page.other_texts.get(place, self.text(page.shown[place])) if page.texts else None

    def text(self, message: int | None) -> str:
        """The words of a message as they were sent."""
        return f"message {message}"


def person_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(0xAAAA << 112) | number)


def chat_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(0xCCCC << 112) | number)


def message_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(0x1111 << 112) | number)


def key_id(number: int) -> uuid.UUID:
    """The client_generated_id of a message."""
    return uuid.UUID(int=(0x2222 << 112) | number)


def ns(at: float) -> int:
    """Second `at` on the clock of the monitor's host."""
    return CLOCK_NS + round(at * SECOND_NS)


def us(at: float) -> int:
    """Second `at` on the database's clock."""
    return EPOCH_US + round(at * 1_000_000)
