"""For how much of what was measured the load generator itself may be to blame. Pure: arrays in, arrays out.

A load process notes when its event loop stood still (table ``stalls``). What arrives meanwhile is read at the end: where the
kernel's word of its arrival was not to be had, all since the stall's begin may be the generator's own of a latency that ends in such
a time; what came before is not, since the loop had then looked at every socket.

In an open workload a send that leaves late was kept from leaving: by the server, as long as all slots were taken by actions
that it had not answered (table ``slots_taken``), and for all the rest by the generator. A loop that is busy, or stands
still, frees no slots either; of such times nothing is the server's. All are upper bounds.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analysis.checks.spans import Floats, Ints, Spans
from analysis.record.standstill import BEAT_S

Bools = NDArray[np.bool_]

# Stalls that follow upon one another are one: their times come from one clock reading, rounded from a float.
TOUCHING_NS = 1_000
BEAT_NS = round(BEAT_S * 1e9)
# A beat that comes late is one of the first things that the loop gets round to; the rest of what waited is read until the
# next beat, which is noted as a stall itself unless it is at most this much after it (see locustfiles/run/pulse.py).
AFTER_NS = 30_000_000
AT_ONCE = 250_000  # waits: a run has millions, and each takes some ten numbers on the way


@dataclass(frozen=True, slots=True)
class Waits:
    """What somebody waited for, a row a wait; times on one axis.

    Attributes:
        process: number of the load process that saw its end.
        due_ns: when it should have left; equal to `left_ns` where no schedule says.
        left_ns: when it left.
        again_ns: when the attempt left that was answered; equal to `left_ns` where that was the first one.
        seen_ns: when its answer, or its event, came.
        stamped: by the kernel's word; otherwise when it was read, or given up.
    """

    process: Ints
    due_ns: Ints
    left_ns: Ints
    again_ns: Ints
    seen_ns: Ints
    stamped: Bools

    def part(self, some: slice | Bools) -> "Waits":
        """Some of the rows."""
        return Waits(*(getattr(self, column.name)[some] for column in fields(self)))


@dataclass(frozen=True, slots=True)
class Still:
    """For how long a load process stood still.

    Attributes:
        late_s: added up, by how much its beats were late: for so long it did, at least.
        cpu_s: processor time that it used in its stalls.
        seconds: of so many.
    """

    late_s: float
    cpu_s: float
    seconds: float

    @property
    def share(self) -> float:
        """Of its time."""
        return min(1.0, self.late_s / self.seconds) if self.seconds > 0 else 0.0

    @property
    def idle_share(self) -> float:
        """Of its time, without that in which it computed."""
        return max(0.0, self.late_s - self.cpu_s) / self.seconds if self.seconds > 0 else 0.0


class Stalls:
    """When the load processes stood still.

    Args:
        process, begin_ns, end_ns, cpu_ms: a row for each stall, in any order.
        late_ns: by how much the beat at its end was late; without it, all but the beat itself.
    """

    def __init__(
        self, process: Ints, begin_ns: Ints, end_ns: Ints, cpu_ms: Floats, late_ns: Floats | None = None
    ) -> None:
        if late_ns is None:
            late_ns = (end_ns - begin_ns - BEAT_NS).clip(min=0).astype(np.float64)
        order = np.lexsort((begin_ns, process))
        process, begin_ns, end_ns = process[order], begin_ns[order], end_ns[order]
        cpu_ms, late_ns = cpu_ms[order], late_ns[order]
        new = np.ones(len(process), np.bool_)
        new[1:] = (process[1:] != process[:-1]) | (begin_ns[1:] > end_ns[:-1] + TOUCHING_NS)
        first = np.flatnonzero(new)
        self.process: Ints = process[first]
        self.begin_ns: Ints = begin_ns[first]
        self.end_ns: Ints = np.maximum.reduceat(end_ns, first) if len(first) else end_ns
        self.cpu_ms: Floats = np.add.reduceat(cpu_ms, first) if len(first) else cpu_ms
        self.late_ns: Floats = np.add.reduceat(late_ns, first) if len(first) else late_ns

    def __len__(self) -> int:
        return len(self.process)

    def within(self, begin_ns: int, end_ns: int) -> "Stalls":
        """Those parts that lie between two times."""
        inside = (self.end_ns > begin_ns) & (self.begin_ns < end_ns)
        begin, end = self.begin_ns[inside].clip(min=begin_ns), self.end_ns[inside].clip(max=end_ns)
        share = (end - begin) / np.maximum(1, self.end_ns[inside] - self.begin_ns[inside])
        return Stalls(
            self.process[inside], begin, end, self.cpu_ms[inside] * share, self.late_ns[inside] * share
        )

    @property
    def total_ns(self) -> int:
        """How long they took, all processes together."""
        return int((self.end_ns - self.begin_ns).sum())

    @property
    def longest_ns(self) -> int:
        """The longest of them; 0 when there is none."""
        return int((self.end_ns - self.begin_ns).max(initial=0))

    def worst(self, seconds: float) -> Still:
        """Of the process that stood still for longest: for how long at least, of so many seconds in which all of them could."""
        if not len(self):
            return Still(0.0, 0.0, seconds)
        late_s, cpu_s = (
            np.bincount(self.process, weights=column) for column in (self.late_ns / 1e9, self.cpu_ms / 1e3)
        )
        worst = int(np.argmax(late_s))
        return Still(float(late_s[worst]), float(cpu_s[worst]), seconds)

    @property
    def spans(self) -> Spans:
        """Their times."""
        return Spans(self.process, self.begin_ns, self.end_ns)

    def read_late_ns(self, waits: Waits) -> Ints:
        """For how long each answer may have lain there, unread."""
        unread = np.zeros(len(waits.seen_ns), np.int64)
        for number in np.unique(waits.process):
            mine = np.flatnonzero(waits.process == number)
            begin, end = (times[self.process == number] for times in (self.begin_ns, self.end_ns))
            if not len(begin):
                continue
            seen, left = waits.seen_ns[mine], waits.again_ns[mine]
            place = np.searchsorted(begin, seen, side="right") - 1
            late = (place >= 0) & (seen <= end[place] + AFTER_NS) & ~waits.stamped[mine]
            unread[mine] = np.where(late, seen - np.maximum(begin[place], left), 0).clip(min=0)
        return unread


class Departures:
    """Why sends left late.

    Args:
        stalls: of the load processes.
        busy: when they used all that they had of a processor, or waited for it.
        taken: when somebody waited because all slots were taken.
        noted: by number of the process: it noted that. Of the others, which an earlier version wrote, only what left
            late by a stall is known to be its own.
    """

    def __init__(self, stalls: Stalls, busy: Spans, taken: Spans, noted: Bools) -> None:
        self._stalls = stalls.spans
        self.behind = stalls.spans | busy
        self._behind_or_taken = self.behind | taken
        self._noted = noted

    def left_late_ns(self, waits: Waits) -> Ints:
        """By how much each left late for reasons of the generator's own."""
        late = np.zeros(len(waits.left_ns), np.int64)
        for number in np.unique(waits.process).tolist():
            mine = np.flatnonzero(waits.process == number)
            due, left = waits.due_ns[mine], waits.left_ns[mine]
            if self._noted[number]:
                late[mine] = left - due - self._kept_ns(number, due, left)
            else:
                late[mine] = _within(self._stalls, number, due, left)
        return late

    def noted_ns(self, waits: Waits) -> Ints:
        """How much of the time between due and left lies in times in which the process noted that it was behind."""
        return self._of_each(waits, lambda number, due, left: _within(self.behind, number, due, left))

    def kept_ns(self, waits: Waits) -> Ints:
        """For how long slots that the server held, by what was noted, kept each from leaving."""

        def kept(number: int, due: Ints, left: Ints) -> Ints:
            return self._kept_ns(number, due, left) if self._noted[number] else np.zeros(len(due), np.int64)

        return self._of_each(waits, kept)

    def _of_each(self, waits: Waits, of: Callable[[int, Ints, Ints], Ints]) -> Ints:
        """`of` process, due and left, process by process and piece by piece."""
        found = np.zeros(len(waits.left_ns), np.int64)
        for start in range(0, len(found), AT_ONCE):
            some = slice(start, start + AT_ONCE)
            piece, told = waits.part(some), found[some]
            for number in np.unique(piece.process).tolist():
                mine = np.flatnonzero(piece.process == number)
                told[mine] = of(number, piece.due_ns[mine], piece.left_ns[mine])
        return found

    def _kept_ns(self, number: int, due: Ints, left: Ints) -> Ints:
        """For how long the server, which did not answer, kept each from leaving: slots taken, and nobody behind."""
        both, behind = (_within(spans, number, due, left) for spans in (self._behind_or_taken, self.behind))
        kept: Ints = both - behind
        return kept


def _within(spans: Spans, number: int, begin: Ints, end: Ints) -> Ints:
    """How much of the times of process `number` lies between two moments each."""
    inside: Ints = spans.until(number, end) - spans.until(number, begin)
    return inside


def own_ns(waits: Waits, stalls: Stalls | None, departures: Departures | None) -> Ints:
    """For each wait the time for which the generator itself may be to blame, as far as either can tell."""
    own = np.zeros(len(waits.seen_ns), np.int64)
    for start in range(0, len(own), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        piece = waits.part(some)
        if stalls is not None:
            own[some] += stalls.read_late_ns(piece)
        if departures is not None:
            own[some] += departures.left_late_ns(piece)
    return own
