"""Where a series changes its level for good: change-point detection by binary segmentation.

The best place to cut a series is where the mean before and the mean after differ most for their lengths (CUSUM).
Whether that is beyond chance is told by simulated series without a step that are as autocorrelated as this one: the
coefficient is estimated around the step and freed of its bias, and every simulated series goes through the same
estimate. Values are replaced by the normal scores of their ranks, so that an outlier is no step. Where a series as a whole
shows none, its halves, and the half in its middle, are looked at: a level that rises and falls back is no single
step. A series that has a step is cut there and both sides are looked at again, each with half the chance of a
false alarm. A place found is looked for once more between its neighbours.
Sources: Scott, Knott (1974), A cluster analysis method for grouping means, Biometrics 30; Kovács et al. (2023), Seeded
binary segmentation, Biometrika 110; Daly et al. (2020), The use of
change point detection to identify software performance regressions, ICPE; Fleming et al. (2023), Hunter, ICPE. They
take points as independent. Nights are taken so, too; the minutes of a run are not.
"""

from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.statistics.autocorrelation import Floats

LEAST_SIDE = 4  # points on each side of a step
MOST_POINTS = 480  # a longer series is cut into so many pieces, each with its median
SIMULATIONS = 1000
TAIL = 30  # simulated series beyond a chance of `false_alarm`, at least, so that a sixth of it can be told
FEW_SIMULATIONS = 200  # to learn how alike such series seem
COEFFICIENTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
CAUTION = 1.5  # standard errors of the coefficient
SEED = 20251123


@dataclass(frozen=True, slots=True)
class Step:
    """A change of level.

    Attributes:
        index: of the first value on the new level.
        at: its time, or its index where no times were given.
        before, after: the medians of the values up to the neighbouring steps.
        p_value: how likely a series without a step shows one as clear.
    """

    index: int
    at: float
    before: float
    after: float
    p_value: float

    @property
    def change(self) -> float:
        """How much higher the new level is, as a share of the old one."""
        return (self.after - self.before) / abs(self.before) if self.before else float("inf")


def find_steps(
    values: ArrayLike,
    *,
    times: ArrayLike | None = None,
    false_alarm: float = 0.05,
    independent: bool = False,
) -> list[Step]:
    """All steps of `values`, in their order.

    Args:
        times: when each value was, ascending; only told again in the steps.
        false_alarm: how often a series without a step may show one.
        independent: the values are known not to be autocorrelated, as those of nights are not. A short series can then show a step
            that an allowance for autocorrelation would hide whatever its size.
    """
    series = np.asarray(values, np.float64)
    when = np.arange(len(series), dtype=np.float64) if times is None else np.asarray(times, np.float64)
    pieces = np.array_split(np.arange(len(series)), MOST_POINTS) if len(series) > MOST_POINTS else None
    coarse = series if pieces is None else np.array([np.median(series[piece]) for piece in pieces])
    draws = _Draws(max(SIMULATIONS, round(TAIL / false_alarm)), independent)
    found = dict(_segment(coarse, 0, len(coarse), false_alarm, draws))
    places = _refined(coarse, sorted(found))
    chances = [found[place] for place in sorted(found)]
    if pieces is not None:
        places = [int(pieces[place][0]) for place in places]
    bounds = [0, *places, len(series)]
    return [
        Step(
            index=place,
            at=float(when[place]),
            before=float(np.median(series[bounds[number] : place])),
            after=float(np.median(series[place : bounds[number + 2]])),
            p_value=chance,
        )
        for number, (place, chance) in enumerate(zip(places, chances, strict=True))
    ]


@dataclass(frozen=True, slots=True)
class _Draws:
    """The series without a step that a step is held against: how many, and whether their values are independent."""

    count: int
    independent: bool


def _segment(
    series: Floats, begin: int, end: int, false_alarm: float, draws: _Draws
) -> list[tuple[int, float]]:
    """The steps between `begin` and `end`: index and chance of each."""
    quarter = (end - begin) // 4
    half = false_alarm / 2  # for the whole; the other half for its three parts
    for low, high, allowed in (
        (begin, end, half),
        (begin, begin + 2 * quarter, half / 3),
        (begin + quarter, end - quarter, half / 3),
        (end - 2 * quarter, end, half / 3),
    ):
        place, chance = _best(series[low:high], draws)
        if chance <= allowed:
            cut = low + place
            return [
                *_segment(series, begin, cut, half, draws),
                (cut, chance),
                *_segment(series, cut, end, half, draws),
            ]
    return []


def _best(part: Floats, draws: _Draws) -> tuple[int, float]:
    """The best place to cut `part`, and the chance that a series without a step shows one as clear."""
    if len(part) < 2 * LEAST_SIDE or np.ptp(part) == 0:
        return 0, 1.0
    place, statistic, alike = (one[0] for one in _strongest(_normal_scores(part)[None, :]))
    if draws.independent:
        return int(place), _exceeded(_without_step(len(part), 0.0, draws.count)[1], float(statistic))
    return int(place), _chance(len(part), float(statistic), float(alike), draws.count)


def _refined(series: Floats, places: list[int]) -> list[int]:
    """Each place once more, looked for between its neighbours alone."""
    bounds = [0, *places, len(series)]
    refined: list[int] = []
    for number in range(len(places)):
        low = refined[-1] if refined else 0
        part = series[low : bounds[number + 2]]
        place, _, _ = _strongest(_normal_scores(part)[None, :])
        refined.append(low + int(place[0]))
    return refined


def _strongest(series: Floats) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Of each row: the best place to cut, how clear the step there is, and the autocorrelation around it."""
    rows, count = series.shape
    centred = series - series.mean(axis=1, keepdims=True)
    before = np.arange(LEAST_SIDE, count - LEAST_SIDE + 1)
    sums = np.cumsum(centred, axis=1)[:, before - 1]
    scaled = np.abs(sums) * np.sqrt(count / (before * (count - before)))
    best = np.argmax(scaled, axis=1)
    place = before[best]
    row = np.arange(rows)
    left = np.arange(count)[None, :] < place[:, None]
    total = sums[row, best]
    level = np.where(left, (total / place)[:, None], (-total / (count - place))[:, None])
    rest = centred - level
    variance = (rest**2).mean(axis=1)
    alike = np.clip((rest[:, 1:] * rest[:, :-1]).mean(axis=1) / np.maximum(variance, 1e-12), -0.5, 0.99)
    statistic = scaled[row, best] / np.sqrt(np.maximum(variance, 1e-12))
    return place, statistic, alike


def _chance(count: int, statistic: float, alike: float, simulations: int) -> float:
    """How likely a series of `count` values without a step, as autocorrelated as this one, shows one as clear."""
    means = [_without_step(count, coefficient, FEW_SIMULATIONS)[0] for coefficient in COEFFICIENTS]
    # the coefficient whose series show on average what this one shows, step taken out
    coefficient = float(np.interp(alike, np.maximum.accumulate(means), COEFFICIENTS))
    # a series that seems less alike than it is shows false steps: allow for the error of the estimate
    coefficient = min(coefficient + CAUTION * float(np.sqrt((1 - coefficient**2) / count)), COEFFICIENTS[-1])
    upper = min(int(np.searchsorted(COEFFICIENTS, coefficient)), len(COEFFICIENTS) - 1)
    lower = max(upper - 1, 0)
    width = COEFFICIENTS[upper] - COEFFICIENTS[lower]
    weight = (coefficient - COEFFICIENTS[lower]) / width if width else 1.0
    low, high = (
        _exceeded(_without_step(count, COEFFICIENTS[side], simulations)[1], statistic)
        for side in (lower, upper)
    )
    return (1 - weight) * low + weight * high


def _exceeded(simulated: Floats, statistic: float) -> float:
    """The share of `simulated` at or above `statistic`; never 0, for the series itself is one more draw."""
    at_least = len(simulated) - int(np.searchsorted(simulated, statistic, side="left"))
    return (at_least + 1) / (len(simulated) + 1)


@lru_cache(maxsize=512)
def _without_step(count: int, coefficient: float, simulations: int) -> tuple[float, Floats]:
    """Of simulated series without a step: the mean autocorrelation seen, and the sorted statistics."""
    rng = np.random.default_rng([SEED, count, round(coefficient * 100)])
    noise = rng.standard_normal((simulations, count))
    noise[:, 1:] *= np.sqrt(1 - coefficient**2)
    for place in range(1, count):
        noise[:, place] += coefficient * noise[:, place - 1]
    _, statistic, alike = _strongest(noise)
    return float(alike.mean()), np.sort(statistic)


def _normal_scores(values: Floats) -> Floats:
    """The values a normal distribution would have at the ranks of `values`; ties share their mean rank."""
    distinct, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    inverse = NormalDist().inv_cdf
    scores = np.array([inverse((rank - 0.5) / len(values)) for rank in ranks])
    assert len(scores) == len(distinct)
    found: Floats = scores[place]
    return found
