"""Series over time: rows cut into buckets of one width. No input or output here.

A bucket's average and percentiles are computed from that bucket's own rows; nothing is averaged twice. The
width grows with the run, so that a report of a week stays as small as one of a minute, and each bucket keeps
its maximum, so that no spike is thinned away.
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
HISTOGRAM_BINS_PER_DECADE = 24


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


def rate_series(times_ns: Mapping[str, Ints], width_s: int) -> pd.DataFrame:
    """How many a second of each kind, over every bucket between the first and the last; empty ones are 0."""
    counted = {
        name: pd.Series(at_ns // (width_s * NS_PER_S)).value_counts() / width_s
        for name, at_ns in times_ns.items()
    }
    frame = pd.DataFrame(counted, columns=list(times_ns), dtype=np.float64)
    if len(frame):
        frame = frame.reindex(range(int(frame.index.min()), int(frame.index.max()) + 1))
    frame.index = pd.Index(frame.index.to_numpy(np.int64) * width_s, name="at_s")
    return frame.fillna(0.0)


def users_series(process: pd.Series, at_ns: Ints, users: pd.Series, width_s: int) -> pd.DataFrame:
    """Users over all load processes: the most that each told of in a bucket, summed."""
    bucket = at_ns // (width_s * NS_PER_S) * width_s
    table = pd.DataFrame({"process": process.to_numpy(), "at_s": bucket, "users": users.to_numpy()})
    most = table.pivot_table(index="at_s", columns="process", values="users", aggfunc="max")
    return pd.DataFrame({"users": most.sum(axis=1)}) if len(most) else pd.DataFrame({"users": []})


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
