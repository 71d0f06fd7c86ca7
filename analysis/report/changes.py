"""Changes between two runs in words and in JSON, the same on the terminal, on the page and for programs."""

from typing import Any

from analysis.history.comparison import Change, Word
from analysis.history.figures import Figure, Measure
from analysis.history.sides import Comparison, Fault, Side
from analysis.history.stored import StoredCriterion
from analysis.report.numbers import listed, number

OUTCOMES = {0: "no regression", 1: "regression", 3: "inconclusive"}
TONE = {
    Word.REGRESSION: "fail",
    Word.IMPROVEMENT: "pass",
    Word.NOISE: "info",
    Word.SMALL: "info",
    Word.UNKNOWN: "inconclusive",
    Word.NOT_COMPARABLE: "inconclusive",
}
TERMS = {
    "A and B": "A is the older run, or the baseline; B is the one that is asked about.",
    "95% interval": "Of a hundred intervals made so, ninety-five hold the true figure; it is computed from whole stretches "
    "of the run, because neighbouring sends resemble each other.",
    Word.REGRESSION.value.capitalize(): "Worse, by more than chance explains, and by enough to matter.",
    Word.IMPROVEMENT.value.capitalize(): "Better, by more than chance explains, and by enough to matter.",
    Word.NOISE.value.capitalize(): "The interval of the difference holds zero: chance alone can explain it.",
    Word.SMALL.value.capitalize(): "Not by chance, yet below the bounds from which on a change matters.",
    Word.UNKNOWN.value.capitalize(): "One of the two has no interval, and the history is too short to lend one.",
    Word.NOT_COMPARABLE.value.capitalize(): "The loads or targets differ, or one of the two lacks the figure.",
}
OUTCOME_TONE = {0: "pass", 1: "fail", 3: "inconclusive"}


def value(measure: Measure, figure: Figure | None) -> str:
    """A figure with its unit, e.g. "212 ms"."""
    return "–" if figure is None else _with_unit(number(figure.value), measure.unit)


def interval(figure: Figure | None) -> str:
    """A figure's 95% interval, or nothing where it has none."""
    return "" if figure is None or figure.ci95 is None else _between(*figure.ci95)


def amount(change: Change) -> str:
    """The change in its unit, with its sign."""
    if change.difference is None:
        return "–"
    unit = " points" if change.measure.unit == "%" else change.measure.unit
    return _with_unit(signed(change.difference), unit)


def amount_interval(change: Change) -> str:
    """The change's 95% interval in its unit, or nothing."""
    return "" if change.ci95 is None else _between(*change.ci95, signs=True)


def percent(change: Change) -> str:
    """The change in per cent of A, with its sign."""
    return "–" if change.percent is None else f"{signed(change.percent)}%"


def percent_interval(change: Change) -> str:
    """The interval of the change in per cent of A, or nothing."""
    return "" if change.percent_ci95 is None else _between(*change.percent_ci95, signs=True)


def count(criterion: StoredCriterion) -> str:
    """How many faults a criterion counted."""
    return "nothing seen" if criterion.observed is None else number(int(criterion.observed))


def signed(amount: float) -> str:
    """A number with its sign; what rounds to nothing has none."""
    text = number(abs(amount))
    if not float(text.replace(",", "")):
        return "0"
    return f"{'+' if amount > 0 else '−'}{text}"


def sentences(found: Comparison) -> list[str]:
    """What the comparison comes to, the gravest first."""
    told = [
        f"{fault.b.title}: holds in A, does not in B ({count(fault.b)} {fault.b.unit})."
        for fault in found.newly_failing
    ]
    if found.differing:
        told.append(f"Not comparable: {listed(list(found.differing))}.")
    if found.doubts:
        told.append(f"The figures are not to be relied on: {listed(list(found.doubts))}.")
    for word in (Word.REGRESSION, Word.IMPROVEMENT):
        if changes := found.having(word):
            of = listed([f"{one.measure.title} ({percent(one)})" for one in changes])
            told.append(f"{_first(word, len(changes))}: {of}.")
    if not found.differing and not found.having(Word.REGRESSION) and not found.newly_failing:
        told.append("No figure is worse beyond noise and by enough to matter.")
    told += [f"{fault.b.title}: did not hold in A, holds in B." for fault in found.mended]
    return told


def as_json(found: Comparison) -> dict[str, Any]:
    """The comparison for programs; docs/nightly.md has the keys."""
    return {
        "schema": 1,
        "outcome": OUTCOMES[found.exit_code],
        "a": _side_json(found.a),
        "b": _side_json(found.b),
        "min_percent": found.bounds.percent,
        "min_ms": found.bounds.ms,
        "not_comparable": list(found.differing),
        "doubts": list(found.doubts),
        "figures": [_change_json(change) for change in found.changes],
        "newly_failing": [_fault_json(fault) for fault in found.newly_failing],
        "mended": [_fault_json(fault) for fault in found.mended],
        "notes": list(found.notes),
    }


def _first(word: Word, count: int) -> str:
    return word.value.capitalize() if count == 1 else f"{count} {word.value}s"


def _side_json(side: Side) -> dict[str, Any]:
    verdict = side.verdict
    return {
        "run_id": verdict.run_id,
        "outcome": verdict.outcome.value,
        "started_at": verdict.started_at.isoformat() if verdict.started_at else None,
        "record": side.sends is not None,
    }


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "id": change.measure.id,
        "title": change.measure.title,
        "unit": change.measure.unit,
        "a": _figure_json(change.a),
        "b": _figure_json(change.b),
        "change": change.difference,
        "change_ci95": change.ci95,
        "percent": change.percent,
        "percent_ci95": change.percent_ci95,
        "night_to_night": change.nights,
        "word": change.word.value,
        "reason": change.reason,
    }


def _figure_json(figure: Figure | None) -> dict[str, Any] | None:
    return None if figure is None else {"value": figure.value, "ci95": figure.ci95}


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {"id": fault.b.id, "title": fault.b.title, "a": fault.a.observed, "b": fault.b.observed}


def _with_unit(text: str, unit: str) -> str:
    return f"{text}{unit}" if unit in ("%", "/s", " points") else f"{text} {unit}"


def _between(low: float, high: float, *, signs: bool = False) -> str:
    write = signed if signs else number
    return f"{write(low)} to {write(high)}"
