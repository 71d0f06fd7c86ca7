"""The load generator's own part in the figures: from the evidence to what `analysis.checks.generator` judges. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.attempts import acknowledged
from analysis.checks import generator
from analysis.checks.fared import BUSY, Delay, Load, usable
from analysis.checks.own_errors import own_errors, own_failures
from analysis.checks.own_part import MOST_ERROR, Figure, excuse
from analysis.checks.spans import Floats, Spans
from analysis.checks.stalls import Bools, Departures, Stalls, Still, Waits, own_ns
from analysis.checks.steady import Stretch
from analysis.checks.suite import guarded
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence
from analysis.latency import NS_PER_MS, NS_PER_S, Ints, Latencies, Targets, average_ms, nearest_rank
from analysis.latency_drift import latency_drift
from analysis.record.codes import Outcome
from analysis.record.process import KERNEL
from analysis.settings import Workload
from analysis.timeline import TimeAxis

# Before table ``stalls`` there was only the worst lateness of each second.
OLD_STALL_MS = 10.0
# A process that was awake for less than this share of its time tells little of how much it would have done.
LEAST_AWAKE = 0.05


def weigh(
    criteria: Sequence[Criterion],
    evidence: Evidence,
    axis: TimeAxis,
    targets: Targets,
    *,
    sends: pd.DataFrame,
    uncounted: Bools,
    sent: Latencies,
    delivered: Latencies,
    steady: Stretch,
) -> tuple[Criterion, ...]:
    """The criteria, those that fail for reasons of the generator's own made inconclusive, and `generator.healthy`.

    Args:
        sends: `evidence.sends` with ``axis_ns``.
        uncounted: which of them say nothing about the server: `errors.send` leaves them out.
        sent: of its acknowledged messages, as `latency.send_latencies` gives them.
        steady: the part in which `drift.latency` looks for a drift.
    """
    stalls = _stalls(evidence, axis)
    busy, cores = _busy(evidence, axis)
    departures = Departures(stalls, busy, *_taken(evidence, axis))
    stamped = _stamped(evidence)
    waits = _of_messages(sends, targets, stamped).part(sent.judged)
    own = _own(waits, stalls, departures)
    unheard_ns = _unheard_ns(delivered, stalls, stamped)
    figures = [
        *_send_figures(sent.latency_ns[sent.judged], waits, own, targets),
        *_delivery_figures(delivered, unheard_ns, targets),
    ]
    turned = set()
    if _errors_turn(sends[~uncounted], targets, stalls, stamped):
        turned.add("errors.send")
    drifts = any(one.id == "drift.latency" and one.outcome is Verdict.FAIL for one in criteria)
    if drifts and _holds_without(_without(sent, own.all), _without(delivered, unheard_ns), targets, steady):
        turned.add("drift.latency")
    load = _load(evidence, axis, targets, sends, stalls, departures, cores, figures, waits, own)
    return (
        *excuse(criteria, figures, turned),
        guarded("generator.healthy", lambda: generator.healthy(load, figures, turned)),
    )


def _holds_without(sent: Latencies, delivered: Latencies, targets: Targets, steady: Stretch) -> bool:
    """Whether `drift.latency` holds of latencies without the generator's own delays: its delays may have grown, not the server's."""
    found = guarded("drift.latency", lambda: latency_drift(sent, delivered, targets, steady))
    return found.outcome is Verdict.PASS


def _without(latencies: Latencies, own_ns: Ints) -> Latencies:
    """Those that are judged, each without so much that is the generator's own."""
    judged = latencies.judged
    latency_ns = latencies.latency_ns[judged]
    return Latencies(
        latencies.start_ns[judged],
        latency_ns - np.minimum(own_ns, latency_ns),
        judged[judged],
        latencies.process[judged],
    )


def _errors_turn(counted: pd.DataFrame, targets: Targets, stalls: Stalls, stamped: Bools) -> bool:
    """Whether `errors.send` misses its target, and would not without the generator's own errors.

    Args:
        counted: the sends that it counts.
    """
    attempts = _of_attempts(counted, stamped)
    failures = own_failures(counted, attempts.seen_ns - attempts.left_ns, own_ns(attempts, stalls, None))
    not_ok = int((counted["outcome"] != Outcome.OK).sum())
    return not_ok > targets.errors_share * len(counted) >= not_ok - int(failures.sum())


def _stalls(evidence: Evidence, axis: TimeAxis) -> Stalls:
    table, told = evidence.stalls, evidence.generator
    begin_ns, end_ns = axis.place_column(table, "begin_ns"), axis.place_column(table, "end_ns")
    process, cpu_ms = table["process"].to_numpy(np.int64), table["cpu_ms"].to_numpy(np.float64)
    of_old = [
        number
        for number, part in enumerate(evidence.parts)
        if part.process is not None and part.process.closed and "stalls" not in part.process.counts
    ]
    if of_old:
        rows = told[told["process"].isin(of_old) & (told["loop_lag_ms"] >= OLD_STALL_MS)]
        at_ns, lag_ms = axis.place_column(rows, "at_ns"), rows["loop_lag_ms"].to_numpy(np.float64)
        process = np.concatenate([process, rows["process"].to_numpy(np.int64)])
        begin_ns = np.concatenate([begin_ns, at_ns - (lag_ms * NS_PER_MS).astype(np.int64)])
        end_ns = np.concatenate([end_ns, at_ns])
        cpu_ms = np.concatenate([cpu_ms, lag_ms * rows["cpu_share"].to_numpy(np.float64)])
    return Stalls(process, begin_ns, end_ns, cpu_ms)


def _stamped(evidence: Evidence) -> Bools:
    """For each load process whether its times of arrival are the kernel's."""
    return np.array(
        [part.process is not None and part.process.info.arrivals == KERNEL for part in evidence.parts]
    )


def _busy(evidence: Evidence, axis: TimeAxis) -> tuple[Spans, tuple[Ints, Floats]]:
    """The seconds in which a process used, or waited for, nearly all that it may use; their ends, and how much of a core it used."""
    told = evidence.generator
    at_ns, process = axis.place_column(told, "at_ns"), told["process"].to_numpy(np.int64)
    order = np.lexsort((at_ns, process))
    told, at_ns, process = told.iloc[order], at_ns[order], process[order]
    since_ns = np.concatenate(([0], at_ns[:-1]))  # a row tells of the time since the one before it
    first = np.diff(process, prepend=-1) != 0
    since_ns[first] = at_ns[first] - NS_PER_S
    waited_ms = told["run_delay_ms"].to_numpy(np.float64).clip(min=0)
    used = told["cpu_share"].to_numpy(np.float64)
    wanted = used + waited_ms * NS_PER_MS / np.maximum(1, at_ns - since_ns)
    busy = wanted >= BUSY * usable(told)
    return Spans(process[busy], since_ns[busy], at_ns[busy]), (at_ns[busy], used[busy])


def _taken(evidence: Evidence, axis: TimeAxis) -> tuple[Spans, Bools]:
    """When somebody waited because all slots were taken, and which processes noted that."""
    table = evidence.slots_taken
    noted = [
        part.process is None or not part.process.closed or "slots_taken" in part.process.counts
        for part in evidence.parts
    ]
    times = (axis.place_column(table, column) for column in ("begin_ns", "end_ns"))
    return Spans(table["process"].to_numpy(np.int64), *times), np.array(noted, np.bool_)


def _of_messages(sends: pd.DataFrame, targets: Targets, stamped: Bools) -> Waits:
    """The wait of each acknowledged message, in the order of `latency.send_latencies`."""
    messages = acknowledged(sends)
    attempts = _of_attempts(sends, stamped)
    late_ns = (sends["left_ns"] - sends["due_ns"]).to_numpy(np.int64)[messages.first]
    left_ns = attempts.left_ns[messages.first]
    return Waits(
        attempts.process[messages.answered],
        left_ns - late_ns if targets.workload is Workload.OPEN else left_ns,
        left_ns,
        attempts.left_ns[messages.answered],
        attempts.seen_ns[messages.answered],
        attempts.stamped[messages.answered],
    )


def _of_attempts(sends: pd.DataFrame, stamped: Bools) -> Waits:
    """The wait of each send for its answer."""
    process = sends["process"].to_numpy(np.int64)
    left_ns = sends["axis_ns"].to_numpy(np.int64)
    seen_ns = left_ns + (sends["answered_ns"] - sends["left_ns"]).to_numpy(np.int64)
    given_up = sends["status_code"].to_numpy(np.int64) == 0
    return Waits(process, left_ns, left_ns, left_ns, seen_ns, stamped[process] & ~given_up)


@dataclass(frozen=True, slots=True)
class _Own:
    """Of each judged message's wait, in nanoseconds: what the generator itself may be to blame for, and what slots are.

    Attributes:
        late: it left so late.
        unread: so long its answer may have lain there.
        noted: so much of `late` lies in times in which its process noted that it was behind.
        slots: for so long the server held all slots.
    """

    late: Ints
    unread: Ints
    noted: Ints
    slots: Ints

    @property
    def all(self) -> Ints:
        """Both parts of it that are the generator's own."""
        both: Ints = self.late + self.unread
        return both


def _own(waits: Waits, stalls: Stalls, departures: Departures) -> _Own:
    late = own_ns(waits, None, departures)
    noted = np.minimum(departures.noted_ns(waits), late)
    return _Own(late, own_ns(waits, stalls, None), noted, departures.kept_ns(waits))


def _send_figures(latency_ns: Ints, waits: Waits, own: _Own, targets: Targets) -> list[Figure]:
    if not len(latency_ns):
        return []
    without_ns = latency_ns - np.minimum(own.all, latency_ns)
    service_ns = waits.seen_ns - waits.left_ns - own.unread
    no_slots_ns = latency_ns - own.slots
    return [
        Figure(
            name, target_ms, of(latency_ns), of(without_ns), of(service_ns), of(latency_ns) - of(no_slots_ns)
        )
        for name, target_ms, of in (
            ("latency.send.avg", targets.send_avg_ms, average_ms),
            ("latency.send.p95", targets.send_p95_ms, _p95_ms),
        )
    ]


def _unheard_ns(delivered: Latencies, stalls: Stalls, stamped: Bools) -> Ints:
    """For how long each judged delivery may have lain there, unread."""
    judged = delivered.judged
    if not len(stalls):
        return np.zeros(int(judged.sum()), np.int64)
    process, left = delivered.process[judged], delivered.start_ns[judged]
    waits = Waits(process, left, left, left, left + delivered.latency_ns[judged], stamped[process])
    return own_ns(waits, stalls, None)


def _delivery_figures(delivered: Latencies, unheard_ns: Ints, targets: Targets) -> list[Figure]:
    latency_ns = delivered.after_warmup()
    if not len(latency_ns):
        return []
    without_ms = _p95_ms(_without(delivered, unheard_ns).latency_ns)
    return [
        Figure("latency.delivery.p95", targets.delivery_p95_ms, _p95_ms(latency_ns), without_ms, without_ms)
    ]


def _p95_ms(values: Ints) -> float:
    return nearest_rank(values, 95) / NS_PER_MS


def _load(
    evidence: Evidence,
    axis: TimeAxis,
    targets: Targets,
    sends: pd.DataFrame,
    stalls: Stalls,
    departures: Departures,
    cores: tuple[Ints, Floats],
    figures: list[Figure],
    waits: Waits,
    own: _Own,
) -> Load:
    told = evidence.generator
    left = sends["axis_ns"].to_numpy(np.int64)
    begin_ns = int(left.min()) if len(left) else 0
    end_ns = int(left.max()) if len(left) else 0
    at_ns = axis.place_column(told, "at_ns")
    during = (at_ns >= begin_ns) & (at_ns <= end_ns + NS_PER_S)
    last = told.groupby("process")[["overflow", "never_left"]].max().clip(lower=0).sum()
    seconds = math.ceil((end_ns - begin_ns) / NS_PER_S)
    judged_ns = min(end_ns, begin_ns + round(targets.warmup_s * NS_PER_S))
    still = stalls.within(judged_ns, end_ns).worst((end_ns - judged_ns) / NS_PER_S)
    # A wait of seconds of which some tens of milliseconds are the generator's own was somebody else's doing.
    alone_ns = np.where(own.late > MOST_ERROR * (waits.seen_ns - waits.due_ns - own.all), own.late, 0)
    return Load(
        rows=told[during],
        judged=told[during & (at_ns >= begin_ns + targets.warmup_s * NS_PER_S)],
        stalls=stalls.within(begin_ns, end_ns),
        still=still,
        is_open=targets.workload is Workload.OPEN,
        behind=departures.behind.share_of_seconds(begin_ns, seconds),
        busy_cores=cores[1][(cores[0] >= begin_ns) & (cores[0] <= end_ns + NS_PER_S)],
        begin_s=begin_ns / NS_PER_S,
        seconds=(end_ns - begin_ns) / NS_PER_S,
        stretch=_stretch(evidence, figures, len(sends), int(last["never_left"]), still),
        processes=max(1, len(evidence.parts)),
        sends=len(sends),
        own_errors=own_errors(sends, evidence.calls, evidence.sockets),
        overflow=int(last["overflow"]),
        never_left=int(last["never_left"]),
        late_ms=_p95_ms(own.late) if len(own.late) else 0.0,
        late_alone_ms=_p95_ms(alone_ns) if len(alone_ns) else 0.0,
        late_most_ms=MOST_ERROR * targets.send_p95_ms,
        delay=_delay(waits, own, targets, begin_ns, seconds),
    )


def _delay(waits: Waits, own: _Own, targets: Targets, begin_ns: int, seconds: int) -> Delay:
    """Of the sends of which much is the generator's own when that was, and how much of it is explained."""
    own_ns = own.all
    least_ns = NS_PER_MS * min(targets.send_avg_ms, targets.send_p95_ms)
    much = own_ns > MOST_ERROR * np.maximum(least_ns, waits.seen_ns - waits.due_ns - own_ns)
    left_late, read_late = much & (own.late > 0), much & (own.unread > 0)
    held = Spans(
        np.concatenate([waits.process[left_late], waits.process[read_late]]),
        np.concatenate([waits.due_ns[left_late], (waits.seen_ns - own.unread)[read_late]]),
        np.concatenate([waits.left_ns[left_late], waits.seen_ns[read_late]]),
    ).share_of_seconds(begin_ns, seconds)
    if not much.any():  # none stands out; together they may be much all the same
        much = own_ns > 0
    own_s, noted_s, slots_s = (
        float(part[much].sum()) / NS_PER_S for part in (own_ns, own.noted + own.unread, own.slots)
    )
    return Delay(held, own_s, noted_s, slots_s)


def _stretch(evidence: Evidence, figures: list[Figure], sends: int, never_left: int, still: Still) -> float:
    """How many times as much would have been done without the generator's own delays."""
    targets = Targets.of(evidence.run.settings)
    if targets.workload is Workload.OPEN:
        return (sends + never_left) / sends if sends else 1.0
    average = next((figure for figure in figures if figure.id == "latency.send.avg"), None)
    # users of a process that stands still neither think nor send
    unmade = 1 / max(LEAST_AWAKE, 1 - still.idle_share)
    if average is None:
        return unmade
    think_ms = 1000 * float(evidence.run.settings.get("CHATSOAK_THINK_TIME_S", 1.0))
    return max(unmade, (think_ms + average.observed_ms) / (think_ms + average.without_ms))
