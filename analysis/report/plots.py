"""What the plots of a report have in common: their two sizes, and for those over time one axis with its marks.

A plot draws what `analysis.timeline` computed and computes nothing itself. All plots over time share one axis and one pair
of margins, so that a moment lies at the same place in each of them, and mark the same things: the warm-up, the phases and
levels of the load, restarts of PostgreSQL, steps of latency and findings.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.report.drawing import COLOUR, style, time_ticks, to_svg
from analysis.series import Floats
from analysis.timeline import Timeline

STROKES = 400  # that can be told apart on a time axis
BANDS = 200
LETTER_INCHES = 0.058  # about the width of a letter of a mark's words
ROW_POINTS = 9  # from one row of words to the next


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a drawing, in inches at 72 points each; margins are the same for all plots over time."""

    name: str
    width: float
    left: float
    right: float
    ticks: int

    def figure(self, height: float) -> Figure:
        """An empty figure of this width."""
        return Figure(figsize=(self.width, height))

    def axes(self, figure: Figure, *, top: float, bottom: float, share: Any = None) -> Any:
        """Axes between `top` and `bottom`, in inches from the figure's lower edge."""
        height = figure.get_figheight()
        box = (
            self.left / self.width,
            bottom / height,
            1 - (self.left + self.right) / self.width,
            (top - bottom) / height,
        )
        return figure.add_axes(box, sharex=share)


WIDE = Size("wide", width=9.6, left=0.62, right=0.75, ticks=10)
NARROW = Size("narrow", width=4.5, left=0.5, right=0.55, ticks=5)


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot in its two sizes, as SVG elements."""

    wide: str
    narrow: str


def in_both(name: str, draw: Callable[[Size], Figure]) -> Plot:
    """The plot `name`, drawn for a desk and for a phone."""
    with style():
        return Plot(*(to_svg(draw(size), f"{name}-{size.name}") for size in (WIDE, NARROW)))


def over_time(
    axes: Any, timeline: Timeline, size: Size, *, labelled: bool = True, findings: bool = True
) -> None:
    """The run's time axis with all its marks.

    Args:
        labelled: with words at the marks; of several plots that stand together one has them.
        findings: with a stroke on the axis wherever something was found.
    """
    axes.set_xlim(timeline.begin_s, timeline.end_s)
    time_ticks(axes, timeline.end_s - timeline.begin_s, size.ticks)
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="x")
    words = _Words(axes, timeline, size) if labelled else None
    if timeline.warmup_s > 0:
        axes.axvspan(timeline.begin_s, timeline.warmup_s, color=COLOUR["shade"], linewidth=0, zorder=0)
    _mark_restarts(axes, timeline, words)
    for name, begin_s in (*timeline.phases, *timeline.load_changes):
        if name != "load" and timeline.begin_s < begin_s < timeline.end_s:
            axes.axvline(begin_s, color=COLOUR["muted"], linewidth=0.8, linestyle=(0, (1, 2)))
            if words:
                words.beside(name, begin_s, row=0)
    for step in timeline.steps:
        axes.axvline(step.at_s, color=COLOUR["step"], linewidth=1)
        if words:
            words.beside("step", step.at_s, row=1)
    if findings:
        seen_s = np.concatenate([np.empty(0), *(seen.at_s for seen in timeline.occurrences.values())])
        strokes(axes, thinned(seen_s, timeline), 0, 9 / 72)


def strokes(axes: Any, at_s: Floats, middle: float, inches: float) -> None:
    """Short upright strokes around `middle`, a share of the axes' height."""
    half = inches / 2 / (axes.get_position().height * axes.figure.get_figheight())
    if len(at_s):
        nothing = np.full(len(at_s), np.nan)
        axes.plot(
            np.column_stack([at_s, at_s, nothing]).ravel(),
            np.tile([middle - half, middle + half, np.nan], len(at_s)),
            transform=axes.get_xaxis_transform(),
            color=COLOUR["bad"],
            linewidth=1.2,
            clip_on=False,
            solid_capstyle="butt",
        )


def thinned(at_s: Floats, timeline: Timeline) -> Floats:
    """The first of those times whose strokes would cover one another."""
    ordered = np.sort(at_s)
    width_s = (timeline.end_s - timeline.begin_s) / STROKES
    _, first = np.unique(ordered // width_s, return_index=True)
    return ordered[first]


def legend(figure: Figure, axes: Any, columns: int = 6) -> None:
    """The names of the lines in `axes` above them, in so many columns at most, the line drawn last first."""
    handles, labels = axes.get_legend_handles_labels()
    height = figure.get_figheight()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        ncols=max(1, min(len(labels), columns)),
        bbox_to_anchor=(axes.get_position().x0, 1 - 0.04 / height),
        columnspacing=1.0,
        handletextpad=0.5,
    )


def _mark_restarts(axes: Any, timeline: Timeline, words: "_Words | None") -> None:
    span_s = timeline.end_s - timeline.begin_s
    for number, (before_s, after_s) in enumerate(_together(timeline.restarts, span_s / BANDS)):
        axes.axvspan(before_s, after_s, color=COLOUR["bad"], alpha=0.15, linewidth=0, zorder=0)
        if words and number == 0:
            words.beside("PostgreSQL restarted", before_s, row=2, until_s=after_s)


def _together(bands: Iterable[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    """Bands with those put together between which nobody would see a gap."""
    joined: list[tuple[float, float]] = []
    for begin_s, end_s in sorted(bands):
        if joined and begin_s - joined[-1][1] < gap_s:
            joined[-1] = (joined[-1][0], max(end_s, joined[-1][1]))
        else:
            joined.append((begin_s, end_s))
    return joined


class _Words:
    """Words beside moments in rows from the top; those that would cover others of their row are left out."""

    def __init__(self, axes: Any, timeline: Timeline, size: Size) -> None:
        self._axes = axes
        self._begin_s, self._end_s = timeline.begin_s, timeline.end_s
        inches = size.width - size.left - size.right
        self._letter_s = LETTER_INCHES / inches * (timeline.end_s - timeline.begin_s)
        self._taken: list[tuple[int, float, float]] = []  # row, from, to

    def beside(self, label: str, at_s: float, *, row: int, until_s: float | None = None) -> None:
        """Some words on the left of a moment, or where there is no room on the right of it, or of `until_s` if they fit there."""
        long_s = self._letter_s * (len(label) + 1)
        left = at_s - long_s >= self._begin_s
        after_s = at_s if until_s is None or until_s + long_s > self._end_s else until_s
        begin_s = at_s - long_s if left else after_s
        end_s = begin_s + long_s
        if any(row == one and begin_s < end and begin < end_s for one, begin, end in self._taken):
            return
        self._taken.append((row, begin_s, end_s))
        self._axes.annotate(
            f"{label} " if left else f" {label}",
            (at_s if left else after_s, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, -ROW_POINTS * row),
            textcoords="offset points",
            ha="right" if left else "left",
            va="top",
            fontsize=7.5,
            color=COLOUR["muted"],
            bbox={"facecolor": COLOUR["face"], "edgecolor": "none", "alpha": 0.75, "pad": 0.3},
        )
