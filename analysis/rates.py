"""A rate over time, from a text such as ``0s:10,60s:50,120s:50,180s:5``. No input or output here.

Between two points the rate goes in a straight line; after the last one it stays. A lone number is the same rate all
the time. Arrivals of such a process are found by inversion: the n-th point of a process of rate 1 lies where the
expected number of arrivals so far, the area below the curve, has reached it.
Source: Çinlar, Introduction to Stochastic Processes, 1975, chapter 4.7; Lewis and Shedler, "Simulation of
nonhomogeneous Poisson processes by thinning", Naval Research Logistics Quarterly 26, 1979, names it beside thinning.
"""

import math
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

EXPECTED = "expected a number above 0, such as 40, or points such as 0s:10,60s:50,120s:50,180s:5"

_POINT = re.compile(r"\s*(?P<at>[0-9.]+)\s*(?P<unit>s|m|h)\s*:\s*(?P<rate>[0-9.]+)\s*")
_SECONDS = {"s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class RateCurve:
    """A rate over time.

    Attributes:
        points: (seconds from the begin, events a second), the first at 0 and none before another.
    """

    points: tuple[tuple[float, float], ...]
    _totals: tuple[float, ...] = field(init=False, repr=False, compare=False)  # events before each point

    def __post_init__(self) -> None:
        totals = [0.0]
        for (begin_s, before), (end_s, after) in pairwise(self.points):
            totals.append(totals[-1] + (end_s - begin_s) * (before + after) / 2)
        object.__setattr__(self, "_totals", tuple(totals))

    @classmethod
    def parse(cls, text: str) -> "RateCurve":
        """The curve that `text` describes.

        Raises:
            ValueError: it describes none; the message says what is wrong.
        """
        if ":" not in text:
            return cls(((0.0, _number(text, text)),))._checked(text)
        points = []
        for part in text.split(","):
            found = _POINT.fullmatch(part)
            if found is None:
                raise ValueError(f"{EXPECTED}, found {part.strip()[:60]!r} in it")
            at_s = _number(found["at"], part) * _SECONDS[found["unit"]]
            points.append((at_s, _number(found["rate"], part)))
        return cls(tuple(points))._checked(text)

    def scaled(self, factor: float) -> "RateCurve":
        """The same curve, `factor` times as high."""
        return RateCurve(tuple((at_s, rate * factor) for at_s, rate in self.points))

    def at(self, time_s: float) -> float:
        """Events a second at `time_s`."""
        place = self._place(self.points, time_s)
        (begin_s, rate), slope = self.points[place], self._slope(place)
        return rate + slope * (time_s - begin_s)

    def expected(self, time_s: float) -> float:
        """How many events are expected up to `time_s`."""
        place = self._place(self.points, time_s)
        (begin_s, rate), slope = self.points[place], self._slope(place)
        passed_s = time_s - begin_s
        return self._totals[place] + passed_s * (rate + slope * passed_s / 2)

    def when(self, expected: float) -> float:
        """The first time at which so many events are expected, in seconds; infinite when they never will be."""
        place = max(0, bisect_right(self._totals, expected) - 1)
        (begin_s, rate), slope = self.points[place], self._slope(place)
        rest = expected - self._totals[place]
        if rest <= 0:
            return begin_s
        # rest = rate x + slope x²/2, solved for x in the form that loses no digits when the slope is small.
        root = math.sqrt(max(0.0, rate * rate + 2 * slope * rest))
        return begin_s + 2 * rest / (rate + root) if rate + root > 0 else math.inf

    def _slope(self, place: int) -> float:
        if place + 1 >= len(self.points):
            return 0.0
        (begin_s, before), (end_s, after) = self.points[place : place + 2]
        return (after - before) / (end_s - begin_s)

    @staticmethod
    def _place(points: tuple[tuple[float, float], ...], time_s: float) -> int:
        return max(0, bisect_right(points, time_s, key=lambda point: point[0]) - 1)

    def _checked(self, text: str) -> "RateCurve":
        times, rates = zip(*self.points, strict=True)
        if times[0] != 0:
            raise ValueError(f"{EXPECTED}; the first point must be at 0s, found {text.strip()[:60]!r}")
        if any(after <= before for before, after in pairwise(times)):
            raise ValueError(
                f"{EXPECTED}; each point must be later than the one before, found {text.strip()[:60]!r}"
            )
        if max(rates) <= 0:
            raise ValueError(f"{EXPECTED}; the rate must be above 0 somewhere, found {text.strip()[:60]!r}")
        return self


def _number(text: str, part: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or number < 0:
        raise ValueError(f"{EXPECTED}, found {part.strip()[:60]!r}")
    return number
