"""Changes between two runs in words and in JSON, the same on the terminal, on the page and for programs."""

from typing import Any

from analysis.criteria import Verdict
from analysis.history.comparison import Change, Word
from analysis.history.figures import Figure, Measure
from analysis.history.sides import Comparison, Judged, Side
from analysis.history.stored import StoredCriterion
from analysis.report import numbers
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
    "95% interval": "Of a hundred intervals of runs that are long enough, ninety-five hold the true figure; it is computed from "
    "whole stretches of the run, because neighbouring sends resemble each other.",
    "At least": "So wide, or wider: the run is too short to show how slowly its level moves, or has too few values for an upper end. Then fewer than ninety-five of a hundred "
    "hold the true figure.",
    Word.REGRESSION.value.capitalize(): "Worse, by more than chance explains, and by enough to matter.",
    Word.IMPROVEMENT.value.capitalize(): "Better, by more than chance explains, and by enough to matter.",
    Word.NOISE.value.capitalize(): "Chance alone can explain it: the interval of the difference holds zero, or the runs "
    "are too short for a sure one, and the figure is not worse by enough to matter.",
    Word.SMALL.value.capitalize(): "Not by chance, yet below the bounds from which on a change matters.",
    Word.UNKNOWN.value.capitalize(): "It may be worse: one of the two has no interval, or no sure one, "
    "and the history has too few runs to say how much they differ by chance; or the level moved within one of them.",
    Word.NOT_COMPARABLE.value.capitalize(): "The loads or targets differ, or one of the two lacks the figure: it may be worse.",
    "Inconclusive": "Nothing is known to be worse, and something may be.",
}
OUTCOME_TONE = {0: "pass", 1: "fail", 3: "inconclusive"}
OUTCOME_OF = {
    Verdict.PASS: "holds",
    Verdict.FAIL: "does not hold",
    Verdict.INCONCLUSIVE: "is inconclusive",
    Verdict.INFO: "is not judged",
}


def value(measure: Measure, figure: Figure | None) -> str:
    """A figure with its unit, e.g. "212 ms"."""
    return "–" if figure is None else _with_unit(number(figure.value), measure.unit)


def interval(measure: Measure, figure: Figure | None) -> str:
    """A figure's 95% interval, e.g. "208 to 218 ms", or nothing where it has none."""
    if figure is None or figure.ci95 is None:
        return ""
    return _at_least(_with_unit(_between(*figure.ci95), measure.unit), figure.at_least)


def amount(change: Change) -> str:
    """The change in its unit, with its sign."""
    return "–" if change.difference is None else _in_unit(change, signed(change.difference))


def amount_interval(change: Change) -> str:
    """The change's 95% interval in its unit, or nothing."""
    if change.ci95 is None:
        return ""
    return _at_least(_in_unit(change, _between(*change.ci95, signs=True)), change.at_least)


def percent(change: Change) -> str:
    """The change in per cent of A, with its sign."""
    return "–" if change.percent is None else f"{signed(change.percent)}%"


def by(change: Change) -> str:
    """The change in per cent of A; in its unit where A is 0."""
    return amount(change) if change.percent is None else percent(change)


def percent_interval(change: Change) -> str:
    """The interval of the change in per cent of A, or nothing."""
    if change.percent_ci95 is None:
        return ""
    return _at_least(f"{_between(*change.percent_ci95, signs=True)}%", change.at_least)


def observed(criterion: StoredCriterion | None) -> str:
    """What a criterion observed, with its unit."""
    if criterion is None:
        return "not judged"
    seen = criterion.observed
    if seen is not None and criterion.target == "0":
        seen = int(seen)
    return numbers.observed({"observed": seen, "unit": criterion.unit, "target": criterion.target})


def outcome(criterion: StoredCriterion | None) -> str:
    """How a criterion came out, as a sentence says it of a run."""
    if criterion is None:
        return "is not judged"
    return OUTCOME_OF[criterion.outcome]


def signed(amount: float) -> str:
    """A number with its sign; what rounds to nothing has none."""
    text = number(abs(amount))
    if not float(text.replace(",", "")):
        return "0"
    return f"{'+' if amount > 0 else '−'}{text}"


def sentences(found: Comparison) -> list[str]:
    """What the comparison comes to, the gravest first."""
    told = [_newly_failing(one) for one in found.newly_failing]
    if found.differing:
        told.append(f"Not comparable: {listed(list(found.differing))}.")
    if found.doubts:
        told.append(f"The figures are not to be relied on: {listed(list(found.doubts))}.")
    for word in (Word.REGRESSION, Word.IMPROVEMENT):
        if changes := found.having(word):
            of = listed([f"{one.measure.title} ({by(one)})" for one in changes])
            told.append(f"{_first(word, len(changes))}: {of}.")
    if found.open and not found.differing:
        told.append(f"Not known whether worse: {'; '.join(_open(found))}.")
    told += [f"{one.named.title}: holds in A, {outcome(one.b)} in B." for one in found.unclear]
    if found.exit_code == 0:
        told.append("No figure is worse beyond noise and by enough to matter.")
    elif not told:
        told.append("Neither run has a figure that could be compared.")
    told += [f"{one.named.title}: did not hold in A, holds in B." for one in found.mended]
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
        "newly_failing": [_judged_json(one) for one in found.newly_failing],
        "mended": [_judged_json(one) for one in found.mended],
        "unclear": [_judged_json(one) for one in found.unclear],
        "notes": list(found.notes),
    }


def _newly_failing(one: Judged) -> str:
    before = outcome(one.a)
    fails = "does not" if before == OUTCOME_OF[Verdict.PASS] else "does not hold"
    target = "" if one.named.target == "0" else f", target {one.named.target}"
    return f"{one.named.title}: {before} in A, {fails} in B ({observed(one.b)}{target})."


def _open(found: Comparison) -> list[str]:
    """The figures of which nobody can say, by the reason for it."""
    reasons = dict.fromkeys(one.reason for one in found.open)
    return [
        f"{listed([one.measure.title for one in found.open if one.reason == reason])} ({reason})"
        for reason in reasons
    ]


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
        "at_least": change.at_least,
        "percent": change.percent,
        "percent_ci95": change.percent_ci95,
        "night_to_night": change.nights,
        "word": change.word.value,
        "reason": change.reason,
    }


def _figure_json(figure: Figure | None) -> dict[str, Any] | None:
    return (
        None
        if figure is None
        else {
            "value": figure.value,
            "ci95": figure.ci95,
            "at_least": figure.at_least,
            "level_moved": figure.level_moved,
        }
    )


def _judged_json(one: Judged) -> dict[str, Any]:
    return {
        "id": one.named.id,
        "title": one.named.title,
        "a": one.a.observed if one.a else None,
        "b": one.b.observed if one.b else None,
        "a_outcome": one.a.outcome.value if one.a else None,
        "b_outcome": one.b.outcome.value if one.b else None,
    }


def _in_unit(change: Change, text: str) -> str:
    """`text`, a difference, in the unit that differences of the measure have: those of percentages are points."""
    return _with_unit(text, " points" if change.measure.unit == "%" else change.measure.unit)


def _with_unit(text: str, unit: str) -> str:
    return f"{text}{unit}" if unit in ("%", "/s", " points") else f"{text} {unit}"


def _at_least(interval: str, least: bool) -> str:
    """`interval` as it is told where the truth may lie further off."""
    return f"at least {interval}" if least else interval


def _between(low: float, high: float, *, signs: bool = False) -> str:
    write = signed if signs else number
    return f"{write(low)} to {write(high)}"
