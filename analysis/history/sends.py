"""The sends of a run, read from its record: the distribution of their latency, which no verdict has."""

from pathlib import Path

from analysis.errors import RecordError
from analysis.evidence import read_evidence
from analysis.history.runs import record_is_there
from analysis.latency import Latencies, Targets, send_latencies, with_warmup
from analysis.timeline import TimeAxis, ramp_s


def read_sends(folder: Path) -> Latencies:
    """The latency of every acknowledged send of the run in `folder`, with those judged that its verdict is about.

    Raises:
        RecordError: its record was removed, or cannot be read, or no send of it was judged.
    """
    if not record_is_there(folder):
        raise RecordError("its record was removed.")
    evidence = read_evidence(folder, only=("sends", "generator"))
    axis = TimeAxis.of(evidence)
    sends = evidence.sends.assign(axis_ns=axis.place_column(evidence.sends, "left_ns"))
    targets = with_warmup(Targets.of(evidence.run.settings), sends, ramp_s(evidence, axis))
    found = send_latencies(sends, targets)
    if not found.judged.any():
        raise RecordError("no send was acknowledged after its warm-up.")
    return found
