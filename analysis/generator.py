"""The load generator's own part in the figures: from the evidence to what `analysis.checks.generator` judges. Pure."""

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.attempts import acknowledged
from analysis.checks import generator
from analysis.checks.generator import Figure
from analysis.checks.own_errors import own_errors, own_failures
from analysis.checks.spans import Spans
from analysis.checks.stalls import Bools, Departures, Stalls, Waits, own_ns
from analysis.checks.suite import guarded
from analysis.criteria import Criterion
from analysis.evidence import Evidence
from analysis.latency import NS_PER_MS, NS_PER_S, Ints, Latencies, Targets, average_ms, nearest_rank
from analysis.record.codes import Outcome
from analysis.record.process import KERNEL
from analysis.settings import Workload
from analysis.timeline import TimeAxis

# Before table ``stalls`` there was only the worst lateness of each second.
OLD_STALL_MS = 10.0


def weigh(
    criteria: Iterable[Criterion],
    evidence: Evidence,
    axis: TimeAxis,
    targets: Targets,
    *,
    sends: pd.DataFrame,
    sent: Latencies,
    delivered: Latencies,
) -> tuple[Criterion, ...]:
    """The criteria, those that fail for reasons of the generator's own made inconclusive, and `generator.healthy`.

    Args:
        sends: `evidence.sends` with ``axis_ns``.
        sent: of its acknowledged messages, as `latency.send_latencies` gives them.
    """
    stalls = _stalls(evidence, axis)
    departures = Departures(stalls, _busy(evidence, axis), *_taken(evidence, axis))
    stamped = _stamped(evidence)
    messages = _of_messages(sends, targets, stamped)
    late_ns = own_ns(messages, None, departures)[sent.judged]
    unread_ns = own_ns(messages, stalls, None)[sent.judged]
    figures = [
        *_send_figures(sent, messages, late_ns, unread_ns, targets),
        *_delivery_figures(delivered, stalls, targets, stamped),
    ]
    attempts = _of_attempts(sends, stamped)
    failures = own_failures(sends, attempts.seen_ns - attempts.left_ns, own_ns(attempts, stalls, None))
    not_ok = int((sends["outcome"] != Outcome.OK).sum())
    allowed = targets.errors_share * len(sends)
    errors_turn = not_ok > allowed >= not_ok - int(failures.sum())
    load = _load(evidence, axis, targets, sends, stalls, departures, figures, late_ns)
    return (
        *generator.excuse(criteria, figures, errors_turn),
        guarded("generator.healthy", lambda: generator.healthy(load, figures, errors_turn)),
    )


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


def _busy(evidence: Evidence, axis: TimeAxis) -> Spans:
    """The seconds in which a process used, or waited for, nearly all that it may use of a processor."""
    told = evidence.generator
    at_ns, process = axis.place_column(told, "at_ns"), told["process"].to_numpy(np.int64)
    order = np.lexsort((at_ns, process))
    told, at_ns, process = told.iloc[order], at_ns[order], process[order]
    since_ns = np.concatenate(([0], at_ns[:-1]))  # a row tells of the time since the one before it
    first = np.diff(process, prepend=-1) != 0
    since_ns[first] = at_ns[first] - NS_PER_S
    waited_ms = told["run_delay_ms"].to_numpy(np.float64).clip(min=0)
    wanted = told["cpu_share"].to_numpy(np.float64) + waited_ms * NS_PER_MS / np.maximum(1, at_ns - since_ns)
    busy = wanted >= generator.BUSY * generator.usable(told)
    return Spans(process[busy], since_ns[busy], at_ns[busy])


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


def _send_figures(
    sent: Latencies, messages: Waits, late_ns: Ints, unread_ns: Ints, targets: Targets
) -> list[Figure]:
    latency_ns = sent.latency_ns[sent.judged]
    if not len(latency_ns):
        return []
    without_ns = latency_ns - np.minimum(late_ns + unread_ns, latency_ns)
    service_ns = (messages.seen_ns - messages.left_ns)[sent.judged] - unread_ns
    return [
        Figure(name, target_ms, of(latency_ns), of(without_ns), of(service_ns))
        for name, target_ms, of in (
            ("latency.send.avg", targets.send_avg_ms, average_ms),
            ("latency.send.p95", targets.send_p95_ms, _p95_ms),
        )
    ]


def _delivery_figures(delivered: Latencies, stalls: Stalls, targets: Targets, stamped: Bools) -> list[Figure]:
    judged = delivered.judged
    latency_ns = delivered.latency_ns[judged]
    if not len(latency_ns):
        return []
    without_ns = latency_ns
    if len(stalls):
        process, left = delivered.process[judged], delivered.start_ns[judged]
        waits = Waits(process, left, left, left, left + latency_ns, stamped[process])
        without_ns = latency_ns - np.minimum(own_ns(waits, stalls, None), latency_ns)
    without_ms = _p95_ms(without_ns)
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
    figures: list[Figure],
    late_ns: Ints,
) -> generator.Load:
    told = evidence.generator
    left = sends["axis_ns"].to_numpy(np.int64)
    begin_ns = int(left.min()) if len(left) else 0
    end_ns = int(left.max()) if len(left) else 0
    at_ns = axis.place_column(told, "at_ns")
    during = (at_ns >= begin_ns) & (at_ns <= end_ns + NS_PER_S)
    last = told.groupby("process")[["overflow", "never_left"]].max().clip(lower=0).sum()
    return generator.Load(
        rows=told[during],
        judged=told[during & (at_ns >= begin_ns + targets.warmup_s * NS_PER_S)],
        stalls=stalls.within(begin_ns, end_ns),
        behind=departures.behind.share_of_seconds(begin_ns, math.ceil((end_ns - begin_ns) / NS_PER_S)),
        begin_s=begin_ns / NS_PER_S,
        seconds=(end_ns - begin_ns) / NS_PER_S,
        stretch=_stretch(evidence, figures, len(sends), int(last["never_left"])),
        processes=max(1, len(evidence.parts)),
        sends=len(sends),
        own_errors=own_errors(sends["error"], evidence.calls["error"], evidence.sockets["detail"]),
        overflow=int(last["overflow"]),
        never_left=int(last["never_left"]),
        late_ms=_p95_ms(late_ns) if len(late_ns) else 0.0,
        late_most_ms=generator.MOST_ERROR * targets.send_p95_ms,
    )


def _stretch(evidence: Evidence, figures: list[Figure], sends: int, never_left: int) -> float:
    """How many times as much would have been done without the generator's own delays."""
    targets = Targets.of(evidence.run.settings)
    if targets.workload is Workload.OPEN:
        return (sends + never_left) / sends if sends else 1.0
    average = next((figure for figure in figures if figure.id == "latency.send.avg"), None)
    if average is None:
        return 1.0
    think_ms = 1000 * float(evidence.run.settings.get("CHATSOAK_THINK_TIME_S", 1.0))
    return (think_ms + average.observed_ms) / (think_ms + average.without_ms)
