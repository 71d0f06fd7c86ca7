"""Latencies by the window in which they began: a run whose average is good can have been bad for minutes.

In a closed workload few sends begin while a server hangs, because those who would send still wait. A window with few values
is therefore no reason to look away. It is told by what it has and, as long as that is little, by those who were still
waiting when it began. A window in which nothing began and nobody waited has no figure.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WINDOW_S = 60
PLENTY = 20  # values of a window: the P95 of fewer is their maximum, and those who waited are told with them
FEW = 5  # the P95 of fewer says little of what others would have met
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Windows:
    """Whole windows of one length, side by side.

    Attributes:
        figures: indexed by ``at_s``, each window's begin: ``count``, how many values began in it; ``told``, how many its figures
            rest on, with those who waited; ``avg_ms``, ``p95_ms`` (nearest rank), ``max_ms``, each NaN where it has none.
        width_s: their length.
    """

    figures: pd.DataFrame
    width_s: float

    @property
    def telling(self) -> "Windows":
        """Those whose figures say something: they have a few values, or somebody waited for longer than a window."""
        enough = (self.figures["told"] >= FEW) | (self.figures["max_ms"] >= self.width_s * 1000)
        return Windows(self.figures[enough], self.width_s)

    @property
    def middle_s(self) -> NDArray[np.float64]:
        """The middle of each window, in seconds."""
        return self.figures.index.to_numpy(np.float64) + self.width_s / 2

    def within(self, *, avg_ms: float | None = None, p95_ms: float | None = None) -> int:
        """How many windows are below the targets given; one without a figure is not."""
        good = np.ones(len(self.figures), np.bool_)
        if avg_ms is not None:
            good &= self.figures["avg_ms"].to_numpy() < avg_ms
        if p95_ms is not None:
            good &= self.figures["p95_ms"].to_numpy() < p95_ms
        return int(good.sum())


def windows(
    start_ns: Ints,
    latency_ns: Ints,
    width_s: float = WINDOW_S,
    *,
    begin_ns: int | None = None,
    end_ns: int | None = None,
) -> Windows:
    """Cut latencies into windows by when they began; a window that the end cuts off is left out.

    Args:
        begin_ns: where the first window begins; by default at the first value.
        end_ns: where the last one has to end; by default a second after the last value began.
    """
    if begin_ns is None:
        begin_ns = int(start_ns.min()) if len(start_ns) else 0
    if end_ns is None:
        end_ns = int(start_ns.max()) + NS_PER_S if len(start_ns) else begin_ns
    width_ns = round(width_s * NS_PER_S)
    whole = max(0, (end_ns - begin_ns) // width_ns)
    place = (start_ns - begin_ns) // width_ns
    count = np.bincount(place[(place >= 0) & (place < whole)], minlength=whole)
    waited, waited_ns = _waited(place, start_ns - begin_ns, latency_ns, width_ns, count < PLENTY)
    place, latency_ns = np.concatenate((place, waited)), np.concatenate((latency_ns, waited_ns))
    inside = (place >= 0) & (place < whole)
    place, latency_ns = place[inside], latency_ns[inside]
    order = np.lexsort((latency_ns, place))
    place, ranked = place[order], latency_ns[order]
    labels, starts, told = np.unique(place, return_index=True, return_counts=True)
    rank = np.maximum(1, -(-told * 95 // 100))
    frame = pd.DataFrame(
        {
            "told": told,
            "avg_ms": (np.add.reduceat(ranked, starts) if len(ranked) else ranked) / told / NS_PER_MS,
            "p95_ms": ranked[starts + rank - 1] / NS_PER_MS,
            "max_ms": ranked[starts + told - 1] / NS_PER_MS,
        },
        index=labels,
    ).reindex(range(whole))
    frame.insert(0, "count", count)
    frame["told"] = frame["told"].fillna(0).astype(np.int64)
    frame.index = pd.Index((np.arange(whole) * width_ns + begin_ns) / NS_PER_S, name="at_s")
    return Windows(frame, width_s)


def _waited(
    place: Ints, since_ns: Ints, latency_ns: Ints, width_ns: int, sparse: NDArray[np.bool_]
) -> tuple[Ints, Ints]:
    """The latencies that had begun before a sparse window and were not over when it began: windows, and latencies.

    Args:
        place: the window in which each began.
        since_ns: when, from the begin of the first window.
        sparse: of each window, whether it is.
    """
    # the last window in which each still waited
    last = np.minimum((since_ns + latency_ns - 1) // width_ns, len(sparse) - 1)
    first = np.maximum(place + 1, 0)
    crossing = last >= first
    first, long, value = first[crossing], (last - first + 1)[crossing], latency_ns[crossing]
    offset = np.arange(int(long.sum())) - np.repeat(np.cumsum(long) - long, long)
    window = np.repeat(first, long) + offset
    return window[sparse[window]], np.repeat(value, long)[sparse[window]]
