"""Whether two runs may be compared: the same load on the same target, for about as long. No input or output here."""

from math import log2
from typing import Any

from analysis.history.stored import StoredVerdict

EMBEDDED = "the embedded staging environment"


def traits(verdict: StoredVerdict) -> dict[str, Any] | None:
    """What runs must share to be compared, by names for people; None where the verdict does not say.

    The duration counts by its power of two, so that 59 and 61 minutes are alike, and 10 and 60 are not.
    """
    load = verdict.load
    if load is None:
        return None
    return {
        "target": EMBEDDED if verdict.target.embedded else verdict.target.host,
        "users": load.users,
        "load processes": load.processes,
        "duration": None if not load.seconds or load.seconds <= 0 else f"about {_about(load.seconds)}",
        **load.settings,
    }


def differences(a: StoredVerdict, b: StoredVerdict) -> list[str]:
    """Why two runs cannot be compared, a phrase for each trait that differs; empty when they can."""
    of_a, of_b = traits(a), traits(b)
    unknown = [one.run_id for one, its in ((a, of_a), (b, of_b)) if its is None]
    if of_a is None or of_b is None:
        return [
            f"the verdict of {name} does not say what its load was; run chatsoak report {name}"
            for name in unknown
        ]
    names = [*of_a, *(name for name in of_b if name not in of_a)]
    return [
        f"{name} is {_said(of_a.get(name))} in A and {_said(of_b.get(name))} in B"
        for name in names
        if of_a.get(name) != of_b.get(name)
    ]


def group_of(verdict: StoredVerdict) -> tuple[tuple[str, str], ...] | None:
    """A key that comparable runs share; None for a run that says nothing of its load."""
    found = traits(verdict)
    return None if found is None else tuple((name, str(value)) for name, value in found.items())


def in_words(verdict: StoredVerdict) -> str:
    """A run's load in a line: users, workload, duration, target."""
    found = traits(verdict) or {}
    users, workload = found.get("users"), found.get("CHATSOAK_WORKLOAD", "")
    rate = f" at {found['CHATSOAK_ARRIVAL_RATE']}/s" if "CHATSOAK_ARRIVAL_RATE" in found else ""
    parts = [
        f"{users:,} {'user' if users == 1 else 'users'}" if users else "users not recorded",
        f"{workload} workload{rate}",
        str(found.get("duration") or "duration not recorded"),
        str(found.get("target", verdict.target.host)),
    ]
    return ", ".join(parts)


def _about(seconds: float) -> str:
    """The range of durations that `seconds` falls into, as "8 minutes": powers of two of a minute, ± a factor of 1.4."""
    minutes = 2.0 ** round(log2(seconds / 60))
    if minutes >= 60:
        hours = round(minutes / 60)
        return f"{hours} {'hour' if hours == 1 else 'hours'}"
    return f"{minutes:.2g} {'minute' if minutes == 1 else 'minutes'}"


def _said(value: Any) -> str:
    return "not recorded" if value is None else str(value)
