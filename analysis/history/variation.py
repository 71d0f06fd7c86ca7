"""How much a figure varies from night to night though nothing was changed. No input or output here.

It is estimated from the median moving range: half of all neighbouring nights differ by less than that. Steps in the history,
of which there are few, hardly move a median, so a regression of last month does not hide the next one.
Where nights are exactly alike, as those without an error are, that median is nought or says little of the others: then it is at least the
95th percentile of the ranges, of which the largest is left out, for it may be a step.
Source: Wheeler and Chambers (1992), Understanding Statistical Process Control, on charts for individual values.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import ceil, sqrt
from statistics import median

from analysis.history.figures import figures
from analysis.history.likeness import differences
from analysis.history.stored import StoredVerdict, began
from analysis.history.trust import doubts
from analysis.statistics.student import quantile

ENOUGH_RUNS = 10
MEDIAN_RANGE = 0.953873  # median of |x - y| of two standard normal values
# The median moving range of n values says as much of the spread as a sample of about this share of n - 1 would: by
# simulation, 95 to 96% of differences then fall within, from 10 nights to 120.
FREEDOM = 0.4
WITHIN = 0.95


def difference_by_chance(values: Sequence[float]) -> float | None:
    """What two nights of this history differ by in 19 cases of 20, from its figures in order; None for too short a one."""
    if len(values) < ENOUGH_RUNS:
        return None
    ranges = sorted(abs(later - earlier) for earlier, later in pairwise(values))
    by_median = quantile(0.975, FREEDOM * (len(values) - 1)) * sqrt(2) * median(ranges) / MEDIAN_RANGE
    if ranges[0] > 0:
        return by_median
    without_step = ranges[:-1]
    return max(by_median, without_step[ceil(WITHIN * (len(without_step) - 1))])


def by_chance(history: Iterable[StoredVerdict], like: StoredVerdict) -> dict[str, float]:
    """What two nights differ by through chance, by measure, from the runs of `history` that are comparable to `like`.

    Runs whose figures are not to be believed are left out, and so is a figure of which there are too few nights.
    """
    alike = [one for one in history if not doubts(one) and not differences(one, like)]
    values: dict[str, list[float]] = {}
    for verdict in sorted(alike, key=began):
        for name, figure in figures(verdict).items():
            values.setdefault(name, []).append(figure.value)
    found = {name: difference_by_chance(column) for name, column in values.items()}
    return {name: value for name, value in found.items() if value is not None}
