"""What two runs differ in: each figure's change, its interval, and the word for it. No input or output here.

A change is a **regression** when it is for the worse, significant (the 95% interval of the difference leaves zero out) and
material (at least the stated share and amount). Significant alone is not enough: a long run finds differences that matter to nobody.

The interval of a difference comes from those of its two sides by the method of variance estimates recovery: neither need
be symmetric, and nothing but the two intervals has to be known (Zou and Donner 2008, Construction of confidence limits about
effect measures). Two runs alone cannot show how much nights differ though nothing was changed. Where the history has enough
comparable runs, the interval is widened to what two nights of it differ by; see `analysis.history.variation`.

Intervals of short runs are a least width: they do not show how slowly the level moves, so that two runs of the same thing
often lie beyond them. Without a history such a change is a regression only where it is so large that simulated short runs of one and the same
thing hardly ever differ by as much (`SHORT_PERCENT`; docs/statistics.md has how often); a smaller one that may be worse is not known.
So is a figure that looks worse by enough to matter where the level of a run moved: a step or a drift makes the run's interval so wide that
it holds whatever changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from math import sqrt

from analysis.history.figures import MEASURES, Figure, Interval, Measure

MIN_PERCENT = 5.0
MIN_MS = 1.0
SHORT_PERCENT = (
    50.0  # of short runs whose nights nobody knows: so much the higher figure must be above the lower one
)


class Word(StrEnum):
    """What a change is."""

    REGRESSION = "regression"
    IMPROVEMENT = "improvement"
    NOISE = "no change beyond noise"
    SMALL = "different, but too little to matter"
    UNKNOWN = "not known"  # one of the two has no interval, or no sure one, or its level moved within the run
    NOT_COMPARABLE = "not comparable"


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which change on one matters: both must be reached."""

    percent: float = MIN_PERCENT
    ms: float = MIN_MS  # of latencies; other units have their own least change in `MEASURES`

    def least(self, measure: Measure) -> float:
        """The least change that matters, in the unit of `measure`."""
        return self.ms if measure.unit == "ms" else measure.least


@dataclass(frozen=True, slots=True)
class Change:
    """How a figure went from run A to run B.

    Attributes:
        difference: B - A, in the measure's unit; None where one of them has none.
        ci95: its interval, in the same unit.
        nights: how far two nights of the history differ by chance (95%), in the same unit; None = not known.
        reason: why it is not comparable or not known, as the end of a sentence.
    """

    measure: Measure
    a: Figure | None
    b: Figure | None
    word: Word
    difference: float | None = None
    ci95: Interval | None = None
    nights: float | None = None
    reason: str | None = None

    @property
    def open(self) -> bool:
        """Whether nobody can say if it is worse."""
        return self.word in (Word.UNKNOWN, Word.NOT_COMPARABLE)

    @property
    def at_least(self) -> bool:
        """Whether its interval may have to be wider: a run was short, or measured too little, and no history says how much nights differ."""
        return self.nights is None and any(one is not None and one.at_least for one in (self.a, self.b))

    @property
    def percent(self) -> float | None:
        """The change in per cent of A; None where A is 0."""
        return self._of_a(self.difference)

    @property
    def percent_ci95(self) -> Interval | None:
        """The interval in per cent of A, A taken as it was seen."""
        if self.ci95 is None:
            return None
        low, high = (self._of_a(end) for end in self.ci95)
        return None if low is None or high is None else (low, high)

    def _of_a(self, amount: float | None) -> float | None:
        return None if amount is None or self.a is None or self.a.value == 0 else 100 * amount / self.a.value


def compare_figures(
    a: Mapping[str, Figure],
    b: Mapping[str, Figure],
    *,
    bounds: Bounds,
    nights: Mapping[str, float],
    incomparable: str | None,
) -> list[Change]:
    """The changes of all figures that one of the two runs has.

    Args:
        a, b: as of `analysis.history.figures.figures`.
        nights: how far two nights differ by chance, by measure, where the history shows it.
        incomparable: why the two cannot be compared, or None.
    """
    return [
        _change(measure, a.get(measure.id), b.get(measure.id), bounds, nights, incomparable)
        for measure in MEASURES
        if measure.id in a or measure.id in b
    ]


def difference_of(a: Figure, b: Figure) -> Interval | None:
    """The interval of b - a from the intervals of the two, which are of independent runs."""
    if a.ci95 is None or b.ci95 is None:
        return None
    difference = b.value - a.value
    (a_low, a_high), (b_low, b_high) = a.ci95, b.ci95
    return (
        difference - sqrt((b.value - b_low) ** 2 + (a_high - a.value) ** 2),
        difference + sqrt((b_high - b.value) ** 2 + (a.value - a_low) ** 2),
    )


def _change(
    measure: Measure,
    a: Figure | None,
    b: Figure | None,
    bounds: Bounds,
    nights: Mapping[str, float],
    incomparable: str | None,
) -> Change:
    if a is None or b is None:
        return Change(
            measure, a, b, Word.NOT_COMPARABLE, reason=f"{'A' if a is None else 'B'} does not have it"
        )
    difference = b.value - a.value
    if incomparable is not None:
        return Change(measure, a, b, Word.NOT_COMPARABLE, difference, reason=incomparable)
    usual = nights.get(measure.id)
    within = difference_of(a, b)
    if within is None and usual is None:
        lacking = " and ".join(name for name, side in (("A", a), ("B", b)) if side.ci95 is None)
        reason = f"{lacking} {'have' if ' ' in lacking else 'has'} no interval"
        return Change(measure, a, b, Word.UNKNOWN, difference, reason=reason)
    low, high = within or (difference, difference)
    if usual is not None:
        low, high = min(low, difference - usual), max(high, difference + usual)
    change = Change(measure, a, b, Word.NOISE, difference, (low, high), usual)
    word, why = _told(change, a, b, bounds)
    return replace(change, word=word, reason=why)


def _told(change: Change, a: Figure, b: Figure, bounds: Bounds) -> tuple[Word, str | None]:
    """The word for a change that has an interval, and why it is not known where it is not."""
    word = _word(change, bounds)
    moved = [name for name, side in (("A", a), ("B", b)) if side.level_moved]
    worse = (b.value - a.value) * change.measure.worse
    if word is Word.NOISE and moved and worse > (change.nights or 0.0) and _matters(change, bounds):
        return Word.UNKNOWN, f"its level moved within {' and '.join(moved)}, see the steps and trends there"
    if change.at_least and not _beyond_short_runs(a, b):
        if word is not Word.REGRESSION:  # may be chance, and is not worse by enough to matter
            return Word.NOISE, None
        return Word.UNKNOWN, f"{_short(a, b)} to show that it is more than chance"
    return word, None


def _beyond_short_runs(a: Figure, b: Figure) -> bool:
    """Whether the two differ by more than short runs of the same thing do."""
    less, more = sorted((a.value, b.value))
    return more >= (1 + SHORT_PERCENT / 100) * less


def _short(a: Figure, b: Figure) -> str:
    short = [name for name, side in (("A", a), ("B", b)) if side.at_least and not side.too_few]
    few = [name for name, side in (("A", a), ("B", b)) if side.too_few]
    told = [f"{' and '.join(short)} {'are' if len(short) > 1 else 'is'} too short"] if short else []
    if few:
        told.append(f"{' and '.join(few)} {'have' if len(few) > 1 else 'has'} too few of them")
    return " and ".join(told)


def _word(change: Change, bounds: Bounds) -> Word:
    assert change.ci95 is not None
    assert change.difference is not None
    low, high = change.ci95
    if low <= 0 <= high:
        return Word.NOISE
    if not _matters(change, bounds):
        return Word.SMALL
    return Word.REGRESSION if change.difference * change.measure.worse > 0 else Word.IMPROVEMENT


def _matters(change: Change, bounds: Bounds) -> bool:
    assert change.difference is not None
    enough = abs(change.difference) >= bounds.least(change.measure)
    return enough and (change.percent is None or abs(change.percent) >= bounds.percent)
