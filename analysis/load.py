"""What a run's load was: the facts that two runs must share before their latencies can be compared. No input or output.

`described` is the key ``load`` of ``verdict.json``, so that a run can still be placed among others when its record is gone.
"""

from collections.abc import Mapping
from typing import Any

from analysis.latency import NS_PER_S
from analysis.rates import RateCurve
from analysis.record.run import Run
from analysis.settings import Settings, Workload

# Settings that shape the load or what of it is measured. Names are those of `analysis.settings`.
SETTINGS = (
    "chatsoak_transport",
    "chatsoak_workload",
    "chatsoak_shape",
    "chatsoak_think_time_s",
    "chatsoak_people",
    "chatsoak_direct_share",
    "chatsoak_chats_per_person",
    "chatsoak_busy_share",
    "chatsoak_busy_weight",
    "chatsoak_repeat_share",
    "chatsoak_history_share",
    "chatsoak_reconnect_share",
    "chatsoak_outsider_share",
    "chatsoak_warmup_s",
)
OPEN_SETTINGS = ("chatsoak_arrivals", "chatsoak_arrival_rate", "chatsoak_max_in_flight")
CLOSED_ONLY = ("chatsoak_think_time_s",)


def described(run: Run, users: int) -> dict[str, Any]:
    """The load of `run`.

    Args:
        users: the most Locust users at one time; 0 = not recorded.

    Returns:
        ``users``; ``processes``: how many made the load; ``seconds``: from its begin to its stop, None where that was
        not noted; ``settings``: those that shape it, by name, where one that an older run did not have has its default;
        ``faults``: what the staging environment was told to do wrong, which changes what the load meets.
    """
    workload = _setting(run.settings, "chatsoak_workload")
    names = [*SETTINGS, *OPEN_SETTINGS] if workload == Workload.OPEN else SETTINGS
    return {
        "users": users,
        "processes": len(run.processes),
        "seconds": _seconds(run),
        "settings": {
            name.upper(): _setting(run.settings, name)
            for name in names
            if workload == Workload.CLOSED or name not in CLOSED_ONLY
        },
        "faults": sorted(run.faults),
    }


def planned_rate(settings: Mapping[str, Any]) -> RateCurve | None:
    """Sends a second over all users that were planned, by seconds since the load began; None in a closed workload."""
    if _setting(settings, "chatsoak_workload") != Workload.OPEN:
        return None
    return RateCurve.parse(str(_setting(settings, "chatsoak_arrival_rate")))


def _setting(settings: Mapping[str, Any], name: str) -> Any:
    found = settings.get(name.upper())
    return Settings.model_fields[name].default if found is None else found


def _seconds(run: Run) -> float | None:
    at_ns = {phase["name"]: phase["at_ns"] for phase in run.phases}
    if "load" not in at_ns or "stopping" not in at_ns:
        return None
    return round((int(at_ns["stopping"]) - int(at_ns["load"])) / NS_PER_S, 3)
