"""How much load was meant to be there at each second of a run. No input or output here.

A minute without a send is a bad one where people were there to send, and an empty one where nobody was. In a closed workload
users are the load that is meant. In an open one it is the planned rate, of which users who are not there leave out their part.
"""

import numpy as np
import pandas as pd

from analysis import series
from analysis.evidence import Evidence
from analysis.latency import NS_PER_S
from analysis.load import planned_rate
from analysis.timeline import TimeAxis


def demand(evidence: Evidence, axis: TimeAxis) -> pd.Series:
    """The load meant, in no unit, by second of the time axis, up to the stop of the load; empty where nobody told of users."""
    told = evidence.generator
    users = series.users_series(told["process"], axis.place_column(told, "at_ns"), told["users"], 1)["users"]
    origin_ns = axis.origin_of(evidence)
    if not len(users) or origin_ns is None:
        return users
    at_s = {name: (at_ns - origin_ns) / NS_PER_S for name, at_ns in phase_times(evidence).items()}
    if "stopping" in at_s:
        users = users[users.index < at_s["stopping"]]
    curve = planned_rate(evidence.run.settings)
    if curve is not None:
        since_s = users.index.to_numpy(np.float64) - at_s.get("load", 0.0)
        users = users * np.array([curve.at(second) for second in since_s])
    return users


def phase_times(evidence: Evidence) -> dict[str, int]:
    """When each phase of the run began, by the clock of the host that led it."""
    return {str(phase["name"]): int(phase["at_ns"]) for phase in evidence.run.phases}
