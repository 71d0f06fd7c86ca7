"""What the load processes were answered, held against the rows that the looks have brought: pure, no file, no database.

Only what is certain while the run goes on. An answer is kept until its row is there, for a few looks at most, so that memory is
bounded by what is under way.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from analysis.monitor.findings import Noticed, noticed
from analysis.monitor.memory import Look, Memory
from analysis.monitor.rows import said
from analysis.record.codes import Outcome

# An app may acknowledge before it stores; and a message that is not there at the second look is worth a word at once.
LOOKS_AWAITED = 2
KEPT_A_CHAT = 500  # messages, that another's seq is compared with
NO_SEQ = -1


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


class _Order:
    """Of one chat and clock: messages that were acknowledged and seen, each with the same seq, in whatever order they come.

    Only such as both tell the same of: an answer that told a wrong number would have every later message look too small.
    """

    def __init__(self) -> None:
        self._by_answer: list[tuple[int, Answered]] = []  # by when they were acknowledged
        self._highest: list[Answered] = []  # of each of those and all before it the one with the highest seq
        self._by_start: list[
            tuple[int, Answered]
        ] = []  # by when they left: those of which nothing is wrong so far

    def add(self, one: Answered) -> Iterator[tuple[Answered, Answered]]:
        """What is out of order now: each such message, and one with a higher seq that had been acknowledged when it left."""
        place = bisect_right(self._by_answer, one.answered_ns, key=_time)
        self._by_answer.insert(place, (one.answered_ns, one))
        self._highest.insert(place, one)
        for later in range(max(place, 1), len(self._highest)):
            self._highest[later] = max(self._highest[later - 1], self._by_answer[later][1], key=_seq)
        before = bisect_left(self._by_answer, one.left_ns, key=_time)
        if before and _seq(self._highest[before - 1]) > _seq(one):
            yield one, self._highest[before - 1]
        else:
            insort(self._by_start, (one.left_ns, one), key=_time)
        after = bisect_right(self._by_start, one.answered_ns, key=_time)
        wrong = [there for _, there in self._by_start[after:] if _seq(there) < _seq(one)]
        self._by_start[after:] = [left for left in self._by_start[after:] if _seq(left[1]) >= _seq(one)]
        yield from ((there, one) for there in wrong)
        if len(self._by_answer) > 2 * KEPT_A_CHAT:
            del self._by_answer[:KEPT_A_CHAT], self._highest[:KEPT_A_CHAT]
            del self._by_start[:-KEPT_A_CHAT]


def _time(dated: tuple[int, Answered]) -> int:
    return dated[0]


def _seq(one: Answered) -> int:
    return NO_SEQ if one.seq is None else one.seq


class Answers:
    """The answers of a run, as they come in."""

    def __init__(self) -> None:
        self._waiting: list[_Waiting] = []
        self._orders: dict[tuple[str, bytes], _Order] = {}

    def take_in(self, answered: Iterable[Answered]) -> None:
        """What has been written down since the last time."""
        for one in answered:
            if one.outcome == Outcome.INFO:
                continue  # it may be stored or not
            if one.outcome == Outcome.OK or (one.attempt == 0 and one.client_generated_id):
                self._waiting.append(_Waiting(one))

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
        elif one.attempt == 0 and one.seq is not None and one.seq == row.seq:
            self._put_in_order(one, look)
        return True

    def _put_in_order(self, one: Answered, look: Look) -> None:
        order = self._orders.setdefault((one.clock, one.chat_id), _Order())
        for wrong, earlier in order.add(one._replace(text="")):  # which nobody needs any more
            named = f"message {UUID(bytes=earlier.message_id)}" if earlier.message_id else "a message"
            why = f"it left after {named} had been acknowledged with seq {earlier.seq:,}, and has the smaller seq {wrong.seq:,}"
            look.findings.append(_about(wrong, "seq.order", why, look, wrong.message_id))


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
