"""Plots of the load and of what was found meanwhile: throughput, users, findings and the monitor's looks."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from analysis.report.drawing import COLOUR, whole_ticks
from analysis.report.plots import Plot, Size, in_both, legend, over_time, strokes, thinned
from analysis.series import Floats
from analysis.timeline import Timeline

ROW_INCHES = 0.36  # of a criterion's findings

RATES = (
    ("delivered", "other", "Delivered/s"),
    ("ok", "ok", "Acknowledged/s"),
    ("not_ok", "bad", "Not acknowledged/s"),
)


def throughput(timeline: Timeline) -> Plot:
    """Sends and deliveries a second, and users, each with its extremes."""
    return in_both("throughput", lambda size: _throughput(timeline, size))


def findings(timeline: Timeline) -> Plot:
    """When faults were seen, a row for each criterion, above the monitor's polls."""
    return in_both("findings", lambda size: _findings(timeline, size))


def _throughput(timeline: Timeline, size: Size) -> Figure:
    figure = size.figure(3.6)
    upper = size.axes(figure, top=3.2, bottom=1.55)
    lower = size.axes(figure, top=1.15, bottom=0.35, share=upper)
    for axes in (upper, lower):
        over_time(axes, timeline, size, labelled=axes is upper, findings=axes is upper)
        axes.yaxis.set_major_locator(whole_ticks(4))
    rates = timeline.rates
    # a step lasts until the next one begins: the last one needs an end
    at_s = np.append(rates.index.to_numpy(np.float64), rates.index[-1] + timeline.width_s)

    def steps(column: str) -> Floats:
        values = rates[column].to_numpy(np.float64)
        return np.append(values, values[-1])

    for column, role, label in RATES:
        if timeline.width_s > timeline.rate_part_s:
            upper.fill_between(
                at_s,
                steps(f"{column}_low"),
                steps(f"{column}_high"),
                step="post",
                color=COLOUR[role],
                alpha=0.25,
                linewidth=0,
            )
        upper.step(at_s, steps(column), where="post", color=COLOUR[role], label=label)
    upper.set_ylim(bottom=0)
    upper.tick_params(labelbottom=False)
    _users(lower, timeline)
    legend(figure, upper)
    return figure


def _users(axes: Any, timeline: Timeline) -> None:
    """Users that were there all the time of a bucket, and lighter above them those that came or went in it."""
    users = timeline.users
    at_s = users.index.to_numpy(np.float64)
    low, high = (users[name].to_numpy(np.float64) for name in ("low", "users"))
    for below, above, alpha in ((np.zeros(len(low)), low, 0.4), (low, high, 0.2)):
        axes.fill_between(at_s, below, above, step="post", color=COLOUR["p50"], alpha=alpha, linewidth=0)
    axes.set_ylim(bottom=0)
    axes.set_title("Users", loc="left", fontsize=9, color=COLOUR["ink"], pad=4)


def _findings(timeline: Timeline, size: Size) -> Figure:
    rows = list(timeline.occurrences)
    polls_height = 0.75
    height = 0.35 + polls_height + 0.5 + ROW_INCHES * max(1, len(rows)) + 0.1
    figure = size.figure(height)
    lower = size.axes(figure, top=0.35 + polls_height, bottom=0.35)
    upper = size.axes(figure, top=height - 0.1, bottom=0.35 + polls_height + 0.5, share=lower)
    over_time(upper, timeline, size, labelled=False, findings=False)
    over_time(lower, timeline, size, labelled=False, findings=False)
    for number, criterion_id in enumerate(rows):
        strokes(
            upper,
            thinned(timeline.occurrences[criterion_id].at_s, timeline),
            1 - (number + 0.7) / len(rows),
            8 / 72,
        )
        upper.annotate(
            criterion_id,
            (0.005, 1 - (number + 0.25) / len(rows)),
            xycoords="axes fraction",
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
    upper.set_yticks([])
    upper.tick_params(labelbottom=False)
    _polls(lower, timeline)
    return figure


def _polls(axes: Any, timeline: Timeline) -> None:
    polls = timeline.polls
    at_s = polls.index.to_numpy(np.float64) + timeline.width_s / 2
    # where no poll was answered the line breaks
    axes.plot(at_s, polls["duration_ms"], color=COLOUR["other"], marker="." if len(polls) < 3 else "")
    failed = polls.index[polls["failed"] > 0].to_numpy(np.float64)
    axes.plot(failed, [0] * len(failed), "x", color=COLOUR["bad"], clip_on=False)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(whole_ticks(3))
    axes.set_title("Monitor's looks at the database, ms", loc="left", fontsize=9, color=COLOUR["ink"], pad=4)
