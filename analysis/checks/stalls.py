"""For how much of what was measured the load generator itself may be to blame. Pure: arrays in, arrays out.

A load process notes when its event loop stood still (table ``stalls``). In an open workload, an action that was due
meanwhile left late by that. What arrives meanwhile is read at the end: where the kernel's word of its arrival was not to be had,
all since the stall's begin may be the generator's own of a latency that ends in such a time; what came before is not, since the
loop had then looked at every socket. All are upper bounds.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

# Stalls that follow upon one another are one: their times come from one clock reading, rounded from a float.
TOUCHING_NS = 1_000
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
        seen_ns: when its answer, or its event, came.
        stamped: by the kernel's word; otherwise when it was read, or given up.
    """

    process: Ints
    due_ns: Ints
    left_ns: Ints
    seen_ns: Ints
    stamped: Bools


class Stalls:
    """When the load processes stood still.

    Args:
        process, begin_ns, end_ns, cpu_ms: a row for each stall, in any order.
    """

    def __init__(self, process: Ints, begin_ns: Ints, end_ns: Ints, cpu_ms: NDArray[np.float64]) -> None:
        order = np.lexsort((begin_ns, process))
        process, begin_ns, end_ns = process[order], begin_ns[order], end_ns[order]
        cpu_ms = cpu_ms[order]
        new = np.ones(len(process), np.bool_)
        new[1:] = (process[1:] != process[:-1]) | (begin_ns[1:] > end_ns[:-1] + TOUCHING_NS)
        first = np.flatnonzero(new)
        self.process: Ints = process[first]
        self.begin_ns: Ints = begin_ns[first]
        self.end_ns: Ints = np.maximum.reduceat(end_ns, first) if len(first) else end_ns
        self.cpu_ms: NDArray[np.float64] = np.add.reduceat(cpu_ms, first) if len(first) else cpu_ms

    def __len__(self) -> int:
        return len(self.process)

    def within(self, begin_ns: int, end_ns: int) -> "Stalls":
        """Those parts that lie between two times."""
        inside = (self.end_ns > begin_ns) & (self.begin_ns < end_ns)
        begin, end = self.begin_ns[inside].clip(min=begin_ns), self.end_ns[inside].clip(max=end_ns)
        share = (end - begin) / np.maximum(1, self.end_ns[inside] - self.begin_ns[inside])
        return Stalls(self.process[inside], begin, end, self.cpu_ms[inside] * share)

    @property
    def total_ns(self) -> int:
        """How long they took, all processes together."""
        return int((self.end_ns - self.begin_ns).sum())

    @property
    def longest_ns(self) -> int:
        """The longest of them; 0 when there is none."""
        return int((self.end_ns - self.begin_ns).max(initial=0))

    def share_of_seconds(self, begin_ns: int, seconds: int) -> NDArray[np.float64]:
        """For each second from `begin_ns` on the share of it for which the worst of the processes stood still."""
        edges = begin_ns + np.arange(seconds + 1, dtype=np.int64) * 1_000_000_000
        worst = np.zeros(seconds)
        for number in np.unique(self.process):
            stood = np.diff(self._stood_still(int(number), edges)) / 1e9
            worst = np.maximum(worst, stood)
        return worst

    def own_ns(self, waits: Waits) -> Ints:
        """For each wait the time for which the generator itself may be to blame."""
        own = np.zeros(len(waits.seen_ns), np.int64)
        for start in range(0, len(own), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            piece = Waits(
                waits.process[part],
                waits.due_ns[part],
                waits.left_ns[part],
                waits.seen_ns[part],
                waits.stamped[part],
            )
            self._add_own_ns(piece, own[part])
        return own

    def _add_own_ns(self, waits: Waits, own: Ints) -> None:
        for number in np.unique(self.process):
            mine = np.flatnonzero(waits.process == number)
            begin, end = (times[self.process == number] for times in (self.begin_ns, self.end_ns))
            seen, left, due = waits.seen_ns[mine], waits.left_ns[mine], waits.due_ns[mine]
            place = np.searchsorted(begin, seen, side="right") - 1
            late = (place >= 0) & (seen <= end[place] + AFTER_NS) & ~waits.stamped[mine]
            read_late = np.where(late, seen - np.maximum(begin[place], left), 0).clip(min=0)
            left_late = self._stood_still(int(number), left) - self._stood_still(int(number), due)
            own[mine] = read_late + left_late

    def _stood_still(self, number: int, until_ns: Ints) -> Ints:
        """How long process `number` had stood still by each of these times."""
        begin, end = (times[self.process == number] for times in (self.begin_ns, self.end_ns))
        before = np.concatenate(([0], np.cumsum(end - begin)))
        place = np.searchsorted(begin, until_ns, side="right") - 1
        inside = np.where(place >= 0, np.minimum(until_ns, end[place]) - begin[place], 0)
        stood: Ints = before[place.clip(min=0)] + inside
        return stood
