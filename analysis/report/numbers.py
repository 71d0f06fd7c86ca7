"""How figures are written for people. A rounded figure never crosses the target it is compared with."""

import re
from collections.abc import Mapping
from typing import Any

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
    if entry["observed"] == 1 and unit.endswith("s") and unit != "ms":
        unit = unit.removesuffix("s")
    return f"{text}{unit}" if unit == "%" else f"{text} {unit}"


def interval(entry: Mapping[str, Any]) -> str | None:
    """The 95% interval of a criterion, or None when it has none; that of a short run is at least so wide."""
    if entry["ci95"] is None:
        return None
    low, high = entry["ci95"]
    return f"{'at least ' if is_short(entry) else ''}{number(low)} to {number(high)}"


def is_short(entry: Mapping[str, Any]) -> bool:
    """Whether the run was too short for an interval that holds the truth as often as it says."""
    return "short_run" in entry.get("facts", {})


def fact(name: str, value: float | int) -> str:
    """A fact beside a criterion: ``p99_ms`` becomes "P99 209.8 ms", ``rows`` "rows 4,005"."""
    for suffix, unit in (("_ms", " ms"), ("_s", " s"), ("_bytes", " bytes")):
        if name.endswith(suffix):
            return f"{fact(name.removesuffix(suffix), value)}{unit}"
    words = re.sub(r"\bp(?=\d)", "P", name.replace("_", " "))
    return f"{words} {number(value)}"


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
