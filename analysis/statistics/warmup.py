"""When a run became steady: the end of its warm-up.

MSER-5: the latencies in the order of time, as the means of short buckets, five to a batch; the warm-up ends where the
standard error of the mean of what remains is smallest. Batches far outside are drawn in first (winsorized, as Hampel's rule
has it), or a few bad seconds later on would outweigh the whole warm-up. By itself the rule often cuts a little off a series that
has no warm-up, because some cut is always the best. What it would cut is therefore only cut when it differs from
what remains by a share that matters, and by twice as much as nine in ten stretches of the same length that remain. The warm-up
is looked for in the first half alone. A run whose best cut lies in the second half, and that was slower before it, never became
steady: nothing is cut, for a cut would hide it. One that was faster before it had settled, and then changed: that is no warm-up.
Sources: Hampel, F. R. (1974), The influence curve and its role in robust estimation, JASA 69; White, K. P. (1997), An effective truncation heuristic for bias reduction in simulation output, Simulation 69;
White, Cobb, Spratt (2000), A comparison of five steady-state truncation heuristics for simulation, WSC.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.statistics.autocorrelation import Floats

Ints = NDArray[np.int64]

BATCH = 5  # the five of MSER-5
MOST_BATCHES = 240
LEAST_BATCHES = 20
LEAST_WIDTH_NS = 100_000_000  # of a bucket
LEAST_VALUES = 3  # a bucket, on average
MATTERS = 0.10  # of the steady average
FAR = 3.0  # standard deviations, by the median of all deviations: a batch further out is drawn in to there
MOST_STRETCHES = 0.9  # of the stretches that remain
CAUTION = 2.0
NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Warmup:
    """The warm-up of a run.

    Attributes:
        end_s: when it ends, in seconds after the first value; 0 = there is none.
        steady: False where the run was still settling in its second half.
        slower: the part before was slower than the rest; users who come one by one may make it faster.
    """

    end_s: float
    steady: bool
    slower: bool = True


def find_warmup(start_ns: Ints, latency_ns: Ints) -> Warmup:
    """The warm-up of latencies that began at `start_ns` (any origin, any order). A short or sparse run has none."""
    if len(start_ns) == 0:
        return Warmup(0.0, steady=True)
    since_ns = start_ns - int(start_ns.min())
    span_ns = int(since_ns.max()) + 1
    buckets = min(MOST_BATCHES * BATCH, len(since_ns) // LEAST_VALUES, span_ns // LEAST_WIDTH_NS)
    batches = int(buckets) // BATCH
    if batches < LEAST_BATCHES:
        return Warmup(0.0, steady=True)
    width_ns = -(-span_ns // (batches * BATCH))
    place = since_ns // width_ns
    counts = np.bincount(place, minlength=batches * BATCH)
    sums = np.bincount(place, weights=latency_ns.astype(np.float64), minlength=batches * BATCH).astype(
        np.float64
    )
    means = _filled(sums, counts)[: batches * BATCH].reshape(batches, BATCH).mean(axis=1)
    drawn = _drawn_in(means)
    cut = _least_error(drawn)
    half = min(cut, batches // 2)
    if cut == 0 or not (_matters(means, half) and _differs(drawn, half)):
        return Warmup(0.0, steady=True)
    slower = float(means[:cut].mean()) > float(np.median(means[cut:]))
    if cut > batches // 2:
        return Warmup(0.0, steady=not slower)
    return Warmup(cut * BATCH * width_ns / NS_PER_S, steady=True, slower=slower)


def _filled(sums: Floats, counts: NDArray[np.integer]) -> Floats:
    """The mean of each bucket; an empty one has that of its neighbours."""
    seen = np.flatnonzero(counts)
    return np.interp(np.arange(len(sums)), seen, sums[seen] / counts[seen])


def _drawn_in(means: Floats) -> Floats:
    """The means without those far outside: they count as `FAR`."""
    middle = float(np.median(means))
    deviation = 1.4826 * float(np.median(np.abs(means - middle)))  # of a normal distribution
    drawn: Floats = np.clip(means, middle - FAR * deviation, middle + FAR * deviation) if deviation else means
    return drawn


def _least_error(means: Floats) -> int:
    """How many batches to cut so that the standard error of the rest's mean is least; at least five remain."""
    backwards = means[::-1] - means.mean()
    remaining = np.arange(1, len(means) + 1)
    squares = np.cumsum(backwards**2) - np.cumsum(backwards) ** 2 / remaining
    error = (squares / remaining**2)[::-1]
    return int(np.argmin(error[:-5]))


def _matters(means: Floats, cut: int) -> bool:
    """Whether the first `cut` batches differ from the rest materially."""
    middle = float(np.median(means[cut:]))
    return abs(float(means[:cut].mean()) - middle) > MATTERS * middle


def _differs(means: Floats, cut: int) -> bool:
    """Whether the first `cut` batches differ from the rest more than stretches of it that long do."""
    rest = means[cut:]
    middle = float(np.median(rest))
    total = np.concatenate(([0.0], np.cumsum(rest)))
    stretches = np.abs((total[cut:] - total[:-cut]) / cut - middle)
    apart = abs(float(means[:cut].mean()) - middle)
    return apart > CAUTION * float(np.quantile(stretches, MOST_STRETCHES))
