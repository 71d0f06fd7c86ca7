"""Whether a rise goes on, or happened at once: numbers in, numbers out.

A series that stood at one level and then at a higher one rises beyond chance as a steady drift does, and a slope through it forecasts what
nobody saw. Two shapes of as many parameters are fitted by least squares: one step, anywhere, and a straight rise that
begins anywhere, at the first value or later. How much likelier the step makes the series than the rise follows from what each leaves over
(normal noise of unknown size), for as many values as are independent by the autocorrelation around the step. A
value that stands out from both its neighbours is neither, and is drawn in to the middle one of the three.
"""

from dataclasses import dataclass

import numpy as np

from analysis.statistics.autocorrelation import Floats
from analysis.statistics.trend import autocorrelation, thinned

LEAST_LIKELIER = 20.0  # a rise is taken for a step only where it would be such a chance otherwise
LEAST_SIDE = 4  # points on each side of a step, and of a rise
STANDS_OUT = 4.0  # standard deviations, by the median of all distances from the middle one of three


@dataclass(frozen=True, slots=True)
class Jump:
    """The one step that explains a series best.

    Attributes:
        at_s: the first time on the new level.
        before, after: the medians on either side.
        likelier: logarithm of how many times likelier it makes the series than the best rise does; below 0 = less likely.
    """

    at_s: float
    before: float
    after: float
    likelier: float


def best_jump(times_s: Floats, values: Floats) -> Jump | None:
    """The step that explains `values` best, held against a rise; None = too few values to tell.

    Args:
        times_s: when, ascending.
    """
    times_s, values = thinned(np.asarray(times_s, np.float64), np.asarray(values, np.float64))
    count = len(values)
    if count < 2 * LEAST_SIDE:
        return None
    drawn = _drawn_in(values)
    centred = drawn - drawn.mean()
    place, by_step = _step(centred)
    by_rise = _rise(times_s, centred)
    rest = np.concatenate([part - part.mean() for part in (drawn[:place], drawn[place:])])
    alike = max(0.0, autocorrelation(rest))
    independent = count * (1 - alike) / (1 + alike)
    least = np.finfo(np.float64).tiny  # what fits without a rest
    return Jump(
        at_s=float(times_s[place]),
        before=float(np.median(values[:place])),
        after=float(np.median(values[place:])),
        likelier=independent / 2 * float(np.log(max(by_rise, least)) - np.log(max(by_step, least))),
    )


def _drawn_in(values: Floats) -> Floats:
    """The values without those that stand out from both neighbours."""
    middle = values.copy()
    middle[1:-1] = np.median([values[:-2], values[1:-1], values[2:]], axis=0)
    apart = np.abs(values - middle)
    drawn: Floats = np.where(apart > STANDS_OUT * 1.4826 * np.median(apart), middle, values)
    return drawn


def _step(centred: Floats) -> tuple[int, float]:
    """Where one step leaves over least of a series whose mean is 0, and the sum of the squares left over."""
    count = len(centred)
    before = np.arange(LEAST_SIDE, count - LEAST_SIDE + 1)
    explained = np.cumsum(centred)[before - 1] ** 2 * count / (before * (count - before))
    best = int(np.argmax(explained))
    return int(before[best]), float(centred @ centred - explained[best])


def _rise(times_s: Floats, centred: Floats) -> float:
    """The same of the best straight rise that begins at one of the times; before it the series stands at one level."""
    begins = times_s[: len(times_s) - LEAST_SIDE]
    since = (times_s[None, :] - begins[:, None]).clip(min=0)
    since -= since.mean(axis=1, keepdims=True)
    explained = (since @ centred) ** 2 / (since**2).sum(axis=1)
    return float(centred @ centred - explained.max())
