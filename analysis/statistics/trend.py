"""Whether a series rises or falls beyond chance, how fast, and when it would cross a level.

The slope is Theil's and Sen's: the median of the slopes between any two points, which a few outliers do not move.
Whether it is beyond chance is Mann's and Kendall's test, which asks how many pairs rise and how many fall. Both assume
independent points; windows of a run are not. The variance of the test is therefore widened as for an autoregressive
series of the first order: its coefficient is estimated on what Sen's slope leaves over, and freed of the bias
downwards that it has in short series. That is what keeps false alarms at their share (docs/statistics.md has the figures).
Ranks of few points cannot tell a steep rise from a slight one. There the slope is also held against its standard error by least squares,
widened in the same way; of the two the one that is less likely by chance counts, that of least squares twice as likely (Bonferroni).
Sources: Sen (1968), JASA 63; Yue, Wang (2004), The Mann-Kendall test modified by effective sample size, Water Resources
Management 18; Kendall, M. G. (1954), Note on bias in the estimation of autocorrelation, Biometrika 41.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from analysis.statistics.autocorrelation import Floats, autocovariances
from analysis.statistics.student import quantile

LEAST_POINTS = 8  # minutes of a soak of ten, without its warm-up
FEW_POINTS = 32  # half an hour of minutes
MOST_POINTS = 360  # a longer series is cut into so many pieces, each with its median
MOST_ALIKE = 0.95  # beyond it a series cannot be told from a random walk


@dataclass(frozen=True, slots=True)
class Trend:
    """The trend of a series.

    Attributes:
        slope_per_s: by how much it rises a second.
        low, high: the 95% interval of that.
        p_value: how likely a series without a trend shows one as strong, up or down.
        intercept: the trend's value at time 0, on the axis of the times given.
        begin_s, end_s: first and last time.
        autocorrelation: of neighbouring points, around the trend.
        points: how many values the trend rests on, after thinning.
    """

    slope_per_s: float
    low: float
    high: float
    p_value: float
    intercept: float
    begin_s: float
    end_s: float
    autocorrelation: float
    points: int

    def at(self, time_s: float) -> float:
        """The trend's value at a time."""
        return self.intercept + self.slope_per_s * time_s

    @property
    def change(self) -> float:
        """How much the trend adds from the first to the last point."""
        return self.slope_per_s * (self.end_s - self.begin_s)


def trend(times_s: Floats, values: Floats) -> Trend | None:
    """The trend of `values`, or None for fewer than `LEAST_POINTS`.

    Args:
        times_s: when, ascending; roughly even steps.
    """
    times_s, values = thinned(np.asarray(times_s, np.float64), np.asarray(values, np.float64))
    count = len(values)
    if count < LEAST_POINTS or times_s[-1] <= times_s[0]:
        return None
    first, second = np.triu_indices(count, 1)
    rises = values[second] - values[first]
    slopes = rises / (times_s[second] - times_s[first])
    slope = float(np.median(slopes))
    rest = values - slope * times_s
    alike = autocorrelation(rest)
    _, ties = np.unique(values, return_counts=True)
    independent = (count * (count - 1) * (2 * count + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    deviation = float(np.sqrt(independent * inflation(alike, count)))
    score = float(np.sign(rises).sum())
    # the coefficient is itself estimated: fewer independent points, wider tails
    freedom = max(2.0, count * (1 - alike) / (1 + alike) - 2)
    by_ranks = 1.0 if deviation == 0 else _two_sided((abs(score) - 1) / deviation, freedom)
    around = times_s - times_s.mean()
    error = float(np.sqrt(rest.var() * count / (count - 2) / (around @ around) * (1 + alike) / (1 - alike)))
    by_squares = 1.0 if error == 0 else _two_sided(abs(slope) / error, freedom)
    reach = quantile(0.975, freedom) * deviation
    ordered = np.sort(slopes)
    low = ordered[int(np.clip(np.floor((len(slopes) - reach) / 2), 0, len(slopes) - 1))]
    high = ordered[int(np.clip(np.ceil((len(slopes) + reach) / 2), 0, len(slopes) - 1))]
    return Trend(
        slope_per_s=slope,
        low=float(low),
        high=float(high),
        p_value=min(by_ranks, 2 * by_squares) if count < FEW_POINTS else by_ranks,
        intercept=float(np.median(rest)),
        begin_s=float(times_s[0]),
        end_s=float(times_s[-1]),
        autocorrelation=alike,
        points=count,
    )


def forecast_crossing_s(found: Trend, level: float) -> float | None:
    """When the trend, going on as it is, rises to `level`, in seconds on the series' own axis; None = it never does.

    A time at or before `found.end_s` says that the trend has already reached it.
    """
    if found.at(found.begin_s) >= level:
        return found.begin_s
    return (level - found.intercept) / found.slope_per_s if found.slope_per_s > 0 else None


def inflation(alike: float, count: int) -> float:
    """By how much an autocorrelation widens the variance of a sum of `count` values (first order)."""
    if alike <= 0:
        return 1.0
    lag = np.arange(1, count)
    return float(1 + 2 * ((1 - lag / count) * alike**lag).sum())


def thinned(times_s: Floats, values: Floats) -> tuple[Floats, Floats]:
    """At most `MOST_POINTS` points: the mean time and the median of as many equal pieces."""
    if len(values) <= MOST_POINTS:
        return times_s, values
    pieces = np.array_split(np.arange(len(values)), MOST_POINTS)
    return (
        np.array([times_s[piece].mean() for piece in pieces]),
        np.array([np.median(values[piece]) for piece in pieces]),
    )


def autocorrelation(rest: Floats) -> float:
    """The lag-one coefficient, freed of its bias, between 0 and `MOST_ALIKE`.

    Two parameters, level and slope, were taken from the series, which lowers it by about (2 + 4 rho) / n.
    """
    count = len(rest)
    covariances = autocovariances(rest, 1)
    if covariances[0] <= 0:
        return 0.0
    alike = (count * covariances[1] / covariances[0] + 2) / (count - 4)
    return float(np.clip(alike, 0, MOST_ALIKE))


def _two_sided(z: float, freedom: float) -> float:
    """The probability that |t| exceeds `z`, by the normal quantile that Student's t corresponds to (Wallace 1959)."""
    if z <= 0:
        return 1.0
    normal = np.sqrt(freedom * np.log1p(z * z / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return float(2 * NormalDist().cdf(-float(normal)))
