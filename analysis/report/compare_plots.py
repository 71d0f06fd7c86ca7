"""Plots of a comparison: every change with its interval, and the two distributions of send latency."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from analysis.history.comparison import Change, Word
from analysis.latency import NS_PER_MS, Latencies
from analysis.report.drawing import COLOUR, style, to_svg, whole_ticks
from analysis.report.plots import NARROW, WIDE, Plot, Size

COLOUR_OF = {
    Word.REGRESSION: COLOUR["bad"],
    Word.IMPROVEMENT: COLOUR["avg"],
    Word.NOISE: COLOUR["other"],
    Word.SMALL: COLOUR["other"],
}
ROW_IN = 0.34
BINS = 90
LINEAR_PERCENT = 20.0  # up to here the axis is linear, beyond it logarithmic: one wild figure hides no other


def changes(found: Sequence[Change], percent: float) -> Plot | None:
    """Each change in per cent with its interval; None when no change has one.

    Args:
        percent: from which change on one matters; drawn as a band.
    """
    drawn = [change for change in found if change.percent_ci95 is not None and change.word in COLOUR_OF]
    return _in_both("changes", lambda size: _changes(drawn, percent, size)) if drawn else None


def distributions(a: Latencies, b: Latencies) -> Plot:
    """How the judged send latencies of both runs are distributed, one over the other."""
    return _in_both("distributions", lambda size: _distributions(a, b, size))


def _in_both(name: str, draw: Callable[[Size], Figure]) -> Plot:
    with style():
        return Plot(*(to_svg(draw(size), f"{name}-{size.name}") for size in (WIDE, NARROW)))


def _changes(drawn: Sequence[Change], percent: float, size: Size) -> Figure:
    height = 0.55 + ROW_IN * len(drawn)
    figure = size.figure(height)
    axes = size.axes(figure, top=height - 0.08, bottom=0.45)
    axes.axvspan(-percent, percent, color=COLOUR["shade"], linewidth=0, zorder=0)
    axes.axvline(0, color=COLOUR["muted"], linewidth=0.8)
    ends = [percent]
    for row, change in enumerate(drawn):
        assert change.percent is not None
        assert change.percent_ci95 is not None
        low, high = change.percent_ci95
        ends += [abs(low), abs(high)]
        colour = COLOUR_OF[change.word]
        axes.plot([low, high], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([change.percent], [row], "o", color=colour, markersize=5.5)
        axes.annotate(
            change.measure.title,
            (0, row),
            xycoords=("axes fraction", "data"),
            xytext=(2, 5),
            textcoords="offset points",
            fontsize=7.5,
            color=COLOUR["muted"],
            va="bottom",
        )
    axes.set_xscale("symlog", linthresh=LINEAR_PERCENT)
    axes.set_xlim(-1.25 * max(ends), 1.25 * max(ends))
    axes.set_ylim(len(drawn) - 0.4, -0.75)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    steps = (5, 10, 20, 50, 100, 200, 500, 1000, 10_000, 100_000)
    wanted = [step for step in steps if step <= 1.25 * max(ends)]
    wanted = wanted if size is WIDE else wanted[-3:]
    axes.set_xticks([*(-step for step in reversed(wanted)), 0, *wanted])
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+,.0f}%" if value else "0"))
    axes.tick_params(length=0)
    return figure


def _distributions(a: Latencies, b: Latencies, size: Size) -> Figure:
    figure = size.figure(2.9)
    axes = size.axes(figure, top=2.6, bottom=0.5)
    both_ms = [np.maximum(one.after_warmup() / NS_PER_MS, 0.001) for one in (a, b)]
    low, high = min(float(one.min()) for one in both_ms), max(float(one.max()) for one in both_ms)
    edges = np.logspace(np.log10(low), np.log10(max(high, low * 1.01)), BINS + 1)
    edges[0], edges[-1] = min(edges[0], low), max(edges[-1], high)
    looks: tuple[tuple[str, str, Any], ...] = (("A", "p50", True), ("B", "p95", False))
    for values_ms, (name, role, filled) in zip(both_ms, looks, strict=True):
        counts, _ = np.histogram(values_ms, edges)
        share = 100 * counts / len(values_ms)
        axes.stairs(
            share,
            edges,
            fill=filled,
            color=COLOUR[role],
            alpha=0.6 if filled else 1,
            linewidth=1.5,
            label=name,
        )
        p95 = float(np.sort(values_ms)[max(1, -(-len(values_ms) * 95 // 100)) - 1])
        axes.axvline(p95, color=COLOUR[role], linewidth=1, linestyle=(0, (5, 3)), label=f"P95 of {name}")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("milliseconds, logarithmic", fontsize=8.5)
    axes.yaxis.set_major_locator(whole_ticks(4))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    axes.set_ylim(bottom=0)
    axes.tick_params(length=0, which="both")
    axes.grid(visible=False, axis="x")
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="upper left",
        ncols=4,
        bbox_to_anchor=(size.left / size.width, 1),
    )
    return figure
