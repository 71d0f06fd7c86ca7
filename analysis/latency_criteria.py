"""The criteria of latency and of errors: exact figures against their targets. No input or output here.

The outcome goes by the observed figure alone, but for one case: where a warm-up was found and left out that lasted longer than
a trifle and misses the target by itself, a pass would hide it. Nobody can tell a cold start from a fault that ended, so
that is inconclusive; a warm-up that was set by hand is taken as meant, and told. How sure a figure is, and how even the run was,
stands beside it: the 95% interval, the share of one-minute windows within target (where something was left out, of the
whole run, too), and in an open workload both latencies. There the response time (due to answered) is judged; it contains the
service time (left to answered), so that the target holds for both.
A percentile is the nearest rank, Hyndman and Fan's type 1 (1996, Sample quantiles in statistical packages).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.criteria import Criterion, Verdict
from analysis.faults import Faults
from analysis.latency import (
    NS_PER_MS,
    Ints,
    Latencies,
    Summary,
    Targets,
    average_ms,
    nearest_rank,
    summarize,
)
from analysis.minutes import minutes_within
from analysis.record.codes import Outcome
from analysis.settings import Workload
from analysis.statistics.intervals import (
    Estimate,
    Interval,
    average_interval,
    enough_to_show,
    is_sure,
    percentile_interval,
    share_interval,
)

Facts = dict[str, float | int]
NOTHING: Mapping[str, int] = {}

BESIDE = (50, 99)  # percentiles that runs are compared by as well, so that they need an interval too
TRIFLE_S = 10.0  # a warm-up up to this long is nobody's concern, whatever its latencies


def send_criteria(
    latencies: Latencies,
    targets: Targets,
    service: Latencies | None = None,
    demand: pd.Series | None = None,
) -> list[Criterion]:
    """`latency.send.avg` and `latency.send.p95`.

    Args:
        service: the service times of the same sends, where `latencies` are response times.
        demand: the load that was meant, by second (`analysis.demand`).
    """
    kind = "response time, due to answered" if targets.workload is Workload.OPEN else "service time"
    nothing = _nothing("send was acknowledged", latencies, targets)
    facts = _both(latencies, service)
    return [
        _below(
            "latency.send.avg",
            f"Average send latency ({kind})",
            target_ms=targets.send_avg_ms,
            percent=None,
            latencies=latencies,
            targets=targets,
            nothing=nothing,
            facts=facts,
            demand=demand,
        ),
        _below(
            "latency.send.p95",
            f"P95 of send latency ({kind})",
            target_ms=targets.send_p95_ms,
            percent=95,
            latencies=latencies,
            targets=targets,
            nothing=nothing,
            facts=facts,
            demand=demand,
        ),
    ]


def delivery_criterion(
    latencies: Latencies, across_clocks: int, targets: Targets, demand: pd.Series | None = None
) -> Criterion:
    """`latency.delivery.p95`; `across_clocks` deliveries could not be timed; `demand` as for the sends."""
    nothing = _nothing("message was delivered to somebody else", latencies, targets)
    if across_clocks:
        nothing += f" {across_clocks:,} deliveries went to machines whose clocks cannot be compared."
    return _below(
        "latency.delivery.p95",
        "P95 of delivery latency, send to the recipient's Realtime event",
        target_ms=targets.delivery_p95_ms,
        percent=95,
        latencies=latencies,
        targets=targets,
        nothing=nothing,
        facts={"across_clocks": across_clocks} if across_clocks else {},
        demand=demand,
    )


def errors_criterion(
    sends: pd.DataFrame, faults: Faults, targets: Targets, left_out: Mapping[str, int] = NOTHING
) -> Criterion:
    """`errors.send`: the share of all sends, warm-up included, that the server did not acknowledge.

    Args:
        sends: as for `send_latencies`, without those that say nothing about the server.
        faults: those that were not acknowledged.
        left_out: how many those are, by the fact that tells of them.
    """
    examples, found = faults.told()
    outcomes = sends["outcome"].to_numpy()
    missed = outcomes != Outcome.OK
    count, bad = len(outcomes), int(missed.sum())
    target = 100 * targets.errors_share
    facts: Facts = {
        "not_ok": bad,
        "refused": int((outcomes == Outcome.FAIL).sum()),
        "unknown": int((outcomes == Outcome.INFO).sum()),
        **{fact: many for fact, many in left_out.items() if many},
    }
    interval: Interval | None = None
    reason: str | None = "Nothing was sent."
    outcome = Verdict.INCONCLUSIVE
    if count:
        start_ns = sends["axis_ns"].to_numpy(np.int64)
        interval, sure = share_interval(start_ns, missed), is_sure(start_ns)
        outcome = Verdict.PASS if bad / count <= targets.errors_share else Verdict.FAIL
        if not sure:
            facts["short_run"] = 1
        reason = None
        if bad == 0:
            reason = _too_few_to_show(count, targets.errors_share)
        elif interval[0] <= target < interval[1]:
            facts["straddles"] = 1
            reason = _straddling(interval, target, "%", sure)
    return Criterion(
        id="errors.send",
        title="Share of sends that were not acknowledged",
        target=f"≤ {target:g}%",
        observed=100 * bad / count if count else None,
        unit="%",
        outcome=outcome,
        checked=count,
        ci95=interval,
        examples=examples,
        found=found,
        reason=reason,
        facts=facts,
    )


def _below(
    id: str,  # noqa: A002 - the name in verdict.json
    title: str,
    *,
    target_ms: float,
    percent: int | None,
    latencies: Latencies,
    targets: Targets,
    nothing: str,
    facts: Mapping[str, float | int],
    demand: pd.Series | None,
) -> Criterion:
    """A criterion on a percentile of the judged `latencies`, or on their average where `percent` is None."""
    judged_ns = latencies.after_warmup()
    start_ns = latencies.start_ns[latencies.judged]
    figures = summarize(judged_ns)
    if figures is None:
        return Criterion(
            id=id,
            title=title,
            target=f"< {target_ms:g} ms",
            observed=None,
            unit="ms",
            outcome=Verdict.INCONCLUSIVE,
            checked=0,
            reason=nothing,
            facts=dict(facts),
        )
    if percent is None:
        observed, estimate = figures.avg_ms, average_interval(start_ns, judged_ns)
    else:
        observed = nearest_rank(judged_ns, percent) / NS_PER_MS
        estimate = percentile_interval(start_ns, judged_ns, percent)
    shown: Facts = {**facts, "warmup_s": round(targets.warmup_s, 3)}
    intervals: dict[str, Interval] = {}
    beside: dict[str, Estimate | None] = {}
    if percent is not None:
        beside = {f"p{other}_": percentile_interval(start_ns, judged_ns, other) for other in BESIDE}
        intervals = {f"{name}ms": found.ends for name, found in beside.items() if found is not None}
        shown |= {name: value for name, value in _figures("", figures).items() if name not in shown}
    shown |= _minutes("", start_ns, judged_ns, target_ms, percent, targets.warmup_s, demand)
    if not latencies.judged.all():
        shown |= _minutes("all_", latencies.start_ns, latencies.latency_ns, target_ms, percent, 0.0, demand)
    left_out_ms = _left_out_ms(latencies, targets, target_ms, percent)
    if left_out_ms is not None:
        shown["left_out_ms"] = left_out_ms
    sure = is_sure(start_ns)
    interval = estimate.ends if estimate is not None else None
    if interval is not None and not sure:
        shown["short_run"] = 1
    estimates = {name: found for name, found in {"": estimate, **beside}.items() if found is not None}
    if any(found.level_moved for found in estimates.values()):
        shown["level_moved"] = 1
    shown |= {f"{name}too_few": 1 for name, found in estimates.items() if found.too_few}
    sure = sure and "too_few" not in shown
    straddles = interval is not None and interval[0] < target_ms <= interval[1]
    if straddles:
        shown["straddles"] = 1
    outcome = Verdict.PASS if observed < target_ms else Verdict.FAIL
    if outcome is Verdict.PASS and left_out_ms is not None and not targets.warmup_by_hand:
        outcome = Verdict.INCONCLUSIVE
    said = [
        "" if left_out_ms is None else _left_out(left_out_ms, targets, target_ms, percent),
        _straddling(interval, target_ms, " ms", sure) if interval is not None and straddles else "",
        targets.unsettled or "",
    ]
    return Criterion(
        id=id,
        title=title,
        target=f"< {target_ms:g} ms",
        observed=observed,
        unit="ms",
        outcome=outcome,
        checked=figures.count,
        ci95=interval,
        reason=" ".join(sentence for sentence in said if sentence) or None,
        facts=shown,
        intervals=intervals,
    )


def _minutes(
    prefix: str,
    start_ns: Ints,
    latency_ns: Ints,
    target_ms: float,
    percent: int | None,
    begin_s: float,
    demand: pd.Series | None,
) -> Facts:
    """How many whole minutes there were, and how many of them were within target by themselves."""
    minutes, within = minutes_within(start_ns, latency_ns, target_ms, percent, begin_s=begin_s, demand=demand)
    return {f"{prefix}minutes": minutes, f"{prefix}minutes_within_target": within} if minutes else {}


def _left_out_ms(
    latencies: Latencies, targets: Targets, target_ms: float, percent: int | None
) -> float | None:
    """The figure of what was left out as warm-up, where it misses the target and lasted longer than a trifle."""
    left_out_ns = latencies.latency_ns[~latencies.judged]
    if targets.warmup_s <= TRIFLE_S or not len(left_out_ns):
        return None
    found_ms = average_ms(left_out_ns) if percent is None else nearest_rank(left_out_ns, percent) / NS_PER_MS
    return found_ms if found_ms >= target_ms else None


def _left_out(left_out_ms: float, targets: Targets, target_ms: float, percent: int | None) -> str:
    figure = "average" if percent is None else f"P{percent}"
    told = (
        f"The first {targets.warmup_s:,.0f} s are left out as warm-up, and miss the target of {target_ms:g} ms by themselves: "
        f"their {figure} is {left_out_ms:,.1f} ms."
    )
    if targets.warmup_by_hand:
        return f"{told} CHATSOAK_WARMUP_S says so."
    return (
        f"{told} Whether that was a cold start or a fault that ended, nobody can tell; CHATSOAK_WARMUP_S sets the warm-up by "
        "hand, for a start that may be so slow."
    )


def _both(latencies: Latencies, service: Latencies | None) -> Facts:
    """The figures of response and service time, where there are both."""
    if service is None:
        return {}
    facts: Facts = {}
    for name, times in (("response", latencies), ("service", service)):
        figures = summarize(times.after_warmup())
        if figures is not None:
            facts |= _figures(f"{name}_", figures)
    return facts


def _figures(prefix: str, figures: Summary) -> Facts:
    names = ("avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms")
    return {f"{prefix}{name}": getattr(figures, name) for name in names}


def _straddling(interval: Interval, target: float, unit: str, sure: bool) -> str:
    low, high = interval
    return (
        f"The 95% interval, {'' if sure else 'at least '}{round(low, 3):.6g} to {round(high, 3):.6g}{unit}, holds the target of {target:g}{unit}: "
        "another run like this one may come out the other way. The outcome goes by the figure observed."
    )


def _too_few_to_show(count: int, share: float) -> str | None:
    """That no error among so few sends shows no share below the target; None where it does, or no number of them would."""
    if share <= 0 or count >= (enough := enough_to_show(share)):
        return None
    return (
        f"No error in {count:,} {'send' if count == 1 else 'sends'}; that the share is at most {100 * share:g}% would take "
        f"{enough:,} without one."
    )


def _nothing(what: str, latencies: Latencies, targets: Targets) -> str:
    if in_warmup := len(latencies.latency_ns):
        return (
            f"No {what} after the warm-up: all {in_warmup:,} fall in its {targets.warmup_s:g} s "
            "(CHATSOAK_WARMUP_S). Run longer, or warm up shorter."
        )
    return f"No {what}."
