"""The sends of a run, read from its record: the distribution of their latency, which no verdict has."""

from pathlib import Path

from analysis.errors import RecordError
from analysis.evidence import read_evidence
from analysis.history.runs import record_is_there
from analysis.latency import Latencies, Targets, send_latencies, with_warmup
from analysis.timeline import TimeAxis


def read_sends(folder: Path) -> Latencies:
    """The latency of every acknowledged send of the run in `folder`, with those judged that its verdict is about.

    Raises:
        RecordError: its record was removed, or cannot be read, or no send of it was judged.
    """
    if not record_is_there(folder):
        raise RecordError("its record was removed.")
    evidence = read_evidence(folder, only=("sends",))
    sends = evidence.sends.assign(axis_ns=TimeAxis.of(evidence).place_column(evidence.sends, "left_ns"))
    found = send_latencies(sends, with_warmup(Targets.of(evidence.run.settings), sends))
    if not found.judged.any():
        raise RecordError("no send was acknowledged after its warm-up.")
    return found
