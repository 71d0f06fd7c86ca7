"""The figures of each section of the page: plots of the run over time with their words, and the same as tables."""

from collections.abc import Iterable

import pandas as pd

from analysis.judgement import Judgement
from analysis.report import latency_plots, load_plots, numbers
from analysis.report.drawing import elapsed
from analysis.report.figures import Figure, Table, Titled
from analysis.series import Histogram
from analysis.shifts import LEAST_WINDOWS, Shift
from analysis.timeline import Timeline

RESTARTS_TOLD = 5  # of PostgreSQL, beside a plot
SERIES = {"sends": "send latency", "deliveries": "delivery latency"}


def latency(judgement: Judgement) -> list[Figure]:
    """Send latency: over time, response beside service time in an open workload, and its distribution."""
    timeline, targets = judgement.timeline, judgement.targets
    if not len(timeline.sends):
        return []
    every = f"{timeline.width_s} s"
    title = "Send latency over time"
    figures = [
        Figure(
            title,
            latency_plots.send_latency(timeline, targets),
            f"Lines of the average, P50, P95, P99 and the maximum of send latency in every {every}, with the targets "
            f"{targets.send_avg_ms:g} ms for the average and {targets.send_p95_ms:g} ms for P95.",
            f"Milliseconds. Every point is computed from all acknowledged messages that first left in its {every}. "
            f"Dashed: the targets. A line breaks where nothing that left was acknowledged. {marks(timeline)}",
            (Titled(title, "", _latency_table(timeline.sends_coarse, timeline.coarse_s)),),
        )
    ]
    if len(timeline.service):
        figures.append(_parting(judgement))
    histograms = {"Send latency": timeline.send_histogram, "Delivery latency": timeline.delivery_histogram}
    known = {name: counted for name, counted in histograms.items() if counted is not None}
    if known:
        figures.append(
            Figure(
                "Distribution of latencies",
                latency_plots.distribution(timeline, targets),
                "Histograms of send latency and of delivery latency on one logarithmic axis, with their targets.",
                "After the warm-up. Bars count sends above, and deliveries below. Upright dashed: the targets.",
                tuple(Titled(name, "", _histogram_table(counted)) for name, counted in known.items()),
            )
        )
    return figures


def delivery(judgement: Judgement) -> list[Figure]:
    """Delivery latency over time."""
    timeline, targets = judgement.timeline, judgement.targets
    if not len(timeline.deliveries):
        return []
    title = "Delivery latency over time"
    return [
        Figure(
            title,
            latency_plots.delivery_latency(timeline, targets),
            f"Lines of the average, P50, P95, P99 and the maximum of delivery latency in every {timeline.width_s} s, "
            f"with the target {targets.delivery_p95_ms:g} ms for P95.",
            "Milliseconds. From the moment a message first left its sender to the Realtime event at each recipient "
            f"but its author, placed at the time it was sent. Dashed: the target. {marks(timeline)}",
            (Titled(title, "", _latency_table(timeline.deliveries_coarse, timeline.coarse_s)),),
        )
    ]


def load(judgement: Judgement) -> list[Figure]:
    """Throughput and users."""
    timeline = judgement.timeline
    if not len(timeline.rates):
        return []
    title = "Throughput and users"
    parts = (
        f" The light band reaches from the slowest to the fastest {timeline.rate_part_s} s in it."
        if timeline.width_s > timeline.rate_part_s
        else ""
    )
    return [
        Figure(
            title,
            load_plots.throughput(timeline),
            f"Steps of acknowledged and not acknowledged sends and of deliveries a second, "
            f"and of the number of users, at most {judgement.users}.",
            f"Sends by the time they left, deliveries by the time they arrived, a second, over {timeline.width_s} s each."
            f"{parts} Users below: dark those who were there all that time. {marks(timeline)}",
            (Titled(title, "", _load_table(timeline)),),
        )
    ]


def database(judgement: Judgement) -> list[Figure]:
    """Findings over time, above the monitor's looks."""
    timeline = judgement.timeline
    if not len(timeline.polls) and not timeline.occurrences:
        return []
    title = "Findings and the monitor's looks"
    placed = sum(int(seen.findings.sum()) for seen in timeline.occurrences.values())
    return [
        Figure(
            title,
            load_plots.findings(timeline),
            f"{placed:,} findings over time by criterion, above the duration of the monitor's looks at the database.",
            "A stroke wherever something was found, a row for each criterion, over all findings whose time is known; strokes that "
            "would cover one another are one. Below, how long the longest look took; a cross is a look that had no answer. "
            + marks(timeline, findings=False),
            (Titled(title, "", _findings_table(timeline)),),
        )
    ]


def no_step(timeline: Timeline, series: str) -> str:
    """What it means that no step is told."""
    name = SERIES[series]
    search = timeline.searched.get(series)
    if search is not None and search.is_too_short:
        return (
            f"Too short to look for steps of {name}: that takes {LEAST_WINDOWS} windows of {search.width_s:,.0f} s with enough "
            f"latencies, and there were {search.windows:,}."
        )
    return f"No step of a tenth or more was found in the P95 of {name}, as far as can be told from chance."


def steps(timeline: Timeline, series: str) -> Titled | None:
    """The steps of a latency as a table; None where there is none."""
    found = [step for step in timeline.steps if step.series == series]
    if not found:
        return None
    return Titled(
        f"Steps of {SERIES[series]}",
        "From then on the P95 stood at another level: medians of the P95 of windows before and after. p: how likely a run "
        f"without a step shows one as clear. What lies within {found[0].reach_s:,.0f} s of it is named; that it was the cause is not said.",
        Table(
            ("At", "P95 before", "P95 after", "Change", "p", "Near it"),
            [_step(step) for step in found],
            words=("Near it",),
        ),
    )


def marks(timeline: Timeline, *, findings: bool = True) -> str:
    """What is marked in every plot over time of this run, in sentences; findings where they are on the axis."""
    told = []
    if timeline.warmup_s > 0:
        told.append("Shaded: the warm-up, which is not judged by latency.")
    moments = (*timeline.phases, *timeline.load_changes)
    if any(timeline.begin_s < at_s < timeline.end_s for name, at_s in moments if name != "load"):
        told.append("Dotted: where a phase of the load begins, or its level changes.")
    if timeline.steps:
        told.append("Upright line: a step of a latency.")
    if timeline.occurrences and findings:
        told.append("Red strokes on the axis: findings.")
    if timeline.restarts:
        told.append(f"Red bands: PostgreSQL restarted {_restarts(timeline.restarts)}.")
    return " ".join(told)


def _restarts(restarts: Iterable[tuple[float, float]]) -> str:
    times = [
        f"at {elapsed(before_s)} (away for at most {numbers.number(after_s - before_s)} s)"
        for before_s, after_s in restarts
    ]
    if len(times) > RESTARTS_TOLD:
        times = [*times[:RESTARTS_TOLD], f"{len(times) - RESTARTS_TOLD} more times"]
    return numbers.listed(times)


def _parting(judgement: Judgement) -> Figure:
    timeline, targets = judgement.timeline, judgement.targets
    title = "Response time and service time"
    rows = [
        (
            elapsed(float(at_s)),
            numbers.number(int(count)),
            *(numbers.number(float(figure)) for figure in (response, service, response - service)),
        )
        for at_s, count, response, service in zip(
            timeline.sends_coarse.index,
            timeline.sends_coarse["count"],
            timeline.sends_coarse["p95_ms"],
            timeline.service_coarse["p95_ms"],
            strict=True,
        )
    ]
    head = ("Count", "Response P95 ms", "Service P95 ms", "Between them ms")
    return Figure(
        title,
        latency_plots.response_and_service(timeline, targets),
        f"Lines of the P95 of response time and of service time in every {timeline.width_s} s, with their target "
        f"{targets.send_p95_ms:g} ms.",
        "Milliseconds. Response time begins when a send was due, service time when it left. Where they part, between the lines, "
        f"sends were held up before they could leave: people waited, and the service time alone does not show it. {marks(timeline)}",
        (Titled(title, "", Table((_from(timeline.coarse_s), *head), rows)),),
    )


def _latency_table(series: pd.DataFrame, width_s: int) -> Table:
    rows = [
        (
            elapsed(float(at_s)),
            numbers.number(int(count)),
            *(numbers.number(float(figure)) for figure in figures),
        )
        for at_s, (count, *figures) in zip(series.index, series.itertuples(index=False), strict=True)
    ]
    return Table((_from(width_s), "Count", "Average ms", "P50 ms", "P95 ms", "P99 ms", "Max ms"), rows)


def _histogram_table(counted: Histogram) -> Table:
    """The bins that hold any, with the share of all up to their upper edge."""
    total = int(counted.counts.sum())
    up_to = counted.counts.cumsum()
    rows = [
        (
            f"{numbers.number(float(low))} to {numbers.number(float(high))} ms",
            numbers.number(int(count)),
            f"{count / total:.2%}",
            f"{so_far / total:.2%}",
        )
        for low, high, count, so_far in zip(
            counted.edges_ms[:-1], counted.edges_ms[1:], counted.counts, up_to, strict=True
        )
        if count
    ]
    return Table(("Latency", "Count", "Share", "Share so far"), rows)


def _load_table(timeline: Timeline) -> Table:
    rates, users = timeline.rates_coarse, timeline.users_coarse

    def rate(at_s: int, column: str) -> str:
        if at_s not in rates.index:
            return "–"
        mean, low, high = (
            float(rates[name].loc[at_s]) for name in (column, f"{column}_low", f"{column}_high")
        )
        return f"{numbers.number(mean)} ({numbers.span(low, high)})"

    rows = [
        (
            elapsed(float(at_s)),
            *(rate(at_s, column) for column, _, _ in reversed(load_plots.RATES)),
            numbers.span(*users.loc[at_s, ["low", "users"]]) if at_s in users.index else "–",
        )
        for at_s in sorted({*rates.index.tolist(), *users.index.tolist()})
    ]
    within = f" (slowest to fastest {timeline.rate_part_s} s)"
    return Table(
        (
            _from(timeline.coarse_s),
            *(label + within for _, _, label in reversed(load_plots.RATES)),
            "Users",
        ),
        rows,
    )


def _findings_table(timeline: Timeline) -> Table:
    polls, found = timeline.polls_coarse, timeline.occurrences_coarse

    def look(at_s: int) -> tuple[str, str]:
        if at_s not in polls.index:
            return "–", "0"
        longest_ms, failed = float(polls["duration_ms"].loc[at_s]), int(polls["failed"].loc[at_s])
        return "–" if pd.isna(longest_ms) else numbers.number(longest_ms), numbers.number(failed)

    rows = [
        (
            elapsed(float(at_s)),
            *look(at_s),
            *(numbers.number(int(found[name].loc[at_s]) if at_s in found.index else 0) for name in found),
        )
        for at_s in sorted({*polls.index.tolist(), *found.index.tolist()})
    ]
    return Table((_from(timeline.coarse_s), "Longest look ms", "Looks without an answer", *found), rows)


def _step(step: Shift) -> tuple[str, ...]:
    change = step.after_ms / step.before_ms - 1
    return (
        elapsed(step.at_s),
        f"{numbers.number(step.before_ms)} ms",
        f"{numbers.number(step.after_ms)} ms",
        f"{change:+.0%}",
        "< 0.001" if step.p_value < 0.001 else f"{step.p_value:.3f}",
        step.near or "nothing that is known",
    )


def _from(width_s: int) -> str:
    return f"From (+{elapsed(width_s)})"
