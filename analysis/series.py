"""Series over time: rows cut into buckets of one width. No input or output here.

A bucket's average and percentiles are computed from that bucket's own rows; nothing is averaged twice. The
width grows with the run, so that a report of a week stays as small as one of a minute, and each bucket keeps
its extremes, so that neither a spike nor an outage is thinned away: of a rate those of the bucket's parts, which are
short enough for an outage of half a minute to empty one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.latency import NS_PER_MS, NS_PER_S, Ints, Latencies

WIDTHS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)
MOST_BUCKETS = 480  # about two for each pixel column of a plot on a phone, one on a desk
MOST_ROWS = 24  # of a table beside a plot
PARTS = 30  # of a bucket, each with a rate of its own; in buckets of half a minute and less they are seconds
TOLD_AGAIN_S = (
    10  # a load process tells every second how many users it has; from one silent for longer nothing is known
)
HISTOGRAM_BINS_PER_DECADE = 24
CHANCE = 0.05  # of a line that breaks where buckets are empty by chance alone


Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often latencies fell between two edges; `counts` has one entry less than `edges_ms`."""

    edges_ms: NDArray[np.float64]
    counts: Ints


def bucket_width_s(span_s: float, most: int = MOST_BUCKETS) -> int:
    """The narrowest width that cuts `span_s` into at most `most` buckets."""
    return next((width for width in WIDTHS_S if span_s / width <= most), WIDTHS_S[-1])


def latency_series(latencies: Latencies, width_s: int) -> pd.DataFrame:
    """Count, average, P50, P95, P99 and maximum of each bucket that has latencies."""
    bucket = latencies.start_ns // (width_s * NS_PER_S)
    order = np.lexsort((latencies.latency_ns, bucket))
    bucket, ranked = bucket[order], latencies.latency_ns[order]
    labels, starts, counts = np.unique(bucket, return_index=True, return_counts=True)
    columns: dict[str, NDArray[np.float64]] = {}
    if len(ranked):
        columns["avg_ms"] = np.add.reduceat(ranked, starts) / counts / NS_PER_MS
        for percent in (50, 95, 99):
            rank = np.maximum(1, -(-counts * percent // 100))
            columns[f"p{percent}_ms"] = ranked[starts + rank - 1] / NS_PER_MS
        columns["max_ms"] = ranked[starts + counts - 1] / NS_PER_MS
    index = pd.Index(labels * width_s, name="at_s")
    names = ["count", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"]
    return pd.DataFrame({"count": counts, **columns}, index=index, columns=names)


def with_gaps(frame: pd.DataFrame, width_s: int) -> pd.DataFrame:
    """`frame`, one row a bucket, with an empty row wherever so many buckets in a row have none that it is no chance.

    A line drawn through it breaks there: nothing was answered, and a straight line across would say otherwise. Where sends
    are few, empty buckets are usual: with the rest's share of empty ones, in less than one run in twenty a stretch would be as long.
    """
    at_s = frame.index.to_numpy(np.int64)
    if len(at_s) < 2:
        return frame
    empty = np.diff(at_s) // width_s - 1
    buckets = (at_s[-1] - at_s[0]) // width_s + 1
    elsewhere = (empty.sum() - empty) / (buckets - empty)  # the share of empty buckets but for this stretch
    wide = (empty > 0) & (buckets * elsewhere**empty < CHANCE)
    if not wide.any():
        return frame
    gaps = pd.DataFrame(np.nan, index=at_s[:-1][wide] + width_s, columns=frame.columns)
    broken = pd.concat([frame.astype(np.float64), gaps]).sort_index()
    broken.index.name = frame.index.name
    return broken


def part_s(width_s: int) -> int:
    """The length of the parts of a bucket, whose extremes it keeps."""
    return max(1, width_s // PARTS)


def rate_series(times_ns: Mapping[str, Ints], width_s: int, of_parts_s: int = 1) -> pd.DataFrame:
    """How many a second of each kind, over every bucket between the first and the last; empty ones are 0.

    Args:
        of_parts_s: length of the parts; a bucket is a whole number of them.

    Returns:
        For each kind its rate over the bucket, and the lowest and the highest rate of its parts: ``<kind>_low``, ``<kind>_high``.
    """
    counted = {
        name: pd.Series(at_ns // (of_parts_s * NS_PER_S)).value_counts() for name, at_ns in times_ns.items()
    }
    parts = pd.DataFrame(counted, columns=list(times_ns), dtype=np.float64)
    if len(parts):
        parts = parts.reindex(range(int(parts.index.min()), int(parts.index.max()) + 1)).fillna(0.0)
    bucket = pd.Index(parts.index.to_numpy(np.int64) * of_parts_s // width_s * width_s, name="at_s")
    by_bucket = parts.groupby(bucket)
    return pd.concat(
        [
            by_bucket.sum() / width_s,
            (by_bucket.min() / of_parts_s).add_suffix("_low"),
            (by_bucket.max() / of_parts_s).add_suffix("_high"),
        ],
        axis=1,
    )


def users_series(process: pd.Series, at_ns: Ints, users: pd.Series, width_s: int) -> pd.DataFrame:
    """Users over all load processes: the fewest and the most in any second of a bucket, as ``low`` and ``users``."""
    table = pd.DataFrame(
        {"process": process.to_numpy(), "second": at_ns // NS_PER_S, "users": users.to_numpy(np.float64)}
    )
    if not len(table):
        return pd.DataFrame({"low": [], "users": []})
    told = table.groupby(["second", "process"])["users"].last().unstack()
    told = told.reindex(range(int(told.index.min()), int(told.index.max()) + 1)).ffill(limit=TOLD_AGAIN_S)
    known = told.sum(axis=1, min_count=1).dropna()
    bucket = pd.Index(known.index.to_numpy(np.int64) // width_s * width_s, name="at_s")
    by_bucket = known.groupby(bucket)
    return pd.DataFrame({"low": by_bucket.min(), "users": by_bucket.max()})


def count_series(counted: Mapping[str, tuple[Floats, Ints]], width_s: int) -> pd.DataFrame:
    """How many of each kind in every bucket that has any.

    Args:
        counted: of each kind times in seconds, and how many at each.
    """
    columns = {
        name: pd.Series(count).groupby(np.floor(at_s / width_s).astype(np.int64) * width_s).sum()
        for name, (at_s, count) in counted.items()
    }
    frame = pd.DataFrame(columns, columns=list(counted)).fillna(0).astype(np.int64)
    frame.index.name = "at_s"
    return frame.sort_index()


def histogram(latency_ns: Ints) -> Histogram | None:
    """Latencies counted in bins of equal width on a logarithmic scale, or None when there are none."""
    if len(latency_ns) == 0:
        return None
    values_ms = np.maximum(latency_ns / NS_PER_MS, 0.001)
    low, high = np.floor(np.log10(values_ms.min()) * 10) / 10, np.ceil(np.log10(values_ms.max()) * 10) / 10
    bins = max(1, round((high - low) * HISTOGRAM_BINS_PER_DECADE))
    edges_ms = np.logspace(low, max(high, low + 0.1), bins + 1)
    edges_ms[0], edges_ms[-1] = min(edges_ms[0], values_ms.min()), max(edges_ms[-1], values_ms.max())
    counts, _ = np.histogram(values_ms, edges_ms)
    return Histogram(edges_ms, counts.astype(np.int64))


def poll_series(axis_ns: Ints, duration_ms: pd.Series, failed: pd.Series, width_s: int) -> pd.DataFrame:
    """The longest poll and the number of failed ones in each bucket."""
    at_s = axis_ns // (width_s * NS_PER_S) * width_s
    table = pd.DataFrame(
        {"at_s": at_s, "duration_ms": duration_ms.to_numpy(), "failed": failed.to_numpy(np.int64)}
    )
    return table.groupby("at_s").agg({"duration_ms": "max", "failed": "sum"})
