"""The server's side on the page: a plot for each of its figures, on the common axis; the statements; who waited for whom."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure as Drawing
from matplotlib.ticker import FuncFormatter

from analysis.report import meaning, numbers
from analysis.report.drawing import COLOUR, elapsed, whole_ticks
from analysis.report.figures import Figure, Table, Titled
from analysis.report.plots import WIDE, Size, in_both, legend, over_time
from analysis.server import LINES_MOST, Panel, Server
from analysis.timeline import Timeline
from analysis.visible import visible

LINES = ("ok", "p95", "other", "max")  # roles of colour, in the order of a panel's lines
AXES_INCHES = 0.72
BELOW_INCHES, ABOVE_INCHES = 0.25, 0.1
LEGEND_INCHES = 0.2


def figures(server: Server, timeline: Timeline) -> list[Figure]:
    """A figure for each panel, one below the other; the words at the marks stand in the first."""
    return [
        Figure(
            title=panel.title + (f", {panel.unit}" if panel.unit else ""),
            plot=in_both(f"server-{number}", partial(_draw, panel, server, timeline, labelled=number == 0)),
            alt=f"{panel.title} over time: {numbers.listed([visible(label) for label in panel.lines])}.",
            caption=meaning.PANELS[panel.title],
            tables=(Titled(panel.title, "", _table(panel, timeline)),),
        )
        for number, panel in enumerate(server.panels)
    ]


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
                "The server has put parameters in place of the values. Share of time: of all statements together. Rows: that "
                "they gave or changed. Blocks read: pieces of 8 KiB that were not in the server's cache. From pg_stat_statements.",
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
                    words=("Statement",),
                ),
            )
        )
    if server.waits:
        found.append(
            Titled(
                "Who waited for whom",
                "Sessions, which are connections to the database, that the monitor saw waiting for a lock: what begins and ends "
                "between two of its looks goes unseen. Looks: at how many somebody waited so. Longest: that was seen. "
                "First seen: since the first send. Literals, which are the values in a statement, are left out.",
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
                    words=("Waiting", "For", "Lock"),
                ),
            )
        )
    return found


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


def _draw(panel: Panel, server: Server, timeline: Timeline, size: Size, *, labelled: bool) -> Drawing:
    named = len(panel.lines) if len(panel.lines) > 1 else 0
    columns = LINES_MOST if size is WIDE else 2
    height = BELOW_INCHES + AXES_INCHES + ABOVE_INCHES + LEGEND_INCHES * -(-named // columns)
    drawing = size.figure(height)
    axes = size.axes(drawing, top=BELOW_INCHES + AXES_INCHES, bottom=BELOW_INCHES)
    over_time(axes, timeline, size, labelled=labelled)
    for (label, line), role in zip(panel.lines.items(), LINES, strict=False):
        at_s = line.fine.index.to_numpy(np.float64) + server.width_s / 2
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
