"""How sure a latency figure is: 95% intervals by a block bootstrap over time. No input or output here.

Latencies close in time resemble each other, so single ones must not be drawn as if they were independent.
The run is cut into blocks of equal length; whole blocks are drawn with replacement. A block is the cube
root of the run's seconds long, the rate at which a block bootstrap's variance converges. The seed is fixed:
judging a record twice gives the same interval.
Source: Hall, Horowitz, Jing (1995), On blocking rules for the bootstrap with dependent data.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

DRAWS = 400  # resampled runs; the interval's ends then vary by a few per cent of its width
MIN_BLOCKS = 10  # fewer cannot show how blocks differ: no interval is better than a wrong one
SEED = 20251123
NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000
TAIL_SHARE = 0.2  # of the sorted values is searched first; a resampled P95 seldom lies below it


def average_interval(start_ns: Ints, latency_ns: Ints) -> tuple[float, float] | None:
    """The 95% interval of the average in milliseconds, or None for too short a run."""
    blocks = _blocks(start_ns)
    if blocks is None:
        return None
    block, weights = blocks
    counts = np.bincount(block, minlength=weights.shape[1])
    sums = np.bincount(block, weights=latency_ns.astype(np.float64), minlength=weights.shape[1])
    return _interval((weights @ sums) / (weights @ counts) / NS_PER_MS)


def percentile_interval(start_ns: Ints, latency_ns: Ints, percent: int) -> tuple[float, float] | None:
    """The 95% interval of the nearest-rank percentile in milliseconds, or None for too short a run."""
    blocks = _blocks(start_ns)
    if blocks is None:
        return None
    block, weights = blocks
    order = np.argsort(latency_ns, kind="stable")[::-1]  # from the slowest down
    ranked_ns, ranked_block = latency_ns[order], block[order]
    totals = weights @ np.bincount(block, minlength=weights.shape[1])
    tail = int(len(ranked_ns) * TAIL_SHARE) + 1
    draws = np.empty(len(weights))
    for draw, (weight, total) in enumerate(zip(weights, totals, strict=True)):
        above = int(total) - max(1, -(-int(total) * percent // 100))  # values that lie above the percentile
        upto = np.cumsum(weight[ranked_block[:tail]])
        if upto[-1] <= above:
            upto = np.cumsum(weight[ranked_block])
        draws[draw] = ranked_ns[np.searchsorted(upto, above, side="right")] / NS_PER_MS
    return _interval(draws)


def _blocks(start_ns: Ints) -> tuple[Ints, Ints] | None:
    """The block of every value, and how often each draw takes each block (draws x blocks)."""
    if len(start_ns) == 0:
        return None
    since_ns = start_ns - start_ns.min()
    seconds = int(since_ns.max()) / NS_PER_S
    length_ns = max(1, round(seconds ** (1 / 3))) * NS_PER_S
    _, block = np.unique(since_ns // length_ns, return_inverse=True)
    count = int(block.max()) + 1
    if count < MIN_BLOCKS:
        return None
    rng = np.random.default_rng(SEED)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(np.int64)
    return block.astype(np.int64), weights


def _interval(draws: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return round(float(low), 3), round(float(high), 3)
