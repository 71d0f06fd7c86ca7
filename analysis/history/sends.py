"""The sends of a run, read from its record: what only they can tell when two runs are compared.

A verdict has intervals of the average and of P95. P50 and P99, and the distribution itself, need every value.
"""

from pathlib import Path

from analysis.errors import RecordError
from analysis.evidence import read_evidence
from analysis.history.figures import Figure
from analysis.history.runs import record_is_there
from analysis.latency import NS_PER_MS, Latencies, Targets, nearest_rank, send_latencies
from analysis.statistics.intervals import percentile_interval
from analysis.timeline import TimeAxis

PERCENTILES = {"send.p50": 50, "send.p95": 95, "send.p99": 99}


def read_sends(folder: Path) -> Latencies | None:
    """The latency of every acknowledged message of the run in `folder`; None when its record cannot be read any more."""
    if not record_is_there(folder):
        return None
    try:
        evidence = read_evidence(folder, only=("sends",))
    except RecordError:  # run.json is broken; the verdict, which is whole, still has figures
        return None
    axis_ns = TimeAxis.of(evidence).place_column(evidence.sends, "left_ns")
    found = send_latencies(evidence.sends.assign(axis_ns=axis_ns), Targets.of(evidence.run.settings))
    return found if found.judged.any() else None


def percentiles(latencies: Latencies) -> dict[str, Figure]:
    """Percentiles of the judged sends with their intervals, by measure."""
    judged_ns, start_ns = latencies.after_warmup(), latencies.start_ns[latencies.judged]
    return {
        name: Figure(
            nearest_rank(judged_ns, percent) / NS_PER_MS, percentile_interval(start_ns, judged_ns, percent)
        )
        for name, percent in PERCENTILES.items()
    }
