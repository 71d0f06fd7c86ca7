"""How many whole minutes of a run kept a target by themselves. No input or output here.

Every whole minute counts. One with too few sends for a percentile keeps its target when all of them do, or when their average
does; those who were still waiting when it began are among them (`statistics.windows`). One in which nothing was
acknowledged at all does not keep it, unless so little load was meant for it that none is no wonder.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.latency import NS_PER_S, Ints
from analysis.statistics.windows import WINDOW_S, Windows, windows

# Where so many sends are to be expected in a minute, none at all is no chance: e^-7 is one in a thousand.
EXPECTED = 7.0


def minutes_within(
    start_ns: Ints,
    latency_ns: Ints,
    target_ms: float,
    percent: int | None,
    *,
    begin_s: float,
    demand: pd.Series | None = None,
) -> tuple[int, int]:
    """How many minutes there were, and how many of them were within target.

    Args:
        percent: which percentile the target is of; None = of the average.
        begin_s: where the first minute begins, on the axis of `start_ns`.
        demand: the load that was meant, by second (`analysis.demand`); without it the load is taken to have been even from
            the first send to the last.
    """
    first_ns = round(begin_s * NS_PER_S)
    end_ns = int(start_ns.max()) + NS_PER_S if len(start_ns) else first_ns
    meant = demand[demand > 0] if demand is not None else pd.Series(dtype=np.float64)
    if len(meant):
        end_ns = max(end_ns, (int(meant.index.max()) + 1) * NS_PER_S)
    found = windows(start_ns, latency_ns, WINDOW_S, begin_ns=first_ns, end_ns=end_ns)
    counted = found.figures[_counts(found, meant)]
    judged = Windows(counted, found.width_s)
    within = judged.within(avg_ms=target_ms) if percent is None else judged.within(p95_ms=target_ms)
    return len(counted), within


def _counts(found: Windows, meant: pd.Series) -> NDArray[np.bool_]:
    """Which minutes count: those with a figure, and those in which sends were to be expected."""
    has_any = found.figures["told"].to_numpy() > 0
    count = found.figures["count"].to_numpy(np.float64)
    if not has_any.any():
        return has_any
    weight = np.zeros(len(count))
    if len(meant):
        edges_s = np.append(found.figures.index.to_numpy(), found.figures.index[-1] + found.width_s)
        place = np.searchsorted(edges_s, meant.index.to_numpy(np.float64), side="right") - 1
        inside = (place >= 0) & (place < len(count))
        np.add.at(weight, place[inside], meant.to_numpy(np.float64)[inside])
    else:
        weight += 1
    busy = count > 0
    known = weight[busy].sum()
    expected = weight * (count[busy].sum() / known) if known > 0 else np.zeros(len(count))
    return has_any | (expected >= EXPECTED)
