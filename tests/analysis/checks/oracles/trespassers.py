"""Stories of people who try what they may not, and what became of it; and how a record tells of that."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from analysis.evidence import Evidence
from analysis.record.codes import (
    AttemptKind,
    EventType,
    Guise,
    MarkKind,
    ObservedChange,
    Outcome,
    PollKind,
    Status,
    Way,
)
from tests.analysis.checks.oracles.listeners import spoken
from tests.analysis.checks.oracles.story import (
    Event,
    Look,
    Receipt,
    Story,
    chat_id,
    key_id,
    message_id,
    ns,
    person_id,
    us,
)
from tests.analysis.checks.oracles.writing import Writer, written

_OWN = 100  # numbers of messages and keys that only attempts have
_OFTEN = (AttemptKind.SEND, AttemptKind.SEND, AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ)
_NAMING = {AttemptKind.SEND, AttemptKind.READ, AttemptKind.SUBSCRIBE}  # whose rows may name a message
_PATHS = (
    (),
    (Status.DELIVERED,),
    (Status.DELIVERED, Status.READ),
    (Status.READ,),
    (Status.OTHER,),
)


@dataclass(slots=True)
class Left:
    """The row that an attempt to send left in the database. `number` is of its message."""

    number: int
    sender: int
    keyed: bool
    as_written: bool  # its text
    seq: int | None
    looks: list[Look]


@dataclass(slots=True)
class Trespass:
    """Somebody tries what they may not. `told` is the message in the answer, `key` whether the request had one."""

    person: int
    chat: int
    kind: AttemptKind
    guise: Guise
    way: Way
    began: float
    ended: float
    outcome: Outcome
    status_code: int
    got: int | None
    told: int | None
    key: bool
    left: Left | None = None


@dataclass(slots=True)
class Break:
    """A story, and all attempts in it."""

    story: Story
    tried: list[Trespass] = field(default_factory=list)


@st.composite
def broken_into(draw: st.DrawFn) -> Break:
    """Any combination of messages and attempts."""
    found = Break(draw(spoken()))
    _mark(draw, found.story)
    for number in range(draw(st.sampled_from([0, 1, 2, 3, 4, 4, 7]))):
        found.tried.append(_trespass(draw, found.story, number))
    return found


def _mark(draw: st.DrawFn, story: Story) -> None:
    """Statuses that move at some looks, receipts that may have moved them, and events that tell of it."""
    for number, message in enumerate(story.messages):
        if not message.looks or message.looks[-1].change is ObservedChange.GONE:
            continue
        for status in draw(st.sampled_from(_PATHS)):
            later = [
                poll
                for poll, taken in enumerate(story.polls)
                if poll > message.looks[-1].poll and taken.kind is not PollKind.FAILED
            ]
            if later:
                message.looks.append(Look(draw(st.sampled_from(later)), ObservedChange.CHANGED, status))
        if draw(st.integers(0, 3)) == 3:
            person, status = draw(st.sampled_from(story.chats[message.chat])), draw(st.sampled_from(Status))
            at = 5 * draw(st.integers(0, 7)) + 1
            told = (person, 10 * person, number, message.chat, at, EventType.UPDATE, status, message.seq)
            story.events.append(Event(*told, committed=at))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        chat = draw(st.integers(0, len(story.chats) - 1))
        left = 5 * draw(st.integers(0, 7))
        receipt = Receipt(
            draw(st.sampled_from(story.chats[chat])),
            chat,
            left,
            left + draw(st.integers(0, 5)),
            draw(st.sampled_from(Outcome)),
            up_to=None,
            kind=draw(st.sampled_from(MarkKind)),
        )
        story.receipts.append(receipt)
    if draw(st.integers(0, 9)) == 9:
        story.processes[0].lost = ("marks",)


def _trespass(draw: st.DrawFn, story: Story, number: int) -> Trespass:
    one_clock = len({story.monitor.host, *(process.host for process in story.processes)}) == 1
    # Across clocks nothing is tried that only tenths of a second decide.
    parts = st.sampled_from([0, 0.3, 0.5, 0.7] if one_clock else [0, 0.5])
    began = 5 * draw(st.integers(0, 7)) + draw(parts)
    kind = draw(st.sampled_from([*AttemptKind, *_OFTEN]))
    sends = kind is AttemptKind.SEND
    told = draw(st.sampled_from([None, None, _OWN + number, *range(len(story.messages))]))
    return Trespass(
        person=draw(st.integers(0, story.people - 1)),
        chat=draw(st.integers(0, len(story.chats) - 1)),
        kind=kind,
        guise=draw(st.sampled_from(Guise)),
        way=draw(st.sampled_from(Way)),
        began=began,
        ended=round(began + draw(st.sampled_from([0, 1, 5, 20])) + draw(parts), 6),
        outcome=draw(st.sampled_from([Outcome.OK, Outcome.OK, *Outcome])),
        status_code=draw(st.sampled_from([0, 200, 302, 403, 429])),
        got=None if sends else draw(st.sampled_from([None, None, 0, 0, 1, 3])),
        told=told if kind in _NAMING else None,
        key=sends and draw(st.booleans()),
        left=_left(draw, story, number) if sends and draw(st.booleans()) else None,
    )


def _left(draw: st.DrawFn, story: Story, number: int) -> Left | None:
    if not story.polls:
        return None
    looks = [Look(draw(st.integers(0, len(story.polls) - 1)), ObservedChange.APPEARED)]
    if draw(st.integers(0, 4)) == 4:
        looks.append(Look(len(story.polls) - 1, ObservedChange.GONE))
    return Left(
        _OWN + number,
        sender=draw(st.integers(0, story.people - 1)),
        keyed=draw(st.booleans()),
        as_written=draw(st.booleans()),
        seq=draw(st.sampled_from([None, 7, 8])),
        looks=looks,
    )


def evidence(found: Break) -> Evidence:
    """The story and its attempts as the judge sees them."""
    return written(_Writer(found), found.story)


class _Writer(Writer):
    def __init__(self, found: Break) -> None:
        super().__init__(found.story)
        self._tried = found.tried

    def load_rows(self, process: int) -> dict[str, list[tuple[Any, ...]]]:
        rows = super().load_rows(process)
        rows["attempts"] = [
            (
                *(person_id(one.person).bytes, chat_id(one.chat).bytes, one.kind, one.guise, one.way),
                *(
                    self.ns(process, one.began),
                    self.ns(process, one.ended),
                    one.outcome,
                    one.status_code,
                    one.got,
                ),
                None if one.told is None else message_id(one.told).bytes,
                key_id(_OWN + number).bytes if one.key else None,
                f"attempt {number}" if one.kind is AttemptKind.SEND else None,
                None,
            )
            for number, one in enumerate(self._tried)
            if self._story.process_of[one.person] == process
        ]
        return rows

    def database_rows(self) -> dict[str, list[tuple[Any, ...]]]:
        rows = super().database_rows()
        rows["observations"] += [
            self._left(number, one.chat, one.left, look)
            for number, one in enumerate(self._tried)
            if one.left is not None
            for look in one.left.looks
        ]
        return rows

    def _left(self, number: int, chat: int, row: Left, look: Look) -> tuple[Any, ...]:
        return (
            *(look.poll, look.change, ns(self._story.polls[look.poll].at), message_id(row.number).bytes),
            *(chat_id(chat).bytes, row.seq, person_id(row.sender).bytes),
            key_id(_OWN + number).bytes if row.keyed else None,
            *(Status.SENT, None, f"attempt {number}" if row.as_written else "other words", us(0), False),
        )
