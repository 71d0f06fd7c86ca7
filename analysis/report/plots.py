"""The plots of a report, each drawn wide for a desk and narrow for a phone.

A plot draws what `analysis.timeline` computed and computes nothing itself. All plots over time share one
axis and one pair of margins, so that a moment lies at the same place in each of them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.latency import Targets
from analysis.report.drawing import COLOUR, style, time_ticks, to_svg, whole_ticks
from analysis.series import Histogram
from analysis.timeline import Timeline

STROKES = 600  # that can be told apart on a time axis
MARKED = 2000  # occurrences drawn for each criterion; a row of dots is full long before


@dataclass(frozen=True, slots=True)
class Size:
    """The shape of a drawing, in inches at 72 points each; margins are the same for all plots over time."""

    name: str
    width: float
    left: float
    right: float
    ticks: int
    columns: int  # of small multiples

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


WIDE = Size("wide", width=9.6, left=0.62, right=0.75, ticks=10, columns=3)
NARROW = Size("narrow", width=4.5, left=0.5, right=0.55, ticks=5, columns=1)

LINES = (("max_ms", "max", 0.7), ("p99_ms", "p99", 1.1), ("p95_ms", "p95", 1.8), ("p50_ms", "p50", 1.1))
LABELS = {"max_ms": "Max", "p99_ms": "P99", "p95_ms": "P95", "p50_ms": "P50", "avg_ms": "Average"}


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot in its two sizes, as SVG elements."""

    wide: str
    narrow: str


def send_latency(timeline: Timeline, targets: Targets) -> Plot:
    """Send latency over time against both targets."""
    lines = [("avg", targets.send_avg_ms, "avg"), ("P95", targets.send_p95_ms, "p95")]
    return in_both("latency", lambda size: _latency(timeline, timeline.sends, lines, size))


def delivery_latency(timeline: Timeline, targets: Targets) -> Plot:
    """Delivery latency over time against its target."""
    lines = [("P95", targets.delivery_p95_ms, "p95")]
    return in_both("delivery", lambda size: _latency(timeline, timeline.deliveries, lines, size))


def distribution(timeline: Timeline, targets: Targets) -> Plot:
    """How send and delivery latencies are distributed, on one logarithmic axis."""
    return in_both("distribution", lambda size: _distribution(timeline, targets, size))


def throughput(timeline: Timeline) -> Plot:
    """Sends and deliveries a second, and users."""
    return in_both("throughput", lambda size: _throughput(timeline, size))


def findings(timeline: Timeline) -> Plot:
    """When faults were seen, a row for each criterion, above the monitor's polls."""
    return in_both("findings", lambda size: _findings(timeline, size))


def in_both(name: str, draw: Callable[[Size], Figure]) -> Plot:
    """The plot `name`, drawn for a desk and for a phone."""
    with style():
        return Plot(*(to_svg(draw(size), f"{name}-{size.name}") for size in (WIDE, NARROW)))


def _over_time(axes: Any, timeline: Timeline, size: Size, *, labelled: bool = True) -> None:
    axes.set_xlim(timeline.begin_s, timeline.end_s)
    time_ticks(axes, timeline.end_s - timeline.begin_s, size.ticks)
    axes.tick_params(length=0)
    axes.grid(visible=False, axis="x")
    if timeline.warmup_s > 0:
        axes.axvspan(timeline.begin_s, timeline.warmup_s, color=COLOUR["shade"], linewidth=0, zorder=0)
    for number, (before_s, after_s) in enumerate(timeline.restarts):
        axes.axvspan(before_s, after_s, color=COLOUR["bad"], alpha=0.15, linewidth=0, zorder=0)
        if labelled and number == 0:
            early = before_s - timeline.begin_s < 0.3 * (timeline.end_s - timeline.begin_s)
            _beside(axes, "PostgreSQL restarted", after_s if early else before_s, left=not early, height=0.05)
    for name, begin_s in timeline.phases:
        if name != "load" and timeline.begin_s < begin_s < timeline.end_s:
            axes.axvline(begin_s, color=COLOUR["muted"], linewidth=0.8, linestyle=(0, (1, 2)))
            if labelled:
                _beside(axes, name, begin_s, left=True, height=1)


def _beside(axes: Any, label: str, at_s: float, *, left: bool, height: float) -> None:
    """Some words on the left or on the right of a moment, at a share of the axes' height."""
    axes.annotate(
        f"{label} " if left else f" {label}",
        (at_s, height),
        xycoords=("data", "axes fraction"),
        ha="right" if left else "left",
        va="top" if height > 0.5 else "bottom",
        fontsize=7.5,
        color=COLOUR["muted"],
    )


def _latency(
    timeline: Timeline, series: pd.DataFrame, targets: list[tuple[str, float, str]], size: Size
) -> Figure:
    figure = size.figure(3.3)
    axes = size.axes(figure, top=2.9, bottom=0.35)
    _over_time(axes, timeline, size)
    at_s = series.index.to_numpy(np.float64) + timeline.width_s / 2
    for column, role, width in (*LINES, ("avg_ms", "avg", 1.8)):
        dots = "." if len(series) < 3 else ""
        axes.plot(
            at_s, series[column], color=COLOUR[role], linewidth=width, marker=dots, label=LABELS[column]
        )
    for name, target_ms, role in targets:
        axes.axhline(target_ms, color=COLOUR[role], linewidth=1, linestyle=(0, (5, 3)))
        axes.annotate(
            f"{name} {target_ms:g}" if size is WIDE else f"{target_ms:g}",
            (1.005, target_ms),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=8,
            color=COLOUR[role],
            annotation_clip=False,
        )
    values = np.concatenate([series[column].to_numpy() for column in ("p50_ms", "max_ms")])
    bounds = [*values[values > 0], *(target for _, target, _ in targets)]
    axes.set_yscale("log")
    axes.set_ylim(min(bounds) / 1.4, max(bounds) * 1.5)
    _milliseconds(axes.yaxis)
    _mark_findings(axes, timeline)
    _legend(figure, axes)
    return figure


def _mark_findings(axes: Any, timeline: Timeline) -> None:
    """A stroke on the time axis wherever something was found."""
    seen_s = np.array(sorted(one.at_s for one in timeline.occurrences))
    width_s = (timeline.end_s - timeline.begin_s) / STROKES
    _, first = np.unique(seen_s // width_s, return_index=True)  # of strokes that would cover one another, one
    if len(first):
        axes.plot(
            seen_s[first],
            np.zeros(len(first)),
            "|",
            transform=axes.get_xaxis_transform(),
            color=COLOUR["bad"],
            markersize=9,
            markeredgewidth=1.2,
            clip_on=False,
            label="Finding",
        )


def _distribution(timeline: Timeline, targets: Targets, size: Size) -> Figure:
    figure = size.figure(3.6)
    upper = size.axes(figure, top=3.3, bottom=2.05)
    lower = size.axes(figure, top=1.7, bottom=0.45, share=upper)
    rows = [
        (
            upper,
            timeline.send_histogram,
            "Send",
            [("avg", targets.send_avg_ms), ("p95", targets.send_p95_ms)],
        ),
        (lower, timeline.delivery_histogram, "Delivery", [("p95", targets.delivery_p95_ms)]),
    ]
    upper.set_xscale("log")
    edges: list[float] = []
    for axes, counted, title, lines in rows:
        axes.set_title(title, loc="left", fontsize=9, color=COLOUR["ink"], pad=4)
        axes.grid(visible=False, axis="x")
        axes.tick_params(length=0)
        if counted is not None:
            _bars(axes, counted)
            edges += [counted.edges_ms[0], counted.edges_ms[-1]]
        for role, target_ms in lines:
            edges.append(target_ms)
            axes.axvline(target_ms, color=COLOUR[role], linewidth=1, linestyle=(0, (5, 3)))
            axes.annotate(
                f" {role if role == 'avg' else 'P95'} < {target_ms:g} ms",
                (target_ms, 1),
                xycoords=("data", "axes fraction"),
                rotation=90,
                ha="right",
                va="top",
                fontsize=7.5,
                color=COLOUR[role],
            )
        axes.yaxis.set_major_locator(whole_ticks(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    upper.set_xlim(min(edges) / 1.2, max(edges) * 1.3)
    _milliseconds(upper.xaxis)
    upper.tick_params(labelbottom=False)
    lower.set_xlabel("milliseconds, logarithmic", fontsize=8.5)
    return figure


def _bars(axes: Any, counted: Histogram) -> None:
    axes.stairs(counted.counts, counted.edges_ms, fill=True, color=COLOUR["ok"], alpha=0.75, linewidth=0)
    axes.set_ylim(0, max(1.0, float(counted.counts.max()) * 1.08))


def _throughput(timeline: Timeline, size: Size) -> Figure:
    figure = size.figure(3.6)
    upper = size.axes(figure, top=3.2, bottom=1.55)
    lower = size.axes(figure, top=1.15, bottom=0.35, share=upper)
    for axes in (upper, lower):
        _over_time(axes, timeline, size, labelled=axes is upper)
        axes.yaxis.set_major_locator(whole_ticks(4))
    rates = timeline.rates
    at_s = rates.index.to_numpy(np.float64)
    for column, role, label in (
        ("delivered", "other", "Delivered/s"),
        ("ok", "ok", "Acknowledged/s"),
        ("not_ok", "bad", "Not acknowledged/s"),
    ):
        upper.step(at_s, rates[column], where="post", color=COLOUR[role], label=label)
    upper.set_ylim(bottom=0)
    upper.tick_params(labelbottom=False)
    users = timeline.users
    lower.fill_between(
        users.index.to_numpy(np.float64),
        users["users"].to_numpy(np.float64),
        step="post",
        color=COLOUR["p50"],
        alpha=0.35,
        linewidth=0,
    )
    lower.set_ylim(bottom=0)
    lower.set_title("Users", loc="left", fontsize=9, color=COLOUR["ink"], pad=4)
    _legend(figure, upper)
    return figure


def _findings(timeline: Timeline, size: Size) -> Figure:
    rows = list(dict.fromkeys(occurrence.criterion_id for occurrence in timeline.occurrences))
    polls_height = 0.75
    height = 0.35 + polls_height + 0.5 + 0.36 * max(1, len(rows)) + 0.1
    figure = size.figure(height)
    lower = size.axes(figure, top=0.35 + polls_height, bottom=0.35)
    upper = size.axes(figure, top=height - 0.1, bottom=0.35 + polls_height + 0.5, share=lower)
    _over_time(upper, timeline, size, labelled=False)
    _over_time(lower, timeline, size, labelled=False)
    for number, criterion_id in enumerate(rows):
        seen_s = [one.at_s for one in timeline.occurrences if one.criterion_id == criterion_id][:MARKED]
        upper.plot(
            seen_s, [number] * len(seen_s), "|", color=COLOUR["bad"], markersize=8, markeredgewidth=1.4
        )
        upper.annotate(
            criterion_id,
            (0.005, number - 0.42),
            xycoords=("axes fraction", "data"),
            fontsize=8,
            va="center",
            color=COLOUR["ink"],
        )
    if not rows:
        upper.annotate(
            "No finding with a time",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
            va="center",
            fontsize=9,
            color=COLOUR["muted"],
        )
    upper.set_ylim(max(1, len(rows)) - 0.6, -0.8)
    upper.set_yticks([])
    upper.tick_params(labelbottom=False)

    polls = timeline.polls
    at_s = polls.index.to_numpy(np.float64) + timeline.width_s / 2
    # where no poll was answered the line breaks
    lower.plot(at_s, polls["duration_ms"], color=COLOUR["other"], marker="." if len(polls) < 3 else "")
    failed = polls.index[polls["failed"] > 0].to_numpy(np.float64)
    lower.plot(failed, [0] * len(failed), "x", color=COLOUR["bad"], clip_on=False)
    lower.set_ylim(bottom=0)
    lower.yaxis.set_major_locator(whole_ticks(3))
    lower.set_title("Monitor's looks at the database, ms", loc="left", fontsize=9, color=COLOUR["ink"], pad=4)
    return figure


def _legend(figure: Figure, axes: Any) -> None:
    handles, labels = axes.get_legend_handles_labels()
    if labels and labels[-1] == "Finding":  # last in the legend, which tells the others the other way round
        handles, labels = [handles[-1], *handles[:-1]], [labels[-1], *labels[:-1]]
    height = figure.get_figheight()
    figure.legend(
        handles[::-1],
        labels[::-1],
        loc="upper left",
        ncols=len(labels),
        bbox_to_anchor=(axes.get_position().x0, 1 - 0.04 / height),
        columnspacing=1.0,
        handletextpad=0.5,
    )


def _milliseconds(axis: Any) -> None:
    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(LogLocator(base=10, subs=(), numticks=12))
