"""Times of load processes, of which none overlap: how much of them lies before a moment, and within a second. Pure."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

NS_PER_S = 1_000_000_000


class Spans:
    """Times of load processes, in nanoseconds; those that touch or overlap are one.

    Args:
        process, begin_ns, end_ns: a row for each, in any order.
    """

    def __init__(self, process: Ints, begin_ns: Ints, end_ns: Ints) -> None:
        order = np.lexsort((begin_ns, process))
        process, begin_ns, end_ns = process[order], begin_ns[order], end_ns[order]
        numbers, starts = np.unique(process, return_index=True)
        bounds = [*starts.tolist(), len(process)]
        self._of: dict[int, tuple[Ints, Ints, Ints]] = {}  # begins, ends, length of all before each
        for number, start, stop in zip(numbers.tolist(), bounds, bounds[1:], strict=False):
            begin, reach = begin_ns[start:stop], np.maximum.accumulate(end_ns[start:stop])
            first = np.flatnonzero(np.concatenate(([True], begin[1:] > reach[:-1])))
            end = reach[np.concatenate((first[1:] - 1, [len(reach) - 1]))]
            begin = begin[first]
            self._of[number] = begin, end, np.concatenate(([0], np.cumsum(end - begin)))

    def __or__(self, other: "Spans") -> "Spans":
        """The times that lie in either."""
        rows = [one.rows() for one in (self, other)]
        return Spans(*(np.concatenate(column) for column in zip(*rows, strict=True)))

    def rows(self) -> tuple[Ints, Ints, Ints]:
        """Process, begin and end of each."""
        return (
            np.repeat(
                np.fromiter(self._of, np.int64, len(self._of)),
                [len(begin) for begin, _, _ in self._of.values()],
            ),
            np.concatenate([np.empty(0, np.int64), *(begin for begin, _, _ in self._of.values())]),
            np.concatenate([np.empty(0, np.int64), *(end for _, end, _ in self._of.values())]),
        )

    def until(self, number: int, at_ns: Ints) -> Ints:
        """How much of the times of process `number` lies before each of these moments."""
        if number not in self._of:
            return np.zeros(len(at_ns), np.int64)
        begin, end, before = self._of[number]
        place = np.searchsorted(begin, at_ns, side="right") - 1
        inside = np.where(place >= 0, np.minimum(at_ns, end[place]) - begin[place], 0)
        lies: Ints = before[place.clip(min=0)] + inside
        return lies

    def share_of_seconds(self, begin_ns: int, seconds: int) -> Floats:
        """For each second from `begin_ns` on the largest share of it that lies in the times of one process."""
        edges = begin_ns + np.arange(seconds + 1, dtype=np.int64) * NS_PER_S
        most = np.zeros(seconds)
        for number in self._of:
            most = np.maximum(most, np.diff(self.until(number, edges)) / NS_PER_S)
        return most
