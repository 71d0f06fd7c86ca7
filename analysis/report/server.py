"""The server's side on the page: small plots on the common axis, the statements, and who waited for whom."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter

from analysis.report import numbers, plots
from analysis.report.drawing import COLOUR, elapsed, time_ticks, whole_ticks
from analysis.report.figures import Figure, Table, Titled
from analysis.report.visible import visible
from analysis.server import Panel, Server
from analysis.timeline import Timeline

LINES = ("ok", "p95", "other", "max")  # roles of colour, in the order of a panel's lines
ROW_INCHES = 1.6
BELOW_INCHES, ABOVE_INCHES = 0.25, 0.5


def figure(server: Server, timeline: Timeline) -> Figure:
    """All panels as one figure, with its table."""
    still = f" At zero all the time: {', '.join(server.still)}." if server.still else ""
    return Figure(
        "The database server",
        plots.in_both("gauges", lambda size: draw(server.panels, timeline, size)),
        f"{len(server.panels)} small plots of the database server's own figures over time.",
        "The highest value in every bucket. Counters are shown as rates, or since the start of the run."
        + still,
        _table(server),
    )


def tables(server: Server) -> list[Titled]:
    """The tables that have rows."""
    found = []
    if server.statements:
        reset = (
            "Their counters were reset meanwhile, so that the figures are too low. "
            if server.statements_reset
            else ""
        )
        found.append(
            Titled(
                "Statements that took the most time",
                f"{reset}Between the monitor's first look and its last, all users of the database together, the monitor too. "
                "The server has put parameters in place of the values.",
                Table(
                    ("Statement", "Calls", "Total ms", "Mean ms", "Share of time", "Rows", "Blocks read"),
                    [
                        (
                            " ".join(one.query.split())[:500],
                            numbers.number(one.calls),
                            numbers.number(one.total_ms),
                            numbers.number(one.mean_ms),
                            f"{one.share:.1%}",
                            numbers.number(one.rows),
                            numbers.number(one.blocks_read),
                        )
                        for one in server.statements
                    ],
                ),
            )
        )
    if server.waits:
        found.append(
            Titled(
                "Who waited for whom",
                "Sessions that the monitor saw waiting for a lock, once a look: shorter waits go unseen. Literals are left out.",
                Table(
                    ("Waiting", "For", "Lock", "Looks", "Sessions", "Longest ms", "First seen"),
                    [
                        (
                            one.waiting,
                            one.blocking,
                            one.lock,
                            numbers.number(one.looks),
                            numbers.number(one.sessions),
                            numbers.number(one.longest_ms),
                            elapsed(one.first_s),
                        )
                        for one in server.waits
                    ],
                ),
            )
        )
    return found


def _table(server: Server) -> Table:
    rows = [
        (
            f"{panel.title}: {label}" + (f", {panel.unit}" if panel.unit else ""),
            *(numbers.number(float(value)) for value in (line.iloc[0], line.max(), line.iloc[-1])),
        )
        for panel in server.panels
        for label, line in panel.lines.items()
    ]
    return Table(("Figure", "First", "Highest", "Last"), rows)


def draw(panels: Sequence[Panel], timeline: Timeline, size: plots.Size) -> Drawing:
    """Small plots, one for each panel, side by side."""
    rows = -(-len(panels) // size.columns)
    height = rows * ROW_INCHES
    drawing = size.figure(height)
    width = (size.width - 0.1) / size.columns
    for number, panel in enumerate(panels):
        row, column = divmod(number, size.columns)
        box = (
            (column * width + 0.55) / size.width,
            (height - (row + 1) * ROW_INCHES + BELOW_INCHES) / height,
            (width - 0.75) / size.width,
            (ROW_INCHES - BELOW_INCHES - ABOVE_INCHES) / height,
        )
        _draw_panel(drawing.add_axes(box), panel, timeline)
    return drawing


def _draw_panel(axes: Any, panel: Panel, timeline: Timeline) -> None:
    axes.set_xlim(timeline.begin_s, timeline.end_s)
    time_ticks(axes, timeline.end_s - timeline.begin_s, 3)
    axes.tick_params(length=0, labelsize=7.5)
    axes.grid(visible=False, axis="x")
    for (label, line), role in zip(panel.lines.items(), LINES, strict=False):
        at_s = line.index.to_numpy(np.float64) + timeline.width_s / 2
        dots = "." if len(line) < 3 else ""
        axes.plot(
            at_s, line.to_numpy(), color=COLOUR[role], marker=dots, linewidth=1.1, label=_shortened(label)
        )
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(whole_ticks(3))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    title = panel.title + (f", {panel.unit}" if panel.unit else "")
    several = len(panel.lines) > 1
    axes.set_title(title, loc="left", fontsize=8.5, color=COLOUR["ink"], pad=22 if several else 4)
    if several:
        axes.legend(
            loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, fontsize=6.5, handlelength=1, labelspacing=0.2,
            columnspacing=0.8, handletextpad=0.3,
        )  # fmt: skip


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
