"""Whether two runs may be compared: the same load on the same target, for about as long. No input or output here."""

from typing import Any

from analysis.history.stored import StoredVerdict

EMBEDDED = "the embedded staging environment"
ABOUT_AS_LONG = 1.25  # the longer of two runs lasts at most so many times as long as the shorter
SHORT_S = 90  # said in seconds up to here
LONG_MINUTES = 120  # and in hours from here on


def traits(verdict: StoredVerdict) -> dict[str, Any] | None:
    """What runs must share to be compared, by names for people; None where the verdict does not say.

    How long the load lasted is not among them: there `about_as_long` decides.
    """
    load = verdict.load
    if load is None:
        return None
    return {
        "target": EMBEDDED if verdict.target.embedded else verdict.target.host,
        "faults of the target": ", ".join(sorted(load.faults)) or "none",
        "users": load.users,
        "load processes": load.processes,
        **load.settings,
    }


def about_as_long(a: StoredVerdict, b: StoredVerdict) -> bool:
    """Whether the loads of both lasted about as long: by `ABOUT_AS_LONG`, or for both it was not noted."""
    of_a, of_b = lasted(a), lasted(b)
    if of_a is None or of_b is None:
        return of_a is of_b
    return max(of_a, of_b) <= ABOUT_AS_LONG * min(of_a, of_b)


def lasted(verdict: StoredVerdict) -> float | None:
    """How long the load lasted, in seconds; None where that was not noted, or it never began."""
    seconds = verdict.load.seconds if verdict.load else None
    return seconds if seconds and seconds > 0 else None


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
    told = [
        f"{name} is {_said(of_a.get(name))} in A and {_said(of_b.get(name))} in B"
        for name in names
        if of_a.get(name) != of_b.get(name)
    ]
    if not about_as_long(a, b):
        told.append(f"duration is {_said(_about(lasted(a)))} in A and {_said(_about(lasted(b)))} in B")
    return told


def in_words(verdict: StoredVerdict, seconds: float | None) -> str:
    """The load of runs like `verdict` in a line: users, workload, duration, target.

    Args:
        seconds: how long they lasted.
    """
    found = traits(verdict) or {}
    users, workload = found.get("users"), found.get("CHATSOAK_WORKLOAD", "")
    rate = f" at {found['CHATSOAK_ARRIVAL_RATE']}/s" if "CHATSOAK_ARRIVAL_RATE" in found else ""
    parts = [
        f"{users:,} {'user' if users == 1 else 'users'}" if users else "users not recorded",
        f"{workload} workload{rate}",
        _about(seconds) or "duration not recorded",
        str(found.get("target", verdict.target.host)),
    ]
    if verdict.load and verdict.load.faults:
        parts.append(f"with faults {found['faults of the target']}")
    return ", ".join(parts)


def _about(seconds: float | None) -> str | None:
    """A duration as people say it: about 45 seconds, about 10 minutes, about 1.5 hours."""
    if seconds is None:
        return None
    if seconds < SHORT_S:
        return f"about {_many(round(seconds), 'second')}"
    minutes = round(seconds / 60)
    if minutes < LONG_MINUTES and minutes != 60:
        return f"about {_many(minutes, 'minute')}"
    return f"about {_many(round(minutes / 60, 1), 'hour')}"


def _many(count: float, unit: str) -> str:
    return f"{count:g} {unit if count == 1 else unit + 's'}"


def _said(value: Any) -> str:
    return "not recorded" if value is None else str(value)
