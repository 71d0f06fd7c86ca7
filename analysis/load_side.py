"""The load processes' own side of a run, as a report shows it: what they noted of themselves each second. No I/O.

A bucket has the worst of all processes: one that cannot keep up is enough for figures that are not to be believed.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.gauges import NS_PER_S
from analysis.server import Panel
from analysis.timeline import TimeAxis


def load_side(evidence: Evidence, axis: TimeAxis, width_s: int) -> tuple[Panel, ...]:
    """Panels of what was noted; what an earlier version did not note, or a closed workload does not have, is left out."""
    told = evidence.generator
    at_s = axis.place_column(told, "at_ns") // (width_s * NS_PER_S) * width_s
    return tuple(panel for panel in _panels(told, at_s) if panel.lines)


def _panels(told: pd.DataFrame, at_s: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Iterator[Panel]:
    def worst(column: str, scale: float = 1.0) -> pd.Series:
        known = told[column].to_numpy(np.float64) >= 0  # -1: not noted
        values = pd.Series(told[column].to_numpy(np.float64)[known] * scale)
        return values.groupby(pd.Index(at_s[known], name="at_s")).max()

    def of(title: str, unit: str, **lines: pd.Series) -> Panel:
        return Panel(
            title, unit, {label.replace("_", " "): line for label, line in lines.items() if len(line)}
        )

    yield of("Event loop: latest beat", "ms", lag=worst("loop_lag_ms"))
    yield of("Processor used", "% of a core", used=worst("cpu_share", 100))
    yield of(
        "Waited for the processor", "ms per s", others=worst("run_delay_ms"), quota=worst("throttled_ms")
    )
    yield of("Garbage collection", "ms per s", all=worst("gc_ms"), longest=worst("gc_longest_ms"))
    if told["in_flight"].gt(0).any() or told["late_ms"].gt(0).any():  # an open workload
        yield of("Departures: latest", "ms", late=worst("late_ms"), waited_for_a_slot=worst("slot_wait_ms"))
        yield of("Actions under way", "", under_way=worst("in_flight"))
        yield of(
            "Could not leave in time, since the start",
            "actions",
            no_slot=worst("overflow"),
            never_left=worst("never_left"),
        )
