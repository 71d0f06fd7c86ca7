"""Plots of latency: over time against the targets, response beside service time, and how often each latency was."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from analysis.latency import Targets
from analysis.report.drawing import COLOUR, whole_ticks
from analysis.report.plots import WIDE, Plot, Size, in_both, legend, over_time
from analysis.series import Floats, Histogram, with_gaps
from analysis.timeline import Timeline

LINES = (("max_ms", "max", 0.7), ("p99_ms", "p99", 1.1), ("p95_ms", "p95", 1.8), ("p50_ms", "p50", 1.1))
LABELS = {"max_ms": "Max", "p99_ms": "P99", "p95_ms": "P95", "p50_ms": "P50", "avg_ms": "Average"}

Lines = list[tuple[str, float, str]]  # of targets: name, milliseconds, colour


def send_latency(timeline: Timeline, targets: Targets) -> Plot:
    """Send latency over time against both targets."""
    lines = [("avg", targets.send_avg_ms, "avg"), ("P95", targets.send_p95_ms, "p95")]
    return in_both("latency", lambda size: _latency(timeline, timeline.sends, lines, size))


def delivery_latency(timeline: Timeline, targets: Targets) -> Plot:
    """Delivery latency over time against its target."""
    lines = [("P95", targets.delivery_p95_ms, "p95")]
    return in_both("delivery", lambda size: _latency(timeline, timeline.deliveries, lines, size))


def response_and_service(timeline: Timeline, targets: Targets) -> Plot:
    """The P95 of response time and that of service time, against the target that they share."""
    return in_both("parting", lambda size: _parting(timeline, targets, size))


def distribution(timeline: Timeline, targets: Targets) -> Plot:
    """How send and delivery latencies are distributed, on one logarithmic axis."""
    return in_both("distribution", lambda size: _distribution(timeline, targets, size))


def _latency(timeline: Timeline, series: pd.DataFrame, targets: Lines, size: Size) -> Figure:
    figure = size.figure(3.3)
    axes = size.axes(figure, top=2.9, bottom=0.35)
    over_time(axes, timeline, size)
    series = with_gaps(series, timeline.width_s)
    at_s = series.index.to_numpy(np.float64) + timeline.width_s / 2
    alone = _alone(series["max_ms"].to_numpy(np.float64))
    for column, role, width in (*LINES, ("avg_ms", "avg", 1.8)):
        axes.plot(
            at_s,
            series[column],
            color=COLOUR[role],
            linewidth=width,
            marker="." if alone else "",
            markevery=alone,
            label=LABELS[column],
        )
    values = np.concatenate([series[column].to_numpy() for column in ("p50_ms", "max_ms")])
    _against(axes, values, targets, size)
    legend(figure, axes)
    return figure


def _parting(timeline: Timeline, targets: Targets, size: Size) -> Figure:
    figure = size.figure(2.7)
    axes = size.axes(figure, top=2.3, bottom=0.35)
    over_time(axes, timeline, size)
    both = [
        with_gaps(frame["p95_ms"].to_frame(), timeline.width_s)
        for frame in (timeline.sends, timeline.service)
    ]
    at_s = both[0].index.to_numpy(np.float64) + timeline.width_s / 2
    response, service = (frame["p95_ms"].to_numpy(np.float64) for frame in both)
    alone = _alone(response)
    axes.fill_between(at_s, service, response, color=COLOUR["p95"], alpha=0.2, linewidth=0)
    for label, values, role in (("Service time P95", service, "avg"), ("Response time P95", response, "p95")):
        axes.plot(
            at_s,
            values,
            color=COLOUR[role],
            linewidth=1.6,
            marker="." if alone else "",
            markevery=alone,
            label=label,
        )
    _against(axes, np.concatenate([response, service]), [("P95", targets.send_p95_ms, "p95")], size)
    legend(figure, axes)
    return figure


def _alone(values_ms: Floats) -> list[int]:
    """The places of values without a neighbour, of which a line shows nothing."""
    known = np.concatenate([[False], ~np.isnan(values_ms), [False]])
    found: list[int] = np.flatnonzero(known[1:-1] & ~known[:-2] & ~known[2:]).tolist()
    return found


def _against(axes: Any, values_ms: Floats, targets: Lines, size: Size) -> None:
    """A logarithmic scale that holds the values and the targets, which are drawn."""
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
    bounds = [*values_ms[values_ms > 0], *(target for _, target, _ in targets)]
    axes.set_yscale("log")
    axes.set_ylim(min(bounds) / 1.4, max(bounds) * 1.5)
    _milliseconds(axes.yaxis)


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


def _milliseconds(axis: Any) -> None:
    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0), numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(LogLocator(base=10, subs=(), numticks=12))
