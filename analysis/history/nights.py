"""A history of comparable runs: the course of each figure, and the steps in it. No input or output here.

Runs are put together by their load, target and duration. Each figure of a group is searched for steps; over all figures of
a group together, a stationary history raises a false alarm in at most one of twenty cases (each figure gets its part of it,
Bonferroni). A step that is too small to matter is not told.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from analysis.history.comparison import Bounds, Word
from analysis.history.figures import MEASURES, Figure, Measure, figures
from analysis.history.likeness import group_of, in_words
from analysis.history.runs import KnownRun
from analysis.history.stored import StoredVerdict, began
from analysis.statistics.steps import find_steps

FALSE_ALARM = 0.05  # for all figures of a group together


@dataclass(frozen=True, slots=True)
class Point:
    """A figure on one night."""

    run: str
    at: datetime | None
    figure: Figure


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


@dataclass(frozen=True, slots=True)
class Group:
    """Comparable runs, the oldest first."""

    title: str
    runs: tuple[str, ...]
    courses: tuple[Course, ...]

    @property
    def steps(self) -> list[NightStep]:
        """The steps of all figures, the newest first."""
        found = [step for course in self.courses for step in course.steps]
        return sorted(found, key=lambda step: step.run, reverse=True)


def groups(runs: Iterable[KnownRun], bounds: Bounds) -> list[Group]:
    """The histories in `runs`, the one with the newest run first. Runs that were cut off, or say nothing of their load, are left out."""
    together: dict[tuple[tuple[str, str], ...], list[tuple[str, StoredVerdict]]] = {}
    for run in runs:
        if run.verdict is None or run.verdict.ended_at is None:
            continue
        key = group_of(run.verdict)
        if key is not None:
            together.setdefault(key, []).append((run.name, run.verdict))
    ordered = [sorted(found, key=lambda one: (began(one[1]), one[0])) for found in together.values()]
    ordered.sort(key=lambda found: began(found[-1][1]), reverse=True)
    return [_group(found, bounds) for found in ordered]


def _group(found: Sequence[tuple[str, StoredVerdict]], bounds: Bounds) -> Group:
    of_runs = [(name, verdict.started_at, figures(verdict)) for name, verdict in found]
    measures = [measure for measure in MEASURES if any(measure.id in own for _, _, own in of_runs)]
    courses = []
    for measure in measures:
        points = tuple(Point(name, at, own[measure.id]) for name, at, own in of_runs if measure.id in own)
        courses.append(Course(measure, points, _steps(measure, points, bounds, FALSE_ALARM / len(measures))))
    return Group(in_words(found[-1][1]), tuple(name for name, _ in found), tuple(courses))


def _steps(
    measure: Measure, points: Sequence[Point], bounds: Bounds, false_alarm: float
) -> tuple[NightStep, ...]:
    values = np.array([point.figure.value for point in points])
    told = []
    for step in find_steps(values, false_alarm=false_alarm):
        change = step.after - step.before
        if abs(change) < bounds.least(measure) or abs(change) < bounds.percent / 100 * abs(step.before):
            continue
        word = Word.REGRESSION if change * measure.worse > 0 else Word.IMPROVEMENT
        point = points[step.index]
        told.append(
            NightStep(measure, step.index, point.run, point.at, step.before, step.after, step.p_value, word)
        )
    return tuple(told)
