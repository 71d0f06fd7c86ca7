"""A small world in which the truth is known: people, a server that makes no mistake unless told to, and their record.

A `World` first says what really happened (`Truth` of each message, who was subscribed when, which receipts took
effect); `recorded` then writes down what users and monitor would have seen of it. Tests plant a fault into the truth,
or into what is shown of it, and ask which criteria notice. Nothing here shares code with the checkers.

Times are seconds. Everything a server does lies at least `TICK` apart, so that no two things happen at once.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from analysis.record.codes import (
    AttemptKind,
    EventType,
    Guise,
    MarkKind,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
)
from tests.analysis.histories import History, Message

TICK = 0.001
LAG = 0.05  # from a commit to its events
LOAD_ENDS, DRAIN_ENDS = 40.0, 60.0
POLL_EVERY = 2.0
WHOLE_HISTORY = 1000  # a page's limit that no chat reaches


def asked_of_worlds(examples: int) -> settings:
    """Settings of a test that is asked about so many worlds, each of which takes much to draw."""
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, suppress_health_check=checks)


@dataclass
class Truth:
    """A stored message: the row as it is, and every change of its status."""

    message: Message
    committed: float
    seq: int | None
    ours: bool = True  # sent by a user of the run
    sender: int = 0
    text: str = ""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    statuses: list[tuple[float, Status]] = field(default_factory=list)
    deleted: float | None = None

    def status(self, at: float) -> Status:
        """Its status at this moment."""
        return [status for when, status in self.statuses if when <= at][-1]

    def there(self, at: float) -> bool:
        """Whether a query at this moment finds it."""
        return self.committed <= at and (self.deleted is None or self.deleted > at)


@dataclass
class Listening:
    """One person's subscription to one chat; `number` is their how manieth socket.

    Attributes:
        ended: None: at the end of the drain.
        served: from when to when the server really sent what was committed, where that is not the same.
        renewed: it ended because the server made it anew, on the same socket, for a new token.
    """

    person: int
    chat: int
    number: int
    began: float
    ended: float | None
    served: tuple[float, float] | None = None
    renewed: bool = False


@dataclass
class Shown:
    """An event as it reached somebody: when it arrived, and when its change was committed."""

    truth: Truth
    to: Listening
    at: float
    committed: float
    type: EventType = EventType.INSERT
    status: Status = Status.SENT
    seq: int | None = None
    text: str | None = None
    textless: bool = False
    sender: int | None = None
    chat: int | None = None
    id: uuid.UUID | None = None


@dataclass
class Page:
    """A page of history that somebody read: everything that was there."""

    person: int
    chat: int
    at: float
    purpose: PagePurpose
    rows: list[Truth]


@dataclass
class World:
    """What happened in a run."""

    history: History
    rows: list[Truth] = field(default_factory=list)
    listening: list[Listening] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    marks: list[tuple[int, int, float, MarkKind, int]] = field(default_factory=list)
    baseline: list[int] = field(default_factory=list)
    left: list[tuple[int, int, float]] = field(
        default_factory=list
    )  # person, chat, the look that missed them

    def ours(self) -> list[Truth]:
        """Stored messages of the run."""
        return [row for row in self.rows if row.ours]

    def acknowledged(self) -> list[Truth]:
        """Those of them that were answered ok."""
        ok = self.outcomes()
        return [row for row in self.ours() if Outcome.OK in ok[row.message.client_id.bytes]]

    def outcomes(self) -> dict[bytes, list[Outcome]]:
        """The outcomes of each message's attempts."""
        found: dict[bytes, list[Outcome]] = {}
        for send in self.history.rows["sends"]:
            found.setdefault(send[2], []).append(send[7])
        return found

    def events_of(self, row: Truth) -> list[Shown]:
        """The INSERT events of a row."""
        return [event for event in self.shown if event.truth is row and event.type is EventType.INSERT]

    def recorded(self) -> History:
        """What everybody wrote down."""
        history = self.history
        self._write_sockets()
        for shown in sorted(self.shown, key=lambda shown: shown.at):
            history.event(
                shown.truth.message,
                shown.to.person,
                shown.at,
                type=shown.type,
                status=shown.status,
                seq=shown.truth.seq if shown.seq is None else shown.seq,
                socket=100 * shown.to.number + shown.to.person,
                id=shown.id or shown.truth.id,
                text=shown.text or shown.truth.text,
                textless=shown.textless,
                sender=shown.sender,
                chat=shown.chat,
                committed=shown.committed,
            )
        for person, chat, at, kind, up_to in self.marks:
            history.mark(person, chat, at, kind=kind, up_to_seq=up_to)
        for page in self.pages:
            self._write_page(page)
        for person, chat, at in self.left:
            history.member(person, chat, 0.0)
            history.member(person, chat, at, there=False)
        self._write_looks()
        return history

    def _write_sockets(self) -> None:
        history = self.history
        for one in self.listening:
            socket = 100 * one.number + one.person
            history.socket(one.person, SocketEvent.SUBSCRIBED, one.began, chat=one.chat, socket=socket)
            if one.renewed and one.ended is not None:
                history.socket(one.person, SocketEvent.UNSUBSCRIBED, one.ended, chat=one.chat, socket=socket)
            elif one.ended is not None:
                history.socket(one.person, SocketEvent.CLOSED, one.ended, socket=socket)
            else:
                known = [row.seq or 0 for row in self.rows if row.message.chat == one.chat]
                history.socket(
                    one.person, SocketEvent.FINISHED, DRAIN_ENDS,
                    chat=one.chat, socket=socket, seq=max(known, default=0),
                )  # fmt: skip

    def _write_page(self, page: Page) -> None:
        messages = [
            Message(row.sender, page.chat, row.text, row.message.client_id, row.id, row.seq)
            for row in page.rows
        ]
        self.history.page(
            page.person, page.chat, page.at, messages, purpose=page.purpose, limit=WHOLE_HISTORY
        )
        lowest = min((row.seq for row in page.rows if row.seq is not None), default=1)
        if lowest > 1:  # a device reads on, until there is nothing
            self.history.page(
                *(page.person, page.chat, page.at + TICK, []),
                purpose=page.purpose, limit=WHOLE_HISTORY, before_seq=lowest,
            )  # fmt: skip

    def _write_looks(self) -> None:
        """Polls see what appeared, changed or went since the one before; the last is the sweep."""
        seen: dict[int, Status] = {}
        gone: set[int] = set()
        for at, kind in self._looks():
            self.history.poll(at, kind)
            for number, row in enumerate(self.rows):
                if number in gone or row.committed > at:
                    continue
                if not row.there(at):
                    if number in seen:
                        self._observe(row, at, row.status(at), ObservedChange.GONE)
                    gone.add(number)
                elif seen.get(number) is not row.status(at):
                    change = ObservedChange.CHANGED if number in seen else ObservedChange.APPEARED
                    seen[number] = row.status(at)
                    self._observe(row, at, seen[number], change)

    def _looks(self) -> Iterator[tuple[float, PollKind]]:
        at = 0.0
        while at < DRAIN_ENDS:
            yield at, PollKind.POLL
            at += POLL_EVERY
        yield DRAIN_ENDS + 1, PollKind.SWEEP

    def _observe(self, row: Truth, at: float, status: Status, change: ObservedChange) -> None:
        # `History` takes None for "as the message has it", so the row's own seq goes by way of the message.
        row.message.seq = row.seq
        self.history.observe(
            row.message, at, status=status, change=change, id=row.id, sender=row.sender, text=row.text,
            keyed=row.ours,
        )  # fmt: skip


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Worlds in which the server makes no mistake: concurrent sends, time-outs, refusals, repeats, strangers' messages,
    people who lose their socket and catch up, receipts, and pages of history."""
    people = draw(st.integers(2, 4))
    world = World(History(people=people))
    for _ in range(draw(st.integers(1, 3))):
        members = draw(st.permutations(range(people)))[: draw(st.integers(2, people))]
        world.baseline.append(draw(st.sampled_from([0, 7])))
        world.history.chat(*sorted(members), subscribed=None, baseline=world.baseline[-1])
    for _ in range(draw(st.integers(2, 12))):
        _send(draw, world)
    _number(world)
    answer(world)
    _listen(draw, world)
    _acknowledge(draw, world)
    for row in world.rows:
        show(world, row)
    _read(draw, world)
    _trespass(draw, world)
    return world


# How a message fared: outcome of its first attempt, whether that stored it, and whether it was sent once more.
FATES = (
    (Outcome.OK, True, False),
    (Outcome.OK, True, False),
    (Outcome.OK, True, True),
    (Outcome.INFO, True, False),
    (Outcome.INFO, True, True),
    (Outcome.INFO, False, False),
    (Outcome.INFO, False, True),
    (Outcome.FAIL, False, False),
)
STRANGER = 9  # somebody in the project who is no user of the run


def _send(draw: st.DrawFn, world: World) -> None:
    chat = draw(st.integers(0, len(world.history.chats) - 1))
    sender = draw(st.sampled_from(world.history.chats[chat]))
    left = 1 + draw(st.integers(0, int(LOAD_ENDS) * 20)) / 20
    number = len(world.history.messages) + len(world.rows)
    committed = left + 0.02 + draw(st.integers(0, 20)) / 40 + number * TICK / 10
    if draw(st.integers(0, 9)) == 0:
        stranger = Message(sender, chat, f"strange {number}", uuid.uuid4(), uuid.uuid4(), at=left)
        world.rows.append(Truth(stranger, committed, None, ours=False, sender=STRANGER, text=stranger.text))
        return
    outcome, stored, repeated = draw(st.sampled_from(FATES))
    message = world.history.send(sender, chat, left, took=0.6, outcome=outcome)
    if repeated:
        again = left + 1 + draw(st.integers(0, 20)) / 10
        world.history.repeat(message, again, took=0.6)
        committed = committed if stored else again + 0.02
    if stored or repeated:
        world.rows.append(Truth(message, committed, None, sender=sender, text=message.text, id=message.id))


def show(world: World, row: Truth) -> None:
    """Realtime: everything that is committed while somebody listens reaches them, in that order."""
    for one in world.listening:
        if one.chat != row.message.chat:
            continue
        began, ended = one.served or (one.began, DRAIN_ENDS if one.ended is None else one.ended)
        for place, (when, status) in enumerate(row.statuses):
            if began < when and when + LAG < ended:
                kind = EventType.UPDATE if place else EventType.INSERT
                world.shown.append(Shown(row, one, when + LAG, when, kind, status))


def answer(world: World) -> None:
    """Fill in what the ok answers told: id and seq as they are stored."""
    told = {row.message.client_id.bytes: row for row in reversed(world.ours())}
    sends = world.history.rows["sends"]
    for place, send in enumerate(sends):
        if send[7] is Outcome.OK:
            row = told[send[2]]
            sends[place] = (*send[:9], row.id.bytes, row.seq, *send[11:])


def _number(world: World) -> None:
    """Seqs in the order of commits, as a trigger that locks the chat's counter gives them."""
    newest = list(world.baseline)
    for row in sorted(world.rows, key=lambda row: row.committed):
        newest[row.message.chat] += 1
        row.seq = newest[row.message.chat]
        row.statuses = [(row.committed, Status.SENT)]


def _listen(draw: st.DrawFn, world: World) -> None:
    for chat, members in enumerate(world.history.chats):
        for person in members:
            began = draw(st.sampled_from([0.0, 0.0, 5.0]))
            fate = draw(st.sampled_from(["stays", "stays", "renews", "falls", "falls"]))
            if fate == "stays":
                world.listening.append(Listening(person, chat, 0, began, None))
                continue
            if fate == "renews":
                _renew(draw, world, person, chat, began)
                continue
            lost = 10 + draw(st.integers(0, 200)) / 10
            world.listening.append(Listening(person, chat, 0, began, lost))
            back = lost + 0.5 + draw(st.integers(0, 50)) / 10
            world.listening.append(Listening(person, chat, 1, back, None))
            world.pages.append(Page(person, chat, back + 0.1, PagePurpose.CATCH_UP, []))


def _renew(draw: st.DrawFn, world: World, person: int, chat: int, began: float) -> None:
    """A new token: between pushing it and the server's confirmation, one subscription ends and the next begins, in either order."""
    pushed = 10 + draw(st.integers(0, 200)) / 10 + 0.003
    until, since = (pushed + draw(st.integers(0, 6)) / 20 for _ in range(2))
    confirmed = pushed + 0.35
    world.listening += [
        Listening(person, chat, 0, began, pushed, (began, until), renewed=True),
        Listening(person, chat, 0, confirmed, None, (since - LAG, DRAIN_ENDS)),
    ]
    world.pages.append(Page(person, chat, confirmed + 0.1, PagePurpose.CATCH_UP, []))


def _acknowledge(draw: st.DrawFn, world: World) -> None:
    """Receipts take effect on all that others wrote in the chat and that is there, as the functions' UPDATE does."""
    steps = []
    for _ in range(draw(st.integers(0, 6))):
        chat = draw(st.integers(0, len(world.history.chats) - 1))
        person = draw(st.sampled_from(world.history.chats[chat]))
        kind = draw(st.sampled_from(MarkKind))
        at = 2 + draw(st.integers(0, 900)) / 20 + len(steps) * TICK
        steps.append((at, person, chat, kind))
    for at, person, chat, kind in sorted(steps):
        there = [row for row in world.rows if row.message.chat == chat and row.committed + LAG < at]
        if not there:
            continue
        world.marks.append((person, chat, at, kind, max(row.seq or 0 for row in there)))
        wanted = Status.DELIVERED if kind is MarkKind.DELIVERED else Status.READ
        effect = at + 0.02
        for row in world.rows:
            mine = row.message.chat == chat and row.sender != person and row.committed < effect
            if mine and row.status(effect) < wanted:
                row.statuses.append((effect, wanted))


def _trespass(draw: st.DrawFn, world: World) -> None:
    """Outsiders who are refused, or get nothing."""
    for _ in range(draw(st.integers(0, 3))):
        kind, guise = draw(st.sampled_from(AttemptKind)), draw(st.sampled_from(Guise))
        outcome = draw(st.sampled_from(Outcome))
        got = 0 if outcome is Outcome.OK and kind is not AttemptKind.SEND else None
        if kind in {AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ} and draw(st.booleans()):
            got = None  # the app's functions need not say how many
        at = 1 + draw(st.integers(0, 900)) / 20
        chat = draw(st.integers(0, len(world.history.chats) - 1))
        world.history.attempt(STRANGER, chat, at, kind, guise=guise, outcome=outcome, got=got, took=2)


def _read(draw: st.DrawFn, world: World) -> None:
    for _ in range(draw(st.integers(0, 3))):
        chat = draw(st.integers(0, len(world.history.chats) - 1))
        person = draw(st.sampled_from(world.history.chats[chat]))
        at = 1 + draw(st.integers(0, 900)) / 20
        world.pages.append(Page(person, chat, at, PagePurpose.BROWSE, []))
    for page in world.pages:
        found = [row for row in world.rows if row.message.chat == page.chat and row.there(page.at + 0.01)]
        page.rows = sorted(found, key=lambda row: -(row.seq or 0))
