"""What the load processes were answered, held against the rows that the looks have brought: pure, no file, no database.

Only what is certain while the run goes on. An answer is kept until its row is there, for a few looks at most, so that memory is
bounded by what is under way.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from analysis.monitor.findings import Noticed, noticed
from analysis.monitor.memory import Look, Memory
from analysis.monitor.rows import said
from analysis.record.codes import Outcome

# An app may acknowledge before it stores; and a message that is not there at the second look is worth a word at once.
LOOKS_AWAITED = 2
KEPT_A_CHAT = 2_000  # acknowledgements that a later send's seq is compared with


class Answered(NamedTuple):
    """What became of one attempt at a message: a clock, and columns of table ``sends``."""

    clock: str
    user_id: bytes
    chat_id: bytes
    client_generated_id: bytes | None
    attempt: int
    left_ns: int
    answered_ns: int
    outcome: int
    message_id: bytes | None
    seq: int | None
    text: str


@dataclass(slots=True)
class _Waiting:
    answered: Answered
    looks: int = 0


@dataclass(slots=True)
class _Order:
    """Of one chat and clock: acknowledgements in the order of their time, and the highest seq until each."""

    times_ns: list[int] = field(default_factory=list)
    highest: list[tuple[int, bytes | None]] = field(default_factory=list)

    def add(self, one: Answered, seq: int) -> None:
        # Records of several processes come in turns: one that comes too late counts from the latest on, which is less.
        self.times_ns.append(max(one.answered_ns, self.times_ns[-1] if self.times_ns else 0))
        before = self.highest[-1] if self.highest else (seq, one.message_id)
        self.highest.append(max(before, (seq, one.message_id), key=lambda known: known[0]))
        if len(self.times_ns) > 2 * KEPT_A_CHAT:
            del self.times_ns[:KEPT_A_CHAT], self.highest[:KEPT_A_CHAT]

    def before(self, left_ns: int) -> tuple[int, bytes | None] | None:
        """The highest seq that had been acknowledged when something left, and whose it is."""
        place = bisect_left(self.times_ns, left_ns)
        return self.highest[place - 1] if place else None


class Answers:
    """The answers of a run, as they come in."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._orders: dict[tuple[str, bytes], _Order] = {}

    def take_in(self, answered: Iterable[Answered], look: Look) -> None:
        """What has been written down since the last time."""
        for one in answered:
            if one.outcome == Outcome.INFO:
                continue  # it may be stored or not
            if one.outcome == Outcome.OK or (one.attempt == 0 and one.client_generated_id):
                self._waiting.append(_Waiting(one))
            if one.outcome == Outcome.OK and one.attempt == 0 and one.seq is not None:
                self._put_in_order(one, one.seq, look)

    def sought(self, memory: Memory) -> tuple[list[bytes], list[tuple[bytes, bytes]]]:
        """What the next look has to ask for, because its rows are not there: messages, and senders with their keys."""
        ids, keys = [], []
        for waiting in self._waiting:
            one = waiting.answered
            if one.message_id is not None:
                if one.message_id not in memory:
                    ids.append(one.message_id)
            elif one.client_generated_id and memory.message_of(one.user_id, one.client_generated_id) is None:
                keys.append((one.user_id, one.client_generated_id))
        return ids, keys

    def looked(self, memory: Memory, look: Look) -> None:
        """A look came to its end: what it has shown about the answers."""
        still = []
        for waiting in self._waiting:
            waiting.looks += 1
            if not self._settled(waiting, memory, look):
                still.append(waiting)
        self._waiting = still

    def _settled(self, waiting: _Waiting, memory: Memory, look: Look) -> bool:
        one, last = waiting.answered, waiting.looks >= LOOKS_AWAITED
        by_key = memory.message_of(one.user_id, one.client_generated_id)
        if one.outcome == Outcome.FAIL:
            if by_key is not None:
                look.findings.append(_about(one, "messages.unexpected", REFUSED, look, by_key))
            return last or by_key is not None
        row = memory.known(one.message_id or by_key)
        if one.attempt and one.message_id and by_key not in {None, one.message_id}:
            look.findings.append(_about(one, "idempotency.retries", _other(by_key), look, one.message_id))
            return True
        if row is None:
            if last and (one.message_id or one.client_generated_id) and not memory.was_there(one.message_id):
                look.findings.append(_about(one, "messages.lost", NOT_THERE, look, one.message_id))
            return last
        if row.said != said(one.user_id, one.chat_id, one.text):
            look.findings.append(_about(one, "messages.corrupted", ALTERED, look, one.message_id or by_key))
        return True

    def _put_in_order(self, one: Answered, seq: int, look: Look) -> None:
        order = self._orders.setdefault((one.clock, one.chat_id), _Order())
        before = order.before(one.left_ns)
        if before is not None and before[0] > seq:
            earlier = f"message {UUID(bytes=before[1])}" if before[1] else "a message"
            why = f"it left after {earlier} had been acknowledged with seq {before[0]:,}, and has the smaller seq {seq:,}"
            look.findings.append(_about(one, "seq.order", why, look, one.message_id))
        order.add(one, seq)


REFUSED = "the server refused it, and it is stored"
NOT_THERE = f"the server acknowledged it, and {LOOKS_AWAITED} looks later it is not in the database"
ALTERED = "the text, the sender or the chat that is stored is another than what was sent"


def _other(first: bytes | None) -> str:
    stored = f"message {UUID(bytes=first)}" if first else "another"
    return f"a repeat was answered with it, and {stored} is stored with the client_generated_id"


def _about(one: Answered, criterion: str, why: str, look: Look, message_id: bytes | None) -> Noticed:
    named = message_id or one.client_generated_id
    name = f"Message {UUID(bytes=named)}" if named else "A message"
    return noticed(
        criterion,
        f"{name}: {why}.",
        look.at_ns,
        chat_id=one.chat_id,
        seq=one.seq,
        message_id=message_id,
        client_generated_id=one.client_generated_id,
        sender_id=one.user_id,
    )
