"""The load processes' own side of a run, as a report shows it: what they noted of themselves each second. No I/O.

Of several processes the worst counts: one that cannot keep up is enough for figures that are not to be believed.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.panels import Line, Panel, bucketed, panel
from analysis.timeline import TimeAxis


def load_side(evidence: Evidence, axis: TimeAxis, width_s: int, coarse_s: int) -> tuple[Panel, ...]:
    """Panels of what was noted; what was not noted, or what a closed workload does not have, is left out.

    Args:
        width_s, coarse_s: of the buckets to draw, and of those to read.
    """
    told = evidence.generator
    told = told.set_index(pd.Index(axis.place_column(told, "at_ns"), name="axis_ns")).sort_index(
        kind="stable"
    )
    return tuple(one for one in panels_of(told, width_s, coarse_s) if one.lines)


def panels_of(told: pd.DataFrame, width_s: int, coarse_s: int) -> Iterator[Panel]:
    """All panels there are, those without a line too."""

    def worst(column: str, scale: float = 1.0) -> Line:
        noted = told[column].astype(np.float64)
        return bucketed(noted[noted >= 0] * scale, width_s, coarse_s)  # -1: not noted

    yield panel("Event loop: latest beat", "ms", {"lag": worst("loop_lag_ms")})
    yield panel("Processor used", "% of a core", {"used": worst("cpu_share", 100)})
    yield panel(
        "Waited for the processor",
        "ms per s",
        {"for others": worst("run_delay_ms"), "for its quota": worst("throttled_ms")},
    )
    yield panel("Garbage collection", "ms per s", {"all": worst("gc_ms"), "longest": worst("gc_longest_ms")})
    is_open = bool((told["in_flight"] > 0).any() or (told["late_ms"] > 0).any())
    open_alone = {
        "Departures: latest": ("ms", {"late": "late_ms", "waited for a slot": "slot_wait_ms"}),
        "Actions under way": ("", {"under way": "in_flight"}),
        "Could not leave in time, since the start": (
            "actions",
            {"no slot": "overflow", "never left": "never_left"},
        ),
    }
    for title, (unit, columns) in open_alone.items():
        yield panel(title, unit, {label: worst(column) for label, column in columns.items() if is_open})
