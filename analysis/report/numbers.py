"""How figures are written for people. A rounded figure never crosses the target it is compared with."""

import re
from collections.abc import Mapping
from typing import Any

ALIKE = ("ms", "series")  # the same for one and for many
MOST_DECIMALS = 6  # nanoseconds, where the unit is milliseconds


def number(value: float | int, limit: float | None = None) -> str:
    """`value` with as many digits as say something.

    Args:
        limit: what `value` is compared with; digits are added until the two can be told apart.
    """
    if isinstance(value, int):
        return f"{value:,}"
    least = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    for decimals in range(least, MOST_DECIMALS + 1):
        text = f"{value:,.{decimals}f}"
        rounded = float(text.replace(",", ""))
        if limit is None or ((value < limit) == (rounded < limit) and (value > limit) == (rounded > limit)):
            break
    return text


def observed(entry: Mapping[str, Any]) -> str:
    """The observed figure of a criterion of ``verdict.json``, with its unit."""
    if entry["observed"] is None:
        return "nothing seen"
    unit = entry["unit"]
    text = number(entry["observed"], limit(entry["target"]))
    if entry["observed"] == 1 and unit.endswith("s") and unit not in ALIKE:
        unit = f"{unit.removesuffix('ies')}y" if unit.endswith("ies") else unit.removesuffix("s")
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}"


def interval(entry: Mapping[str, Any]) -> str | None:
    """The 95% interval of a criterion, or None when it has none; that of a short run, or of too few values, is at least so wide."""
    if entry["ci95"] is None:
        return None
    return between(*entry["ci95"], least=is_short(entry) or is_too_few(entry))


def between(low: float, high: float, *, least: bool) -> str:
    """An interval in words; `least` where it may have to be wider."""
    return f"{'at least ' if least else ''}{number(low)} to {number(high)}"


def interval_name(entry: Mapping[str, Any]) -> str:
    """What the interval of a criterion is called before its figures: no confidence is claimed where the level moved."""
    return "its level moved within the run, interval" if is_moved(entry) else "95% interval"


def is_short(entry: Mapping[str, Any]) -> bool:
    """Whether the run was too short for an interval that holds the truth as often as it says."""
    return "short_run" in entry.get("facts", {})


def is_too_few(entry: Mapping[str, Any], figure: str = "") -> bool:
    """Whether there were too few values for the upper end of an interval; `figure` as ``p99_`` where it is that of a fact."""
    return f"{figure}too_few" in entry.get("facts", {})


def is_moved(entry: Mapping[str, Any]) -> bool:
    """Whether the level moved within the run, by a step or a drift, so that the interval is that of no level."""
    return not {"level_moved", "steps"}.isdisjoint(entry.get("facts", {}))


def is_doubted(entry: Mapping[str, Any]) -> bool:
    """Whether so much of a latency is the load generator's own delay that the figure is not to be believed."""
    return "without_generator_ms" in entry.get("facts", {})


def without(entry: Mapping[str, Any]) -> str:
    """What such a figure would be without the generator's own delay."""
    return f"{number(float(entry['facts']['without_generator_ms']), limit(entry['target']))} ms"


def straddles(entry: Mapping[str, Any]) -> bool:
    """Whether the 95% interval of a criterion holds its target, so that another run may come out the other way."""
    return bool(entry["facts"].get("straddles"))


def in_all(entry: Mapping[str, Any]) -> str:
    """How many findings a criterion has, where only the first of them are shown, and how many are named elsewhere.

    What it observed says that only where it counts faults: it may also be a share of sends, or a time.
    """
    named = len(entry["examples"])
    counted = int(entry["observed"] if entry["target"] == "0" else entry["facts"].get("not_ok", named))
    return f"{counted:,} in all; verdict.json names {'them' if counted <= named else f'{named:,} of them'}"


def within(entry: Mapping[str, Any]) -> str | None:
    """The 95% interval of a criterion with its unit, or None when it has none."""
    between = interval(entry)
    return (
        None
        if between is None
        else f"{between}{entry['unit'] if entry['unit'] == '%' else ' ' + entry['unit']}"
    )


def span(low: float, high: float) -> str:
    """From the lowest to the highest of some values; one figure where these are written alike."""
    least, most = (number(int(end) if float(end).is_integer() else float(end)) for end in (low, high))
    return least if least == most else f"{least} to {most}"


def limit(target: str) -> float | None:
    """The number in a target such as ``< 500 ms``."""
    found = re.search(r"[\d.]+(?:e-?\d+)?", target.replace(",", ""))
    return float(found.group()) if found else None


def plural(count: int, one: str, many: str | None = None) -> str:
    """`count` and what it counts; `many` only where an s does not make the plural."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(things: list[str]) -> str:
    """`things` as a sentence lists them: a, b and c."""
    return things[0] if len(things) == 1 else f"{', '.join(things[:-1])} and {things[-1]}"
