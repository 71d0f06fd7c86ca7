"""What the monitor knows of the run's rows: pure, no database.

Per row it keeps its chat, seq, status and a fingerprint: about 300 bytes, so that a million rows take about 300 MB.
"""

import heapq
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from analysis.criteria import Finding
from analysis.monitor.findings import gone, judge
from analysis.monitor.rows import Row, Stored
from analysis.record.tables import ObservedChange, Status


@dataclass(slots=True)
class Remembered:
    """A row as last seen."""

    chat_id: bytes
    seq: int | None
    status: Status
    fingerprint: int


@dataclass(slots=True)
class Look:
    """What one look at the database brought."""

    observations: list[Row]
    findings: list[Finding]
    new: int = 0
    changed: int = 0
    gone: int = 0


PATIENCE_LOOKS = 30  # how often what lies above a hole is read again before the hole is left to the last look


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
        self._waiting: OrderedDict[bytes, None] = OrderedDict()

    def add(self, message_id: bytes) -> None:
        self._waiting.setdefault(message_id)

    def discard(self, message_id: bytes) -> None:
        self._waiting.pop(message_id, None)

    def take(self, count: int) -> list[bytes]:
        taken = list(islice(self._waiting, count))
        for message_id in taken:
            self._waiting.move_to_end(message_id)
        return taken


class Memory:
    """The run's rows as last seen, and which of them have to be looked at again."""

    def __init__(self, baseline: Mapping[bytes, int]) -> None:
        self._baseline = dict(baseline)
        self._frontiers = {chat: _Frontier(seq) for chat, seq in baseline.items()}
        self._rows: dict[bytes, Remembered] = {}
        self._unsettled = _Turns()  # their status will move
        self._settled = _Turns()  # read: nothing should happen to them any more
        self._holders: defaultdict[tuple[bytes, int], set[bytes]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def baseline(self) -> tuple[list[bytes], list[int]]:
        """Chats, and their newest seq before the first send."""
        return list(self._baseline), list(self._baseline.values())

    @property
    def frontiers(self) -> tuple[list[bytes], list[int]]:
        """Chats, and the seq from which on there may be something new."""
        return list(self._frontiers), [frontier.seq for frontier in self._frontiers.values()]

    def due(self, unsettled: int, settled: int) -> list[bytes]:
        """Rows to look at again: at most so many whose status may still move, and of the others, in turn."""
        return self._unsettled.take(unsettled) + self._settled.take(settled)

    def looked(self) -> None:
        """A look at what is new came to its end."""
        for frontier in self._frontiers.values():
            frontier.looked()

    def all(self) -> set[bytes]:
        """Every row that was there at its last look."""
        return set(self._rows)

    def see(self, rows: Iterable[Stored], asked: Iterable[bytes], poll: int, at_ns: int) -> Look:
        """Take in a look: `rows` were there, and those of `asked` that are not among them are gone."""
        look = Look([], [])
        there: set[bytes] = set()
        for row in rows:
            if row.message_id in there:
                continue
            there.add(row.message_id)
            self._see_one(row, look, poll, at_ns)
        for message_id in asked:
            if message_id not in there and (known := self._rows.get(message_id)):
                self._forget(message_id, known)
                look.gone += 1
                look.observations.append(
                    (
                        poll,
                        ObservedChange.GONE,
                        at_ns,
                        message_id,
                        known.chat_id,
                        known.seq,
                        None,
                        None,
                        known.status,
                        None,
                        None,
                        None,
                        None,
                    )
                )
                look.findings.append(gone(message_id, known.chat_id, known.seq, at_ns))
        return look

    def _see_one(self, row: Stored, look: Look, poll: int, at_ns: int) -> None:
        known = self._rows.get(row.message_id)
        fingerprint = hash(
            (
                row.chat_id,
                row.seq,
                row.sender_id,
                row.client_generated_id,
                row.status_text,
                row.text,
                row.deleted,
            )
        )
        if known is not None and known.fingerprint == fingerprint:
            return
        change = ObservedChange.APPEARED if known is None else ObservedChange.CHANGED
        look.new += known is None
        look.changed += known is not None
        look.observations.append(row.observation(poll, change, at_ns))
        if known is not None and known.seq is not None:
            self._holders[known.chat_id, known.seq].discard(row.message_id)
        others: set[bytes] = set()
        if row.seq is not None:
            holders = self._holders[row.chat_id, row.seq]
            others = set(holders)
            holders.add(row.message_id)
            if frontier := self._frontiers.get(row.chat_id):
                frontier.saw(row.seq)
        look.findings += judge(row, None if known is None else known.status, others, at_ns)
        self._rows[row.message_id] = Remembered(row.chat_id, row.seq, row.status, fingerprint)
        if row.status is Status.READ and row.seq is not None:
            self._unsettled.discard(row.message_id)
            self._settled.add(row.message_id)
        else:
            self._settled.discard(row.message_id)
            self._unsettled.add(row.message_id)

    def _forget(self, message_id: bytes, known: Remembered) -> None:
        del self._rows[message_id]
        self._unsettled.discard(message_id)
        self._settled.discard(message_id)
        if known.seq is not None:
            self._holders[known.chat_id, known.seq].discard(message_id)
