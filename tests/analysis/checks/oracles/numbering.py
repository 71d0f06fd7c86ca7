"""Small histories of numbers: who was told of which seq, what the looks saw, and by whose clock. Anything may be in them.

Times are milliseconds of the run by the clock of whoever noted them. Written down as a record by `evidence`.
"""

import uuid
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from analysis.evidence import Evidence, assemble
from analysis.record import Chat, Person, ProcessInfo, Run
from analysis.record.codes import EventType, ObservedChange, Outcome, PagePurpose, PollKind, Status
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES
from tests.analysis.in_memory import CLOCK_NS, EPOCH_US, InMemory

MS = 1_000_000
LEADER = "leader"  # the host where the monitor runs
PERSON, STRANGER = uuid.UUID(int=0xA << 120), uuid.UUID(int=0xB << 120)


@dataclass(slots=True)
class Attempt:
    left: float
    answered: float
    outcome: Outcome
    told: int | None  # seq


@dataclass(slots=True)
class Seen:
    """What look `poll` saw of a row; seq and chat of a row that is gone are as remembered. `chat` None: the row's own."""

    poll: int
    change: ObservedChange
    seq: int | None
    chat: int | None = None


@dataclass(slots=True)
class Row:
    """A row that at least one look saw."""

    number: int
    chat: int
    send: int | None  # None: of somebody who is no user of the run
    seen: list[Seen]

    def where(self, seen: Seen) -> int:
        """The chat in which that look saw it."""
        return self.chat if seen.chat is None else seen.chat


@dataclass(slots=True)
class Send:
    """One message meant, and all attempts at it; the answers name the row of the number `answered`."""

    process: int
    chat: int
    attempts: list[Attempt]
    answered: int


@dataclass(slots=True)
class Word:
    """What an event or a page of history tells of the message of that number, whether or not a look ever saw it; a page need
    not tell who its `sender` is."""

    told_by: EventType | PagePurpose
    message: int
    chat: int
    seq: int | None
    sender: uuid.UUID | None = PERSON


@dataclass(slots=True)
class Poll:
    kind: PollKind
    xmin: int
    next_xid: int


@dataclass(slots=True)
class Measured:
    """The leader's clock minus its own, as `process` measured it."""

    process: int
    at: float
    offset: float
    error: float


@dataclass(slots=True)
class Numbers:
    """A history.

    Attributes:
        hosts: of the load processes.
        baseline: of each chat; None: it was not seen before the load.
        words: of events and pages, in the order in which they came.
        knows_ids: the record is of a version that wrote down the next transaction's id.
        lost: the monitor could not write a row of what it observed.
        most: no seq is higher.
    """

    hosts: list[str]
    baseline: list[int | None]
    sends: list[Send] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    polls: list[Poll] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    knows_ids: bool = True
    lost: bool = False
    most: int = 12


def row_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(0x1111 << 112) | number)


def chat_id(number: int) -> uuid.UUID:
    return uuid.UUID(int=(0xCCCC << 112) | number)


def key_id(number: int) -> uuid.UUID:
    """The client_generated_id of a send."""
    return uuid.UUID(int=(0x2222 << 112) | number)


UNSEEN, STRANGE = 900, 500  # from here on: messages that no look saw, of the run and of others


def sent_text(send: int) -> str:
    return f"message {send}"


def ns(at: float) -> int:
    return CLOCK_NS + round(at * MS)


def seqs(made: Numbers) -> st.SearchStrategy[int | None]:
    return st.sampled_from([None, *range(1, made.most + 1), *range(1, made.most + 1)])


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    """Any history of up to two chats, three load processes and a dozen messages."""
    made = Numbers(
        hosts=draw(st.lists(st.sampled_from([LEADER, "far", "farther"]), min_size=1, max_size=3)),
        baseline=draw(st.lists(st.sampled_from([0, 0, 2, None]), min_size=1, max_size=2)),
        knows_ids=draw(st.integers(0, 2)) > 0,
        lost=draw(st.integers(0, 9)) == 0,
        most=draw(st.sampled_from([4, 7, 12])),
    )
    made.polls = _polls(draw)
    chats = st.integers(0, len(made.baseline) - 1)
    for _ in range(draw(st.integers(0, 7))):
        made.sends.append(_send(draw, made, draw(chats)))
    for _ in range(draw(st.integers(0, 3))):
        made.rows.append(Row(len(made.rows), draw(chats), None, _seen(draw, made)))
    made.words = [_word(draw, made) for _ in range(draw(st.integers(0, 6)))]
    for process in range(len(made.hosts)):
        offset = draw(st.sampled_from([-300_000, 0, 7_000]))
        for _ in range(draw(st.integers(0, 3))):
            at, error, wrong = (draw(st.integers(0, most)) for most in (60_000, 40, 60))
            made.measured.append(Measured(process, at, offset + wrong, error))
    return made


def _polls(draw: st.DrawFn) -> list[Poll]:
    """Looks at a server on which transactions begin and end; the last ones may be sweeps."""
    xmin, next_xid, polls = 100, 100, []
    for _ in range(draw(st.sampled_from([1, 3, 4, 5, 6]))):
        next_xid += draw(st.integers(0, 2))
        xmin = draw(st.sampled_from([xmin, xmin, (xmin + next_xid) // 2, next_xid]))
        kind = draw(st.sampled_from([PollKind.POLL, PollKind.POLL, PollKind.POLL, PollKind.FAILED]))
        polls.append(Poll(kind, xmin, next_xid))
    if draw(st.integers(0, 4)):
        place = draw(st.integers(max(0, len(polls) - 2), len(polls) - 1))
        polls[place].kind = PollKind.SWEEP
    return polls


def _send(draw: st.DrawFn, made: Numbers, chat: int) -> Send:
    number = len(made.sends)
    copies = draw(st.sampled_from([0, 0, 1, 1, 1, 2]))
    own = len(made.rows) if copies else UNSEEN + number
    another = draw(st.sampled_from([UNSEEN, *(row.number for row in made.rows if row.send is not None)]))
    answered = draw(st.sampled_from([own] * 6 + [UNSEEN + number, another]))
    send = Send(draw(st.integers(0, len(made.hosts) - 1)), chat, [], answered)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
        left = draw(st.integers(0, 1200)) * 50
        outcome = draw(st.sampled_from([Outcome.OK, Outcome.OK, Outcome.INFO, Outcome.FAIL]))
        told = draw(seqs(made)) if outcome is Outcome.OK else None
        send.attempts.append(Attempt(left, left + draw(st.integers(1, 40)) * 50, outcome, told))
    for _ in range(copies):
        stored_in = draw(st.sampled_from([chat] * 9 + [len(made.baseline) - 1]))
        made.rows.append(Row(len(made.rows), stored_in, number, _seen(draw, made)))
    return send


def _word(draw: st.DrawFn, made: Numbers) -> Word:
    """Most often such as others say it, too, of a message that an answer told of, that a look saw, or that nobody knows."""
    told_by = draw(
        st.sampled_from([EventType.INSERT, EventType.UPDATE, EventType.DELETE, PagePurpose.BROWSE])
    )
    answered = [(send.answered, send.chat, one.told) for send in made.sends for one in send.attempts[:1]]
    seen = [(row.number, row.chat, row.seen[0].seq) for row in made.rows]
    strange = [(STRANGE + seq, 0, seq) for seq in range(1, 4)]
    message, chat, seq = draw(st.sampled_from([*answered, *answered, *seen, *strange, *strange]))
    if draw(st.integers(0, 3)) == 3:
        chat, seq = draw(st.integers(0, len(made.baseline) - 1)), draw(seqs(made))
    if told_by is EventType.DELETE:
        return Word(told_by, message, chat, None)
    senders = [PERSON, STRANGER] if isinstance(told_by, EventType) else [PERSON, STRANGER, None]
    return Word(told_by, message, chat, seq, draw(st.sampled_from(senders)))


def _seen(draw: st.DrawFn, made: Numbers) -> list[Seen]:
    """A row appears, may change its seq, and may go."""
    seq = draw(seqs(made))
    first = draw(st.integers(0, len(made.polls) - 1) | st.integers(0, 1 if len(made.polls) > 2 else 0))
    seen = [Seen(first, ObservedChange.APPEARED, seq)]
    later = list(range(first + 1, len(made.polls)))
    if later and draw(st.integers(0, 4)) == 0:
        poll = draw(st.sampled_from(later))
        later = [one for one in later if one > poll]
        seq = draw(seqs(made))
        chat = draw(st.sampled_from([None] * 5 + [len(made.baseline) - 1]))
        seen.append(Seen(poll, ObservedChange.CHANGED, seq, chat))
    if later and draw(st.integers(0, 4)) == 0:
        seen.append(Seen(draw(st.sampled_from(later)), ObservedChange.GONE, seq, seen[-1].chat))
    return seen


def evidence(made: Numbers) -> Evidence:
    """The history as the judge sees it."""
    names = [f"worker-{number}" for number in range(len(made.hosts))]
    run = Run(
        run_id="20261123T160000Z-numbers",
        host="http://127.0.0.1:8000",
        embedded=True,
        settings={},
        versions={},
        people=[Person(str(PERSON), "a@example.com")],
        chats=[Chat(str(chat_id(chat)), "group", (str(PERSON),), 1.0) for chat in range(len(made.baseline))],
        processes=names,
        started_at="2026-11-23T16:00:00Z",
        ended_at="2026-11-23T16:02:00Z",
    )
    parts = {
        name: _Part(_load_rows(made, number), name, made.hosts[number]) for number, name in enumerate(names)
    }
    lost = ("observations",) if made.lost else ()
    return assemble(run, parts, _Part(_database_rows(made), "monitor", LEADER, lost))


def _load_rows(made: Numbers, process: int) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in LOAD_TABLES}
    for number, send in enumerate(made.sends):
        if send.process == process:
            rows["sends"] += [_attempt(number, send, place) for place in range(len(send.attempts))]
    if process == 0:
        for word in made.words:
            table = "events" if isinstance(word.told_by, EventType) else "pages"
            rows[table].append(_told(word))
    rows["clocks"] = [
        (ns(one.at), round(one.offset * MS), round(one.error * MS), f"{LEADER}/boot/")
        for one in made.measured
        if one.process == process
    ]
    return rows


def _told(word: Word) -> tuple[Any, ...]:
    message, where = row_id(word.message).bytes, chat_id(word.chat).bytes
    if isinstance(word.told_by, EventType):
        text = zlib.crc32(sent_text(word.message - UNSEEN).encode())
        told = (word.seq, word.told_by, Status.SENT, text, EPOCH_US, ns(0))
        sender = None if word.sender is None else word.sender.bytes
        return (PERSON.bytes, 1, where, message, sender, *told)
    asked = (0, word.told_by, None, 50, ns(0), ns(1), Outcome.OK, 200)
    senders = None if word.sender is None else [word.sender.bytes]
    return (PERSON.bytes, where, *asked, [word.seq], [message], senders, None, None)


def _attempt(number: int, send: Send, place: int) -> tuple[Any, ...]:
    one = send.attempts[place]
    ok = one.outcome is Outcome.OK
    return (
        *(PERSON.bytes, chat_id(send.chat).bytes, key_id(number).bytes, place),
        *(ns(one.left), ns(one.left), ns(one.answered), one.outcome, 0),
        row_id(send.answered).bytes if ok else None,
        *(one.told, sent_text(number), None),
    )


def _database_rows(made: Numbers) -> dict[str, list[tuple[Any, ...]]]:
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in DATABASE_TABLES}
    rows["baseline"] = [
        (chat_id(chat).bytes, seq, seq) for chat, seq in enumerate(made.baseline) if seq is not None
    ]
    for number, poll in enumerate(made.polls):
        failed = poll.kind is PollKind.FAILED
        xids = (None, None) if failed else (poll.xmin, poll.next_xid if made.knows_ids else None)
        rows["polls"].append(
            (number, poll.kind, ns(number), 1.0, EPOCH_US, *xids, EPOCH_US, 0, 0, 0, None, None)
        )
        rows["observations"] += [
            _observation(row, seen, number) for row in made.rows for seen in row.seen if seen.poll == number
        ]
    return rows


def _observation(row: Row, seen: Seen, poll: int) -> tuple[Any, ...]:
    mine = row.send is not None
    gone = seen.change is ObservedChange.GONE
    text = "strange" if row.send is None else sent_text(row.send)
    return (
        *(poll, seen.change, ns(poll), row_id(row.number).bytes, chat_id(row.where(seen)).bytes, seen.seq),
        None if gone else (PERSON if mine else STRANGER).bytes,
        key_id(row.send).bytes if row.send is not None and not gone else None,
        *(Status.SENT, None, None if gone else text, EPOCH_US, False),
    )


class _Part(InMemory):
    """What one process wrote."""

    def __init__(
        self, rows: dict[str, list[tuple[Any, ...]]], name: str, host: str, lost: tuple[str, ...] = ()
    ) -> None:
        super().__init__(rows, name)
        info = ProcessInfo(name, 1, host, "boot", CLOCK_NS, EPOCH_US)
        self._record = replace(self._record, info=info, dropped=dict.fromkeys(lost, 1))
