"""The load generator's own part in the figures: from the evidence to what `analysis.checks.generator` judges. Pure."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from analysis.checks import generator
from analysis.checks.generator import Figure
from analysis.checks.stalls import Bools, Stalls, Waits
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
        sent: of its acknowledged sends, in their order.
    """
    stalls = _stalls(evidence, axis)
    stamped = _stamped(evidence)
    waits = _waits(sends, targets, stamped)
    own_ns = stalls.own_ns(waits)
    acknowledged = sends["outcome"].to_numpy() == Outcome.OK
    figures = [
        *_send_figures(sent, own_ns[acknowledged], targets),
        *_delivery_figures(delivered, stalls, targets, stamped),
    ]
    failures = generator.own_failures(
        sends, stalls, pd.Series(waits.seen_ns - waits.due_ns), pd.Series(own_ns)
    )
    not_ok = int((~acknowledged).sum())
    allowed = targets.errors_share * len(sends)
    errors_turn = not_ok > allowed >= not_ok - int(failures.sum())
    load = _load(evidence, axis, sends, stalls, figures)
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


def _waits(sends: pd.DataFrame, targets: Targets, stamped: Bools) -> Waits:
    process = sends["process"].to_numpy(np.int64)
    left = sends["axis_ns"].to_numpy(np.int64)
    late = (sends["left_ns"] - sends["due_ns"]).to_numpy(np.int64)
    return Waits(
        process,
        left - late if targets.workload is Workload.OPEN else left,
        left,
        left + (sends["answered_ns"] - sends["left_ns"]).to_numpy(np.int64),
        stamped[process] & (sends["status_code"].to_numpy(np.int64) > 0),  # otherwise it was given up
    )


def _send_figures(sent: Latencies, own_ns: Ints, targets: Targets) -> list[Figure]:
    latency_ns, own_ns = sent.latency_ns[sent.judged], own_ns[sent.judged]
    if not len(latency_ns):
        return []
    without_ns = latency_ns - np.minimum(own_ns, latency_ns)
    return [
        Figure("latency.send.avg", targets.send_avg_ms, average_ms(latency_ns), average_ms(without_ns)),
        Figure("latency.send.p95", targets.send_p95_ms, _p95_ms(latency_ns), _p95_ms(without_ns)),
    ]


def _delivery_figures(delivered: Latencies, stalls: Stalls, targets: Targets, stamped: Bools) -> list[Figure]:
    judged = delivered.judged
    latency_ns = delivered.latency_ns[judged]
    if not len(latency_ns):
        return []
    without_ns = latency_ns
    if len(stalls):
        process, left = delivered.process[judged], delivered.start_ns[judged]
        own_ns = stalls.own_ns(Waits(process, left, left, left + latency_ns, stamped[process]))
        without_ns = latency_ns - np.minimum(own_ns, latency_ns)
    observed_ms = _p95_ms(latency_ns)
    return [Figure("latency.delivery.p95", targets.delivery_p95_ms, observed_ms, _p95_ms(without_ns))]


def _p95_ms(values: Ints) -> float:
    return nearest_rank(values, 95) / NS_PER_MS


def _load(
    evidence: Evidence, axis: TimeAxis, sends: pd.DataFrame, stalls: Stalls, figures: list[Figure]
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
        stalls=stalls.within(begin_ns, end_ns),
        begin_s=begin_ns / NS_PER_S,
        seconds=(end_ns - begin_ns) / NS_PER_S,
        stretch=_stretch(evidence, figures, len(sends), int(last["never_left"])),
        processes=max(1, len(evidence.parts)),
        sends=len(sends),
        own_errors=generator.own_errors(sends["error"], evidence.calls["error"], evidence.sockets["detail"]),
        overflow=int(last["overflow"]),
        never_left=int(last["never_left"]),
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
