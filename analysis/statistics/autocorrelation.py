"""How alike neighbours of a series are, and what that does to the certainty of its mean.

Latencies close in time resemble each other: a thousand of them say less than a thousand independent ones. What
remains of their number is told by the long-run variance, the variance of the series' sum over its length.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BATCHES = 20
MOST_ALIKE = 0.9  # batches: beyond that nothing can be told of a run


def autocovariances(values: Floats, lags: int) -> Floats:
    """The autocovariances of `values` at lags 0 to `lags`, each divided by the full length."""
    centred = values - values.mean()
    count = len(centred)
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(centred, size)
    found: Floats = np.fft.irfft(spectrum * spectrum.conj(), size)[: lags + 1] / count
    return found


def block_length(values: Floats) -> int:
    """How many neighbours a block must hold so that blocks of `values` can be drawn as if they were independent.

    The rule for the circular block bootstrap of Politis, D. N., White, H. (2004), Automatic block-length selection
    for the dependent bootstrap, Econometric Reviews 23, with the correction of Patton, Politis, White (2009),
    Econometric Reviews 28. At most a tenth of the series, so that ten blocks remain.
    """
    count = len(values)
    most = max(1, count // 10)
    run_of_small = max(5, round(np.sqrt(np.log10(count))))
    lags = min(count - 1, int(np.ceil(np.sqrt(count))) + run_of_small)
    covariances = autocovariances(values, min(count - 1, 2 * lags))
    if covariances[0] <= 0:
        return 1
    small = np.abs(covariances[1 : lags + 1] / covariances[0]) < 2 * np.sqrt(np.log10(count) / count)
    # the last lag that matters stands before the first run of small ones
    runs = np.convolve(small, np.ones(run_of_small), "valid") == run_of_small
    last = int(np.argmax(runs)) if runs.any() else lags - run_of_small
    reach = min(2 * max(last, 1), len(covariances) - 1)
    lag = np.arange(1, reach + 1)
    flat_top = np.clip(2 * (1 - lag / reach), 0, 1)
    spread = 2 * (flat_top * lag * covariances[1 : reach + 1]).sum()
    long_run = covariances[0] + 2 * (flat_top * covariances[1 : reach + 1]).sum()
    if long_run <= 0:
        return 1
    length = (2 * spread**2 / (4 / 3 * long_run**2)) ** (1 / 3) * count ** (1 / 3)
    return int(np.clip(np.ceil(length), 1, most))


def bootstrap_variance(values: Floats, length: int) -> float:
    """The long-run variance of `values` by the circular block bootstrap with blocks of `length`.

    The variance of the mean of blocks drawn with replacement needs no drawing: it is that of all overlapping blocks'
    means, round the end to the beginning. Source: Politis, Romano (1992), A circular block-resampling
    procedure for stationary data.
    """
    centred = values - values.mean()
    total = np.concatenate(([0.0], np.cumsum(np.concatenate((centred, centred[: length - 1])))))
    sums = total[length:] - total[:-length]
    return float((sums @ sums) / (len(sums) * length))


def long_run_variance(values: Floats) -> tuple[float, float]:
    """The long-run variance of `values`, and how many independent pieces it rests on (degrees of freedom).

    Blocks of a finite length miss the likeness across their borders, so that the plain bootstrap's intervals are too
    narrow. What half as long blocks miss more is added: Vats, Flegal (2022), Lugsail lag windows for estimating
    time-average covariance matrices, Biometrika 109. The degrees of freedom are those of overlapping batch
    means: Meketon, Schmeiser (1984), Overlapping batch means: something for nothing?
    """
    count = len(values)
    length = block_length(values)
    variance = bootstrap_variance(values, length)
    if length > 1:
        variance = max(variance, 2 * variance - bootstrap_variance(values, -(-length // 2)))
    return variance * count / max(count - length, 1), max(1.5 * count / length - 1, 2.0)


def batch_variance(values: Floats) -> tuple[float, float]:
    """The same from `BATCHES` equal pieces, whose means are taken as an autoregressive series of the first order.

    It sees waves that are too slow for the blocks. Of fewer values, ten at least, each is a piece. Source: Steiger, Lada, Wilson,
    Joines, Alexopoulos, Goldsman (2005), ASAP3: a batch means procedure for steady-state simulation analysis, ACM TOMACS 15. The
    coefficient is freed of its bias in short series (Kendall 1954; Marriott and Pope 1954, Biometrika 41).
    """
    means = _batch_means(values)
    batches = len(means)
    alike = min(_batches_alike(means), MOST_ALIKE)
    fewer = (1 + alike) / (1 - alike)
    return float(means.var(ddof=1) * fewer * len(values) / batches), max((batches - 1) / fewer, 2.0)


def level_moved(values: Floats) -> bool:
    """Whether the batches are more alike than `batch_variance` allows for: a step or a drift, of whose mean a run of this length tells little."""
    return _batches_alike(_batch_means(values)) >= MOST_ALIKE


def _batch_means(values: Floats) -> Floats:
    return np.array([piece.mean() for piece in np.array_split(values, min(BATCHES, len(values)))])


def _batches_alike(means: Floats) -> float:
    """The autocorrelation of batches, 0 at least."""
    variance, covariance = autocovariances(means, 1)
    batches = len(means)
    return max(0.0, (batches * float(covariance / variance) + 1) / (batches - 3)) if variance > 0 else 0.0
