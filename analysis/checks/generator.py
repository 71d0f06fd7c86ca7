"""`generator.healthy`: was what is measured the server, or the load generator itself?

It never fails a run. It is inconclusive where the generator's own delays decide an outcome, make up much of a figure whether
that keeps its target or not, kept it from making the load that was asked for, or may have: users of a process that stands still
send less, which no latency shows, and one in full use has no room for what comes at once. Most bounds are errors in the figures, not loads of the machine: a loop that is 20 ms late matters to
nobody whose target is 500 ms.
"""

from collections.abc import Collection, Sequence

from analysis.checks.fared import BAD_SECOND, BUSY, Load, known, usable
from analysis.checks.own_part import MOST_ERROR, Figure
from analysis.checks.why_behind import processes_needed, when_and_why
from analysis.criteria import Criterion, Verdict
from analysis.record.standstill import MOST_STILL

# Actions that were due and never left are in no latency. As long as they are fewer than this, a P95 is off by at most a
# fifth of the 5% that it is about. What came due in the last second had hardly waited yet, and counts only beyond that.
MOST_NEVER_LEFT = 0.01
HARDLY_WAITED_S = 1.0
# A busy process has a queue in front of it. In more seconds than this, it is as many sends as a P95 is about; two seconds are
# nobody's run. Pauses for garbage collection are alike.
MOST_BUSY_SECONDS = 0.05
FEW_SECONDS = 2
MOST_GARBAGE = 0.05


def healthy(load: Load, figures: Sequence[Figure], turned: Collection[str]) -> Criterion:
    """`generator.healthy`.

    Args:
        figures: of the latency criteria that have one.
        turned: the criteria that fail, and would not without the generator's own errors and delays (`own_part.TURNED`).
    """
    problems = [_of_figure(figure) for figure in figures if figure.doubted]
    if "drift.latency" in turned:
        problems.append("`drift.latency` finds a rise that is the generator's own delay")
    problems += _past_bounds(load)
    slow = bool(problems)
    if "errors.send" in turned:
        problems.append("`errors.send` misses its target by errors of the generator's own")
    if load.own_errors:
        problems.append(
            f"this machine ran out of sockets or memory {load.own_errors:,} times (raise `ulimit -n`, or use more machines)"
        )
    server_is_slow = any(figure.service_ms >= figure.target_ms for figure in figures)  # it fails anyhow
    if load.never_left > _most_never_left(load) and not server_is_slow:
        slow = slow or load.behind_share > BAD_SECOND
        problems.append(
            f"{load.never_left:,} actions that were due had not left when the load stopped, and are in no latency"
            + (
                f" ({load.overflow:,} were due while no slot was free: CHATSOAK_MAX_IN_FLIGHT)"
                if load.overflow
                else ""
            )
        )
    if not len(load.rows):
        problems.append("no load process told how it fared")
    facts = _facts(load, figures)
    sentences = [_sentence("; ".join(problems))] if problems else []
    if slow and len(load.rows):
        needed = processes_needed(load)
        if needed is not None:
            facts["processes_needed"] = needed[0]
        sentences += when_and_why(load, needed)
    return Criterion(
        id="generator.healthy",
        title="The load generator kept up: its own delay, as a share of the target or of what a slower server took",
        target=f"≤ {MOST_ERROR:.0%}",
        observed=max((100 * figure.share for figure in figures), default=None),
        unit="%",
        outcome=Verdict.INCONCLUSIVE if problems else Verdict.PASS,
        checked=len(load.rows),
        reason=" ".join(sentences) or None,
        facts=facts,
    )


def _of_figure(figure: Figure) -> str:
    return (
        f"`{figure.id}` is not to be believed: of its {figure.observed_ms:,.1f} ms up to {figure.error_ms:,.1f} ms "
        "are the generator's own delay"
    )


def _past_bounds(load: Load) -> list[str]:
    """Which of the bounds of standstill, processor, garbage collection and departures are passed, in words."""
    rows = load.judged
    told = []
    if load.still.share > MOST_STILL and load.still.late_s > FEW_SECONDS:
        what = (
            "what came due meanwhile left late, all at once"
            if load.is_open
            else "users sent less than they would have"
        )
        told.append(
            f"the event loop of a load process stood still for at least {load.still.share:.0%} of the time (bound: "
            f"{MOST_STILL:.0%}), so that the load was not made as asked for: {what}"
        )
    busy = (rows["cpu_share"] >= BUSY * usable(rows)).groupby(rows["process"]).agg(["sum", "mean"])
    busy = busy[busy["sum"] > FEW_SECONDS]
    if len(busy) and (share := float(busy["mean"].max())) > MOST_BUSY_SECONDS:
        told.append(
            f"a load process used {BUSY:.0%} or more of the processor that it may use in {share:.0%} of the seconds "
            f"(bound: {MOST_BUSY_SECONDS:.0%})"
        )
    garbage = known(rows["gc_ms"]).groupby(rows["process"]).mean() / 1000  # a row a second
    if len(garbage) and (share := float(garbage.max())) > MOST_GARBAGE:
        told.append(f"garbage collection took {share:.0%} of its time (bound: {MOST_GARBAGE:.0%})")
    if load.late_alone_ms > load.late_most_ms:
        told.append(
            f"one send in twenty left {load.late_alone_ms:,.0f} ms late or later, by no doing of the server's (bound: "
            f"{load.late_most_ms:,.0f} ms)"
        )
    return told


def _most_never_left(load: Load) -> float:
    all_of_them = load.sends + load.never_left
    return max(MOST_NEVER_LEFT, HARDLY_WAITED_S / max(HARDLY_WAITED_S, load.seconds)) * all_of_them


def _facts(load: Load, figures: Sequence[Figure]) -> dict[str, float | int]:
    facts: dict[str, float | int] = {
        "stalled_s": round(load.stalls.total_ns / 1e9, 3),
        "still_share": round(load.still.share, 3),
        "longest_stall_ms": round(load.stalls.longest_ns / 1e6, 1),
        "overflow": load.overflow,
        "never_left": load.never_left,
        "own_socket_errors": load.own_errors,
        "processes": load.processes,
        "late_p95_ms": round(load.late_ms, 3),
    }
    for name, of in (
        ("cpu_share", "mean"),
        ("cpu_allowed", "min"),
        ("gc_longest_ms", "max"),
        ("late_ms", "max"),
    ):
        values = known(load.rows[name])
        if len(values):
            facts[name] = round(float(values.agg(of)), 3)
    for name in ("run_delay_ms", "throttled_ms"):
        values = known(load.rows[name])
        if len(values):
            facts[name.replace("_ms", "_s")] = round(float(values.sum()) / 1000, 3)
    for figure in figures:
        facts[f"{figure.id}_without_ms"] = round(figure.without_ms, 3)
    return facts


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
