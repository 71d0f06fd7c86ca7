"""What the monitor knows of the run's rows, and which of them are due for another look: pure, no database.

Per row it keeps its chat, seq, status and a fingerprint of all its fields, about 420 bytes in all (a test
measures it): a run of a million messages costs the monitor's process about 420 MB.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from analysis.monitor.findings import Noticed, gone, judge
from analysis.monitor.rows import Row, Stored, gone_observation
from analysis.record.codes import ObservedChange, Status

Hole = tuple[bytes, int, int]  # chat, first and last missing seq

PATIENCE_LOOKS = 30  # how often what lies above a hole is read again before the hole is left to the last look


@dataclass(slots=True)
class Look:
    """What one look at the database brings: filled while it goes on, so that a look which breaks off loses nothing.

    Attributes:
        poll: its number.
        at_ns: when its snapshot was taken.
    """

    poll: int
    at_ns: int
    observations: list[Row] = field(default_factory=list)
    findings: list[Noticed] = field(default_factory=list)
    new: int = 0
    changed: int = 0
    gone: int = 0


@dataclass(slots=True)
class Remembered:
    """A row as last seen; `poll` is the look that saw it."""

    chat_id: bytes
    seq: int | None
    status: Status
    fingerprint: int
    poll: int


class _Frontier:
    """The highest seq of a chat below which nothing is missing, or has been missing for long."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self._above: list[int] = []
        self._looks_at_hole = 0

    def saw(self, seq: int) -> None:
        if seq <= self.seq:
            return
        heapq.heappush(self._above, seq)
        self._advance()

    def looked(self) -> None:
        self._looks_at_hole = self._looks_at_hole + 1 if self._above else 0
        if self._looks_at_hole > PATIENCE_LOOKS:
            self.seq = heapq.heappop(self._above)
            self._advance()

    def _advance(self) -> None:
        while self._above and self._above[0] <= self.seq + 1:
            self.seq = max(self.seq, heapq.heappop(self._above))
            self._looks_at_hole = 0


class _Turns:
    """Rows that are looked at in turn, those that have waited longest first."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, None] = {}

    def add(self, message_id: bytes) -> None:
        self._waiting.setdefault(message_id)

    def discard(self, message_id: bytes) -> None:
        self._waiting.pop(message_id, None)

    def first(self, count: int) -> list[bytes]:
        return list(islice(self._waiting, count))

    def had(self, message_id: bytes) -> None:
        """To the end of the queue, if it is in this one."""
        if message_id in self._waiting:
            del self._waiting[message_id]
            self._waiting[message_id] = None


class _Holders:
    """Which messages of one chat have which seq, by any that was ever seen: one each, if all is well."""

    def __init__(self) -> None:
        self.highest = 0
        self._by_seq: dict[int, tuple[bytes, ...]] = {}

    def holes(self, above: int) -> Iterator[tuple[int, int]]:
        """First and last of numbers in a row between `above` and `highest` that nobody ever had."""
        if sum(seq > above for seq in self._by_seq) == self.highest - above:
            return
        before = above
        for seq in (*sorted(seq for seq in self._by_seq if seq > above), self.highest + 1):
            if seq > before + 1:
                yield before + 1, seq - 1
            before = seq

    def take(self, seq: int, message_id: bytes) -> tuple[bytes, ...]:
        """`message_id` has `seq` now. Returns the others that have it, too."""
        self.highest = max(self.highest, seq)
        others = self._others(seq, message_id)
        self._by_seq[seq] = (*others, message_id)
        return others

    def release(self, seq: int, message_id: bytes) -> None:
        self._by_seq[seq] = self._others(seq, message_id)  # nobody perhaps; but it was given

    def _others(self, seq: int, message_id: bytes) -> tuple[bytes, ...]:
        return tuple(holder for holder in self._by_seq.get(seq, ()) if holder != message_id)


class Memory:
    """The run's rows as last seen."""

    def __init__(self, baseline: Mapping[bytes, int]) -> None:
        """`baseline`: each chat of the run and its newest seq before the first send."""
        self._baseline = dict(baseline)
        self._chats = {chat: chat for chat in baseline}  # so that rows share the bytes of their chat's id
        self._frontiers = {chat: _Frontier(seq) for chat, seq in baseline.items()}
        self._holders: dict[bytes, _Holders] = {}
        self._rows: dict[bytes, Remembered] = {}
        # Kept apart, because the verdict rests on when a row stopped being `sent`, and a soak piles up rows that
        # were delivered and that nobody reads.
        self._undelivered = _Turns()
        self._moving = _Turns()  # anything else that is not read: it will move, or something is wrong with it
        self._settled = _Turns()  # read: nothing should happen to them any more

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._rows

    @property
    def baseline(self) -> tuple[list[bytes], list[int]]:
        """Chats, and their newest seq before the first send."""
        return list(self._baseline), list(self._baseline.values())

    @property
    def frontiers(self) -> tuple[list[bytes], list[int]]:
        """Chats, and the seq from which on there may be something new."""
        return list(self._frontiers), [frontier.seq for frontier in self._frontiers.values()]

    def due(self, undelivered: int, moving: int, settled: int) -> list[bytes]:
        """Rows to look at again, those first that have waited longest: at most so many of each kind."""
        return (
            self._undelivered.first(undelivered) + self._moving.first(moving) + self._settled.first(settled)
        )

    def looked(self, due: Iterable[bytes]) -> None:
        """A poll came to its end; only then have the rows that were `due` had their turn."""
        for message_id in due:
            for kind in (self._undelivered, self._moving, self._settled):
                kind.had(message_id)
        for frontier in self._frontiers.values():
            frontier.looked()

    def holes(self) -> list[Hole]:
        """The seqs that nobody had, between the baseline of a chat of the run and the highest ever seen."""
        return [
            (chat, low, high)
            for chat, holders in self._holders.items()
            if chat in self._baseline
            for low, high in holders.holes(above=self._baseline[chat])
        ]

    def not_seen_by(self, look: Look) -> list[bytes]:
        """Every row that `look` has not brought."""
        return [message_id for message_id, known in self._rows.items() if known.poll != look.poll]

    def take_in(self, rows: Iterable[Stored], look: Look) -> None:
        """`rows` were there."""
        for row in rows:
            known = self._rows.get(row.message_id)
            if known is None or known.poll != look.poll:
                self._see_one(row, known, look)

    def miss(self, asked: Iterable[bytes], look: Look) -> None:
        """All of `asked` were looked for: those that `look` has not brought are gone."""
        for message_id in asked:
            known = self._rows.get(message_id)
            if known is not None and known.poll != look.poll:
                self._forget(message_id, known)
                look.gone += 1
                look.observations.append(
                    gone_observation(
                        look.poll, look.at_ns, message_id, known.chat_id, known.seq, known.status
                    )
                )
                look.findings.append(gone(message_id, known.chat_id, known.seq, look.at_ns))

    def _see_one(self, row: Stored, known: Remembered | None, look: Look) -> None:
        fingerprint = row.fingerprint
        if known is not None and known.fingerprint == fingerprint:
            known.poll = look.poll
            return
        change = ObservedChange.APPEARED if known is None else ObservedChange.CHANGED
        look.new += known is None
        look.changed += known is not None
        look.observations.append(row.observation(look.poll, change, look.at_ns))
        if known is not None and known.seq is not None:
            self._holders[known.chat_id].release(known.seq, row.message_id)
        chat = self._chats.setdefault(row.chat_id, row.chat_id)
        others: tuple[bytes, ...] = ()
        if row.seq is not None:
            others = self._holders.setdefault(chat, _Holders()).take(row.seq, row.message_id)
            if frontier := self._frontiers.get(chat):
                frontier.saw(row.seq)
        look.findings += judge(row, None if known is None else known.status, others, look.at_ns)
        self._rows[row.message_id] = Remembered(chat, row.seq, row.status, fingerprint, look.poll)
        turns = self._turns(row)
        for kind in (self._undelivered, self._moving, self._settled):
            if kind is turns:
                kind.add(row.message_id)
            else:
                kind.discard(row.message_id)

    def _turns(self, row: Stored) -> _Turns:
        if row.status is Status.SENT:
            return self._undelivered
        return self._settled if row.status is Status.READ and row.seq is not None else self._moving

    def _forget(self, message_id: bytes, known: Remembered) -> None:
        del self._rows[message_id]
        for kind in (self._undelivered, self._moving, self._settled):
            kind.discard(message_id)
        if known.seq is not None:
            self._holders[known.chat_id].release(known.seq, message_id)
