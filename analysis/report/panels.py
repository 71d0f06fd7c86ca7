"""Small plots on the common axis, one below the other, each with its table: of the database server, and of the load processes."""

from collections.abc import Sequence
from functools import partial

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter

from analysis.panels import LINES_MOST, Panel
from analysis.report import meaning, numbers
from analysis.report.drawing import COLOUR, elapsed, whole_ticks
from analysis.report.figures import Figure, Table, Titled
from analysis.report.plots import WIDE, Size, in_both, legend, over_time
from analysis.timeline import Timeline
from analysis.visible import visible

LINES = ("ok", "p95", "other", "max")  # roles of colour, in the order of a panel's lines
AXES_INCHES = 0.72
BELOW_INCHES, ABOVE_INCHES = 0.25, 0.1
LEGEND_INCHES = 0.2


def figures(name: str, panels: Sequence[Panel], width_s: int, timeline: Timeline) -> list[Figure]:
    """A figure for each panel, one below the other; the words at the marks stand in the first.

    Args:
        name: of the whole, apart from others on the page.
        width_s: of the panels' buckets to draw.
    """
    return [
        Figure(
            title=panel.title + (f", {panel.unit}" if panel.unit else ""),
            plot=in_both(f"{name}-{number}", partial(_draw, panel, width_s, timeline, labelled=number == 0)),
            alt=f"{panel.title} over time: {numbers.listed([visible(label) for label in panel.lines])}.",
            caption=meaning.PANELS[panel.title],
            tables=(Titled(panel.title, "", _table(panel, timeline)),),
        )
        for number, panel in enumerate(panels)
    ]


def _table(panel: Panel, timeline: Timeline) -> Table:
    """The lowest and the highest value of each line in few buckets."""
    at_s = sorted({one for line in panel.lines.values() for one in line.coarse.index.tolist()})
    unit = f", {panel.unit}" if panel.unit else ""

    def cell(label: str, one: int) -> str:
        coarse = panel.lines[label].coarse
        return numbers.span(*coarse.loc[one, ["low", "high"]]) if one in coarse.index else "–"

    return Table(
        (f"From (+{elapsed(timeline.coarse_s)})", *(f"{label}{unit}" for label in panel.lines)),
        [(elapsed(one), *(cell(label, one) for label in panel.lines)) for one in at_s],
    )


def _draw(panel: Panel, width_s: int, timeline: Timeline, size: Size, *, labelled: bool) -> Drawing:
    named = len(panel.lines) if len(panel.lines) > 1 else 0
    columns = LINES_MOST if size is WIDE else 2
    height = BELOW_INCHES + AXES_INCHES + ABOVE_INCHES + LEGEND_INCHES * -(-named // columns)
    drawing = size.figure(height)
    axes = size.axes(drawing, top=BELOW_INCHES + AXES_INCHES, bottom=BELOW_INCHES)
    over_time(axes, timeline, size, labelled=labelled)
    for (label, line), role in zip(panel.lines.items(), LINES, strict=False):
        at_s = line.fine.index.to_numpy(np.float64) + width_s / 2
        low, high = line.fine["low"].to_numpy(), line.fine["high"].to_numpy()
        if (low < high).any():
            axes.fill_between(at_s, low, high, color=COLOUR[role], alpha=0.3, linewidth=0)
        axes.plot(
            at_s,
            line.fine[panel.matters].to_numpy(),
            color=COLOUR[role],
            marker="." if len(at_s) < 3 else "",
            linewidth=1.1,
            label=_shortened(label),
        )
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(whole_ticks(3))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    if named:
        legend(drawing, axes, columns)
    return drawing


def _shortened(label: str) -> str:
    """A label as there is room for it; what has a meaning to the drawing library in front is put behind a space."""
    shown = visible(label)
    shown = shown if len(shown) <= 18 else f"{shown[:8]}…{shown[-8:]}"
    return f" {shown}" if shown.startswith("_") else shown


def _short(value: float, _: object = None) -> str:
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
