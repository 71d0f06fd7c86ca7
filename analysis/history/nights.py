"""A history of comparable runs: the course of each figure, and the steps in it. No input or output here.

Runs are put together by their load, target and duration. Of a run whose load generator did not
keep up, or whose record is not whole, the figures are shown, and no step is made of them. Each figure of a group is searched for steps; over all figures of
a group together, a stationary history raises a false alarm in at most one of twenty cases (each figure gets its part of it,
Bonferroni). Nights are taken as independent: an allowance for likeness hides a doubling that has lasted for ten nights
(docs/nightly.md has how often nights that are alike then raise an alarm). A step that is too small to matter is not told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import numpy as np

from analysis.history.comparison import Bounds, Word
from analysis.history.figures import MEASURES, Figure, Measure, figures
from analysis.history.likeness import differences, in_words, lasted
from analysis.history.runs import KnownRun
from analysis.history.stored import StoredVerdict, began
from analysis.history.trust import doubts
from analysis.statistics.steps import find_steps

FALSE_ALARM = 0.05  # for all figures of a group together
LEAST_NIGHTS = 13  # in fewer no step is so clear, however large, that chance would not make one of nine figures look like it


@dataclass(frozen=True, slots=True)
class Point:
    """A figure on one night. `believed` is False where the run's figures are not to be relied on."""

    run: str
    at: datetime | None
    figure: Figure
    believed: bool


@dataclass(frozen=True, slots=True)
class NightStep:
    """From `run` on, a figure is another: `before` and `after` are its levels, in the measure's unit."""

    measure: Measure
    index: int  # of the first point at the new level
    run: str
    at: datetime | None
    before: float
    after: float
    p_value: float
    word: Word  # regression or improvement

    @property
    def percent(self) -> float | None:
        """The change in per cent of the level before; None where that is 0."""
        return 100 * (self.after - self.before) / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Course:
    """A figure over the nights, the oldest first."""

    measure: Measure
    points: tuple[Point, ...]
    steps: tuple[NightStep, ...]

    @property
    def known(self) -> bool:
        """Whether there are nights enough for a step to be found."""
        return sum(point.believed for point in self.points) >= LEAST_NIGHTS


@dataclass(frozen=True, slots=True)
class Group:
    """Comparable runs, the oldest first. `doubted` are those of `runs` whose figures are not to be relied on."""

    title: str
    runs: tuple[str, ...]
    doubted: frozenset[str]
    courses: tuple[Course, ...]

    @property
    def steps(self) -> list[NightStep]:
        """The steps of all figures, the newest first."""
        found = [step for course in self.courses for step in course.steps]
        return sorted(found, key=lambda step: step.run, reverse=True)

    @property
    def standing(self) -> list[NightStep]:
        """The last step of each figure that has one: how things stand since. The newest first."""
        found = [course.steps[-1] for course in self.courses if course.steps]
        return sorted(found, key=lambda step: step.run, reverse=True)


def groups(runs: Iterable[KnownRun], bounds: Bounds) -> list[Group]:
    """The histories in `runs`, the one with the newest run first; each holds what is comparable to its newest run.

    Runs that were cut off, or say nothing of their load, are left out.
    """
    judged = [
        (run.name, run.verdict)
        for run in runs
        if run.verdict is not None and run.verdict.ended_at is not None and run.verdict.load is not None
    ]
    together: list[list[tuple[str, StoredVerdict]]] = []
    for name, verdict in sorted(judged, key=lambda one: (began(one[1]), one[0]), reverse=True):
        like = next((found for found in together if not differences(verdict, found[0][1])), None)
        if like is None:
            together.append([(name, verdict)])
        else:
            like.append((name, verdict))
    return [_group(found[::-1], bounds) for found in together]


def _group(found: Sequence[tuple[str, StoredVerdict]], bounds: Bounds) -> Group:
    doubted = frozenset(name for name, verdict in found if doubts(verdict))
    of_runs = [(name, verdict.started_at, figures(verdict)) for name, verdict in found]
    measures = [measure for measure in MEASURES if any(measure.id in own for _, _, own in of_runs)]
    courses = []
    for measure in measures:
        points = tuple(
            Point(name, at, own[measure.id], name not in doubted)
            for name, at, own in of_runs
            if measure.id in own
        )
        courses.append(Course(measure, points, _steps(measure, points, bounds, FALSE_ALARM / len(measures))))
    durations = [seconds for _, verdict in found if (seconds := lasted(verdict)) is not None]
    return Group(
        in_words(found[-1][1], median(durations) if durations else None),
        tuple(name for name, _ in found),
        doubted,
        tuple(courses),
    )


def _steps(
    measure: Measure, points: Sequence[Point], bounds: Bounds, false_alarm: float
) -> tuple[NightStep, ...]:
    places = [place for place, point in enumerate(points) if point.believed]
    values = np.array([points[place].figure.value for place in places])
    if len(places) < LEAST_NIGHTS:
        return ()
    told = []
    for step in find_steps(values, false_alarm=false_alarm, independent=True):
        change = step.after - step.before
        if abs(change) < bounds.least(measure) or abs(change) < bounds.percent / 100 * abs(step.before):
            continue
        word = Word.REGRESSION if change * measure.worse > 0 else Word.IMPROVEMENT
        place = places[step.index]
        point = points[place]
        told.append(
            NightStep(measure, place, point.run, point.at, step.before, step.after, step.p_value, word)
        )
    return tuple(told)
