"""`generator.healthy`: was what is measured the server, or the load generator itself?

It never fails a run. It is inconclusive where the generator's own delays decide an outcome, make up much of a target,
kept it from making the load that was asked for, or may have: a process in full use has no room for what comes at once. Most
bounds are errors in the figures, not loads of the machine: a loop that is 20 ms late matters to nobody whose target is 500 ms.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.checks.spans import Floats
from analysis.checks.stalls import Stalls
from analysis.criteria import Criterion, Verdict

# A figure that keeps its target passes, for a generator can only make it larger. But where a quarter of the target is the
# generator's own, the server has felt less load than was asked for, and the figure says little about it.
MOST_ERROR = 0.25
# Actions that were due and never left are in no latency. As long as they are fewer than this, a P95 is off by at most a
# fifth of the 5% that it is about. What came due in the last second had hardly waited yet, and counts only beyond that.
MOST_NEVER_LEFT = 0.01
HARDLY_WAITED_S = 1.0
# A process that uses so much of what it may use of a processor has a queue in front of it. In more seconds than this, it is
# as many sends as a P95 is about; two seconds are nobody's run. Pauses for garbage collection are alike.
BUSY = 0.9
MOST_BUSY_SECONDS = 0.05
FEW_SECONDS = 2
MOST_GARBAGE = 0.05
# A second of which a process was behind for longer than this is named as one that is not to be believed.
BAD_SECOND = 0.2
# Processes are counted so that each is busy for at most this share of its time: with random arrivals the queue in front
# of a server that is busy for ρ of its time is ρ/(1-ρ) long on average (Pollaczek and Khinchine), 2.3 here, 9 at 0.9.
ROOM = 0.7
# With less of a core than this while it did not keep up, a process was kept from running rather than busy.
STARVED = 0.8


@dataclass(frozen=True, slots=True)
class Figure:
    """A latency criterion's figure in milliseconds.

    Attributes:
        without_ms: what is left of it without the generator's own delays.
        service_ms: of the same things from when they left, likewise: the server's part alone.
    """

    id: str
    target_ms: float
    observed_ms: float
    without_ms: float
    service_ms: float

    @property
    def error_ms(self) -> float:
        """How much of it may be the generator's own."""
        return self.observed_ms - self.without_ms

    @property
    def turns(self) -> bool:
        """Whether it misses its target, and might not have with a better generator."""
        return self.observed_ms >= self.target_ms > self.without_ms


@dataclass(frozen=True, slots=True)
class Load:
    """What the load processes tell of themselves over the time of the load.

    Attributes:
        rows: of table ``generator`` while the load went on.
        judged: those after the warm-up.
        stalls: in that time.
        behind: for each second the largest share of it for which a process did not keep up: it stood still, or used all that
            it had of a processor.
        begin_s, seconds: of the load, on the run's axis.
        stretch: how many times as much would have been done without the generator's own delays.
        processes: how many there were.
        sends: how many left.
        own_errors: sockets that this machine did not have.
        never_left: actions.
        late_ms: one send in twenty left at least so late for reasons of the generator's own.
        late_most_ms: how late that may be.
    """

    rows: pd.DataFrame
    judged: pd.DataFrame
    stalls: Stalls
    behind: Floats
    begin_s: float
    seconds: float
    stretch: float
    processes: int
    sends: int
    own_errors: int
    overflow: int
    never_left: int
    late_ms: float
    late_most_ms: float


def healthy(load: Load, figures: Sequence[Figure], errors_turn: bool) -> Criterion:
    """`generator.healthy`.

    Args:
        figures: of the latency criteria that have one.
        errors_turn: `errors.send` misses its target, and would not without the generator's own errors.
    """
    problems = [_of_figure(figure) for figure in figures if figure.turns or _is_inflated(figure)]
    problems += _past_bounds(load)
    slow = bool(problems)
    if errors_turn:
        problems.append("`errors.send` misses its target by errors of the generator's own")
    if load.own_errors:
        problems.append(
            f"this machine ran out of sockets or memory {load.own_errors:,} times (raise `ulimit -n`, or use more machines)"
        )
    server_is_slow = any(figure.service_ms >= figure.target_ms for figure in figures)  # it fails anyhow
    if load.never_left > _most_never_left(load) and not server_is_slow:
        slow = slow or _behind_share(load) > BAD_SECOND
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
        needed = _needed(load)
        facts["processes_needed"] = needed[0]
        sentences += [_when(load), _why(load, needed)]
    return Criterion(
        id="generator.healthy",
        title="The load generator kept up: largest share of a target that is its own delay",
        target=f"≤ {MOST_ERROR:.0%}",
        observed=max((100 * figure.error_ms / figure.target_ms for figure in figures), default=None),
        unit="%",
        outcome=Verdict.INCONCLUSIVE if problems else Verdict.PASS,
        checked=len(load.rows),
        reason=" ".join(sentences) or None,
        facts=facts,
    )


def excuse(
    criteria: Iterable[Criterion], figures: Sequence[Figure], errors_turn: bool
) -> tuple[Criterion, ...]:
    """The criteria, with those inconclusive that fail and might not have with a better generator."""
    turned = {figure.id: figure for figure in figures if figure.turns}
    excused = []
    for criterion in criteria:
        figure = turned.get(criterion.id)
        if criterion.outcome is not Verdict.FAIL:
            excused.append(criterion)
        elif figure is not None:
            excused.append(
                _doubted(
                    criterion,
                    f"The load generator itself may be to blame: without its own delays this would be "
                    f"{figure.without_ms:,.1f} ms. See generator.healthy.",
                )
            )
        elif errors_turn and criterion.id == "errors.send":
            excused.append(
                _doubted(
                    criterion,
                    "Without the errors of the load generator's own making the target would be kept. See generator.healthy.",
                )
            )
        else:
            excused.append(criterion)
    return tuple(excused)


def usable(rows: pd.DataFrame) -> Floats:
    """How much of a processor a process may use at most, by each of these rows; an older record does not tell."""
    allowed = rows["cpu_allowed"].to_numpy(np.float64)
    return np.where(allowed > 0, np.minimum(allowed, 1.0), 1.0)


def _doubted(criterion: Criterion, why: str) -> Criterion:
    reason = f"{why} {criterion.reason}" if criterion.reason else why
    return replace(criterion, outcome=Verdict.INCONCLUSIVE, reason=reason)


def _is_inflated(figure: Figure) -> bool:
    return figure.observed_ms < figure.target_ms and figure.error_ms > MOST_ERROR * figure.target_ms


def _of_figure(figure: Figure) -> str:
    return (
        f"`{figure.id}` is not to be believed: of its {figure.observed_ms:,.1f} ms up to {figure.error_ms:,.1f} ms "
        "are the generator's own delay"
    )


def _past_bounds(load: Load) -> list[str]:
    """Which of the bounds of processor, garbage collection and departures are passed, in words."""
    rows = load.judged
    told = []
    busy = (rows["cpu_share"] >= BUSY * usable(rows)).groupby(rows["process"]).agg(["sum", "mean"])
    busy = busy[busy["sum"] > FEW_SECONDS]
    if len(busy) and (share := float(busy["mean"].max())) > MOST_BUSY_SECONDS:
        told.append(
            f"a load process used {BUSY:.0%} or more of the processor that it may use in {share:.0%} of the seconds "
            f"(bound: {MOST_BUSY_SECONDS:.0%})"
        )
    garbage = _known(rows["gc_ms"]).groupby(rows["process"]).mean() / 1000  # a row a second
    if len(garbage) and (share := float(garbage.max())) > MOST_GARBAGE:
        told.append(f"garbage collection took {share:.0%} of its time (bound: {MOST_GARBAGE:.0%})")
    if load.late_ms > load.late_most_ms:
        told.append(
            f"one send in twenty left {load.late_ms:,.0f} ms late or later, by no doing of the server's (bound: "
            f"{load.late_most_ms:,.0f} ms)"
        )
    return told


def _most_never_left(load: Load) -> float:
    all_of_them = load.sends + load.never_left
    return max(MOST_NEVER_LEFT, HARDLY_WAITED_S / max(HARDLY_WAITED_S, load.seconds)) * all_of_them


def _behind_share(load: Load) -> float:
    return float(load.behind.mean()) if len(load.behind) else 0.0


def _when(load: Load) -> str:
    """From when to when the figures are not to be believed."""
    bad = np.flatnonzero(load.behind > BAD_SECOND)
    if not len(bad):
        return "It fell behind now and then, all over the run."
    first, last = load.begin_s + bad[0], min(load.begin_s + bad[-1] + 1, load.begin_s + load.seconds)
    return (
        f"It did not keep up between second {first:,.0f} and second {last:,.0f} of the run (its event loop stood still for "
        f"{load.stalls.total_ns / 1e9:,.1f} s in all): latencies of that time say little about the server."
    )


def _why(load: Load, needed: tuple[int, int]) -> str:
    """What kept it from keeping up, and how many processes would have."""
    got = _core_while_behind(load)
    with_cores, as_these = needed
    many = f"{with_cores} load process{'es' if with_cores > 1 else ''}"
    if got >= STARVED:
        return f"It was busy all that time: about {many} (--processes), each with a core of its own, would have been needed."
    reasons = []
    if (throttled_s := _known(load.rows["throttled_ms"]).sum() / 1000) > 0:
        reasons.append(f"throttled by its cgroup for {throttled_s:,.1f} s")
    if (delayed_s := _known(load.rows["run_delay_ms"]).sum() / 1000) > 0.1 * load.seconds:
        reasons.append(f"waiting {delayed_s:,.1f} s for a processor that others used")
    if (steal := _known(load.rows["steal_share"]).mean() if len(load.rows) else 0.0) > 0.05:
        reasons.append(f"with {steal:.0%} of this machine's time stolen by its hypervisor")
    reason = f" ({', '.join(reasons)})" if reasons else ""
    return (
        f"Meanwhile it got {got:.0%} of a core{reason}: {many} with a core of {'their' if with_cores > 1 else 'its'} own, "
        f"or {as_these} with as little as this, would have been needed."
    )


def _core_while_behind(load: Load) -> float:
    """How much of a core a process used while it did not keep up, on average."""
    if _behind_share(load) > BAD_SECOND:  # with moments between in which it did what it could
        return float(load.rows["cpu_share"].mean())
    total_s = load.stalls.total_ns / 1e9
    return float(load.stalls.cpu_ms.sum()) / 1000 / total_s if total_s else 1.0


def _needed(load: Load) -> tuple[int, int]:
    """How many processes the load calls for: with a core each, and with as much as these got."""
    cores = float(load.rows.groupby("process")["cpu_share"].mean().sum()) * load.stretch
    got = min(1.0, max(0.01, _core_while_behind(load)))
    with_cores, as_these = (max(1, math.ceil(cores / (ROOM * core))) for core in (1.0, got))
    if got >= STARVED:  # they had a core each, and it was not enough
        with_cores = max(with_cores, load.processes + 1)
    return with_cores, max(as_these, load.processes + 1)


def _facts(load: Load, figures: Sequence[Figure]) -> dict[str, float | int]:
    facts: dict[str, float | int] = {
        "stalled_s": round(load.stalls.total_ns / 1e9, 3),
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
        known = _known(load.rows[name])
        if len(known):
            facts[name] = round(float(known.agg(of)), 3)
    for name in ("run_delay_ms", "throttled_ms"):
        known = _known(load.rows[name])
        if len(known):
            facts[name.replace("_ms", "_s")] = round(float(known.sum()) / 1000, 3)
    for figure in figures:
        facts[f"{figure.id}_without_ms"] = round(figure.without_ms, 3)
    return facts


def _known(values: pd.Series) -> pd.Series:
    """Without those that the system did not tell, or that an older record does not have."""
    return values[values >= 0]


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."
