"""The share of windows of a run within target: a run whose average is good can have been bad for minutes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WINDOW_S = 60
LEAST_VALUES = 20  # of a window; the P95 of fewer is their maximum
NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one length, from the first value on.

    Attributes:
        figures: indexed by ``at_s``, each window's begin; ``count``, ``avg_ms``, ``p95_ms`` (nearest rank). Windows with
            fewer than `LEAST_VALUES` values, and one that the run's end cuts off, are left out.
        width_s: their length.
    """

    figures: pd.DataFrame
    width_s: float

    @property
    def middle_s(self) -> NDArray[np.float64]:
        """The middle of each window, in seconds."""
        return self.figures.index.to_numpy(np.float64) + self.width_s / 2

    def within(self, *, avg_ms: float | None = None, p95_ms: float | None = None) -> int:
        """How many windows are below the targets given."""
        good = np.ones(len(self.figures), np.bool_)
        if avg_ms is not None:
            good &= self.figures["avg_ms"].to_numpy() < avg_ms
        if p95_ms is not None:
            good &= self.figures["p95_ms"].to_numpy() < p95_ms
        return int(good.sum())


def windows(start_ns: Ints, latency_ns: Ints, width_s: float = WINDOW_S) -> Windows:
    """Cut latencies into windows by when they began; each figure is of the window's own values."""
    columns = ["count", "avg_ms", "p95_ms"]
    if len(start_ns) == 0:
        return Windows(pd.DataFrame(columns=columns, index=pd.Index([], name="at_s"), dtype=float), width_s)
    width_ns = round(width_s * NS_PER_S)
    first_ns = int(start_ns.min())
    whole = (int(start_ns.max()) - first_ns + NS_PER_S) // width_ns  # the last second counts as one
    place = (start_ns - first_ns) // width_ns
    order = np.lexsort((latency_ns, place))
    place, ranked = place[order], latency_ns[order]
    labels, starts, counts = np.unique(place, return_index=True, return_counts=True)
    kept = (labels < whole) & (counts >= LEAST_VALUES)
    rank = np.maximum(1, -(-counts * 95 // 100))
    frame = pd.DataFrame(
        {
            "count": counts,
            "avg_ms": np.add.reduceat(ranked, starts) / counts / NS_PER_MS,
            "p95_ms": ranked[starts + rank - 1] / NS_PER_MS,
        },
        index=pd.Index((labels * width_ns + first_ns) / NS_PER_S, name="at_s"),
    )
    return Windows(frame[kept], width_s)
