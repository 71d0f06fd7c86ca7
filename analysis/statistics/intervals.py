"""95% intervals: of an average and of a nearest-rank percentile, that allow for autocorrelation, and of a share.

The run is cut into buckets of time, which keep their order. For the average a bucket counts with what its values
are above or below the average; for a percentile with how many of them lie at or below it beyond their share (the
percentile's influence, Bahadur 1966). Of either series the block bootstrap gives the variance, and so do twenty equal batches
(`autocorrelation`); the wider interval of the two is taken, since the bootstrap's blocks are too short for slow waves. In less than
`SURE_S` even that is too narrow: what is told then is a least width.
The interval of a percentile is found among the ranks and read off the sorted values, so that it is as skewed as they are
(Woodruff, R. S. (1952), Confidence intervals for medians and other position measures, JASA 47). No random number is
drawn: judging a record twice gives the same interval. A million values take well under a second.
"""

from dataclasses import dataclass
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.autocorrelation import Floats, batch_variance, level_moved, long_run_variance
from analysis.statistics.student import quantile

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Interval = tuple[float, float]

SURE_S = 3000.0  # a shorter run does not show its waves of minutes (docs/statistics.md has the figures)
LEAST_BUCKETS = 10  # fewer cannot show how they differ: no interval is better than a wrong one
MOST_BUCKETS = 20_000
BUCKET_NS = 1_000_000_000
NS_PER_MS = 1_000_000
CONFIDENCE = 0.95
Z95 = 1.959964  # two-sided 95% of the normal distribution


@dataclass(frozen=True, slots=True)
class Estimate:
    """A 95% interval in milliseconds, and what may make it less sure.

    Attributes:
        level_moved: within the run, by a step or a drift: the interval is so wide that it hides what changed.
        too_few: values for an upper end, which is then the highest seen; the truth may lie above.
    """

    ends: Interval
    level_moved: bool
    too_few: bool = False


def average_interval(start_ns: Ints, latency_ns: Ints) -> Estimate | None:
    """The 95% interval of the average in milliseconds, or None for a run of less than ten seconds.

    Args:
        start_ns: when each latency began; any origin, any order.
    """
    bucket = _buckets(start_ns)
    if bucket is None:
        return None
    values = latency_ns.astype(np.float64)
    average = float(values.mean())
    sums = np.bincount(bucket, weights=values - average).astype(np.float64)
    half = _half_width(sums, len(values))
    return Estimate(_rounded(max(0.0, average - half), average + half), level_moved(sums))


def percentile_interval(start_ns: Ints, latency_ns: Ints, percent: int) -> Estimate | None:
    """The 95% interval of the nearest-rank percentile in milliseconds, or None for a run of less than ten seconds."""
    bucket = _buckets(start_ns)
    if bucket is None:
        return None
    count = len(latency_ns)
    ranked = np.sort(latency_ns)
    share = percent / 100
    at = ranked[max(1, -(-count * percent // 100)) - 1]
    below = latency_ns <= at
    sums = np.bincount(bucket, weights=below - below.mean()).astype(np.float64)
    half = _half_width(sums, count)
    low = int(np.clip(np.floor((share - half) * count), 1, count))
    high = int(np.ceil((share + half) * count)) + 1
    ends = _rounded(float(min(ranked[low - 1], at)), float(max(ranked[min(high, count) - 1], at)))
    moved = level_moved(sums)
    return Estimate(ends, moved, too_few=high > count and not moved)


def share_interval(start_ns: Ints, hit: Bools) -> Interval:
    """The 95% interval of the share of those that `hit`, in per cent.

    Where they come in bursts, as many things say no more than fewer independent ones: by so much as the number of hits varies
    more between blocks of time than that of independent ones would (the design effect; Kish 1965, Survey Sampling; in
    Wilson's interval: Korn and Graubard 1998, Survey Methodology 24). Where nothing hit, nothing tells of bursts either.
    Source of the interval: Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.

    Args:
        start_ns: when each of them began; any origin, any order.
        hit: of each of them.
    """
    count, of = int(hit.sum()), len(hit)
    p, independent = count / of, of / _design_effect(start_ns, hit)
    z2 = Z95 * Z95
    centre = (p + z2 / (2 * independent)) / (1 + z2 / independent)
    around = Z95 * sqrt(p * (1 - p) / independent + z2 / (4 * independent**2)) / (1 + z2 / independent)
    low = 0.0 if count == 0 else max(0.0, centre - around)
    high = 1.0 if count == of else min(1.0, centre + around)
    return 100 * low, 100 * high


def enough_to_show(share: float) -> int:
    """Of how many, none of which hit, the interval of `share_interval` reaches no further than to `share` (above 0, up to 1)."""
    return ceil(Z95 * Z95 * (1 - share) / share)


def _design_effect(start_ns: Ints, hit: Bools) -> float:
    """How many times as much the number of hits varies as that of independent ones would; 1 at least."""
    bucket = _buckets(start_ns)
    p = float(hit.mean())
    if bucket is None or p in {0.0, 1.0}:
        return 1.0
    sums = np.bincount(bucket, weights=hit - p).astype(np.float64)
    variance = max(found for found, _ in (long_run_variance(sums), batch_variance(sums)))
    return max(1.0, variance * len(sums) / (len(hit) * p * (1 - p)))


def is_sure(start_ns: Ints) -> bool:
    """Whether values that began at these times make a run long enough for an interval that holds the truth as often as it says."""
    return len(start_ns) > 0 and int(np.ptp(start_ns)) + BUCKET_NS >= SURE_S * BUCKET_NS


def _buckets(start_ns: Ints) -> Ints | None:
    """The bucket of each value: seconds, or longer ones in a run of many hours."""
    if len(start_ns) == 0:
        return None
    since_ns = start_ns - start_ns.min()
    width_ns = max(BUCKET_NS, int(since_ns.max()) // MOST_BUCKETS + 1)
    bucket = since_ns // width_ns
    return None if len(np.unique(bucket)) < LEAST_BUCKETS else bucket


def _half_width(sums: Floats, count: int) -> float:
    """Half the interval of a mean of `count` values, of which `sums` holds the centred sum of each bucket."""
    return max(
        quantile(0.5 + CONFIDENCE / 2, freedom) * float(np.sqrt(variance * len(sums))) / count
        for variance, freedom in (long_run_variance(sums), batch_variance(sums))
    )


def _rounded(low_ns: float, high_ns: float) -> Interval:
    return round(low_ns / NS_PER_MS, 3), round(high_ns / NS_PER_MS, 3)
