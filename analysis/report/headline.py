"""The answer of a run in a few sentences, the same on the page, in the terminal and for CI systems."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.criteria import Verdict, counts_faults
from analysis.report import levels
from analysis.report.numbers import (
    interval_name,
    is_doubted,
    is_moved,
    is_short,
    is_too_few,
    limit,
    listed,
    number,
    observed,
    plural,
    straddles,
    within,
    without,
)

WORD = {
    Verdict.PASS: "Pass",
    Verdict.FAIL: "Fail",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.INFO: "Info",
}
SIGN = {Verdict.PASS: "✓", Verdict.FAIL: "✕", Verdict.INCONCLUSIVE: "?", Verdict.INFO: "i"}

# May this release, or this migration, go on to production?
RELEASE = {
    Verdict.PASS: "Yes, as far as this run can tell: this may be released.",
    Verdict.FAIL: "No: this should not be released as it is.",
    Verdict.INCONCLUSIVE: "Not known: this run cannot say whether this may be released.",
}

CUT_OFF = "The run was cut off before its end."
NOTES_SHOWN = 3
NOTE_MOST = 300  # letters

# Faults that the headline names, in a person's words (one, many), and the criteria that count them.
FAULTS = (
    (("lost message", "lost messages"), ("messages.lost",)),
    (("seq gap", "seq gaps"), ("seq.gaps", "seq.missing")),
    (("duplicate", "duplicates"), ("messages.duplicated", "realtime.duplicated")),
    (("seq given twice", "seqs given twice"), ("seq.duplicates",)),
    (("undelivered message", "undelivered messages"), ("realtime.missed",)),
)


@dataclass(frozen=True, slots=True)
class Tile:
    """A figure of the first screen.

    Attributes:
        share: the figure's part of its target, where it has one.
        sure: its 95% interval in words; None for what was counted, which has none.
    """

    label: str
    figure: str
    note: str
    outcome: str
    share: float | None = None
    sure: str | None = None


def entries(verdict: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The criteria of `verdict` by id."""
    return {entry["id"]: entry for entry in verdict["criteria"]}


def sentence(verdict: Mapping[str, Any], users: int, into: str) -> str:
    """What was sent, by whom and through what, and what became of it.

    Args:
        users: the most Locust users at one time.
        into: the path that messages were sent to.
    """
    counts = verdict["counts"]
    if not counts["sends"]:
        return "No message was sent."
    by = plural(users, "Locust user") if users else "Locust"
    if counts["sends"] == counts["ok"] == counts["stored"]:
        fate = "all were acknowledged and stored"
        owed = "owed to participants"
    else:
        fate = f"{counts['ok']:,} were acknowledged, {counts['stored']:,} are stored"
        owed = "of stored messages owed to participants"
    due, arrived = counts["deliveries_expected"], counts["deliveries"]
    if due == arrived:
        way = f"All {plural(due, 'delivery', 'deliveries')} {owed} arrived."
    else:
        way = f"Of {plural(due, 'delivery', 'deliveries')} {owed}, {arrived:,} arrived."
    sent = plural(counts["sends"], "message")
    return f"{by} sent {sent} through {into} into PostgreSQL: {fate}. {way}"


def why(verdict: Mapping[str, Any]) -> list[str]:
    """Why the outcome is what it is, a sentence for each criterion that decided it."""
    return [sentence for _, sentence in reasons(verdict)]


def reasons(verdict: Mapping[str, Any]) -> list[tuple[str | None, str]]:
    """As `why`, each sentence with the id of its criterion; None where it is about the run as a whole."""
    outcome = verdict["outcome"]
    decided = [entry for entry in verdict["criteria"] if entry["outcome"] == outcome]
    if outcome == Verdict.PASS:
        return [(None, f"All {len(decided)} criteria hold.")]
    cut_off = [(None, CUT_OFF)] if verdict["ended_at"] is None else []
    if outcome == Verdict.FAIL:
        return cut_off + [(entry["id"], _broken(entry)) for entry in decided]
    return cut_off + [
        (entry["id"], f"Not certain: “{entry['title']}”. {entry['reason'] or 'It could not be judged.'}")
        for entry in decided
    ]


def notes(verdict: Mapping[str, Any]) -> list[str]:
    """What happened to the run that its reader should know first, e.g. that it was ended early; the rest is counted."""
    told = [note if len(note) <= NOTE_MOST else f"{note[:NOTE_MOST]}…" for note in verdict["notes"]]
    if (rest := len(told) - NOTES_SHOWN) > 0:
        told[NOTES_SHOWN:] = [f"And {plural(rest, 'more note')}: see verdict.json."]
    return told


def faults_looked_for(verdict: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The criteria that count faults of the app, by id: they have the target 0, and looked at something."""
    return {
        name: entry
        for name, entry in entries(verdict).items()
        if counts_faults(name, entry["target"]) and entry["checked"]
    }


def certainty(verdict: Mapping[str, Any]) -> list[str]:
    """How sure the answer is, in sentences: what was followed, how exact and steady the latencies are, what was not judged."""
    criteria = entries(verdict)
    counts = verdict["counts"]
    told = []
    if counts["sends"]:
        told.append(
            f"{plural(counts['sends'], 'message')} and {plural(counts['deliveries_expected'], 'delivery', 'deliveries')} "
            "were followed one by one; none was sampled."
        )
    measured = [
        (label, criteria[name])
        for name, label in MEASURED
        if name in criteria and criteria[name]["ci95"] is not None and not is_doubted(criteria[name])
    ]
    moved = [f"{label} between {_around(entry)}" for label, entry in measured if is_moved(entry)]
    measured = [(label, entry) for label, entry in measured if not is_moved(entry)]
    sure = [
        f"the true {label} lies between {_around(entry)}"
        for label, entry in measured
        if not is_short(entry) and not is_too_few(entry)
    ]
    if sure:
        told.append(f"With 95% confidence {'; '.join(sure)}.")
    unsure = [f"the true {label} between {_around(entry)}" for label, entry in measured if is_short(entry)]
    if unsure:
        told.append(
            f"The run is too short to say how sure its figures are: {'; '.join(unsure)}, or further off."
        )
    few = [
        f"the true {label} between {_around(entry)}"
        for label, entry in measured
        if is_too_few(entry) and not is_short(entry)
    ]
    if few:
        told.append(f"Too little was measured to say how sure this is: {'; '.join(few)}, or above.")
    if moved:
        told.append(
            f"The level moved within the run, so that no confidence is claimed: {'; '.join(moved)}; see the steps and trends."
        )
    doubted = [
        f"{label} {observed(entry)}, without it {without(entry)}"
        for name, label in MEASURED
        if (entry := criteria.get(name)) and is_doubted(entry)
    ]
    if doubted:
        told.append(f"Not to be believed for the load generator's own delay: {'; '.join(doubted)}.")
    left_out = [
        (label, entry)
        for name, label in MEASURED
        if (entry := criteria.get(name)) and "left_out_ms" in entry["facts"]
    ]
    if left_out:
        figures = [f"{label} {number(entry['facts']['left_out_ms'])} ms" for label, entry in left_out]
        first_s = number(left_out[0][1]["facts"]["warmup_s"])
        told.append(
            f"The first {first_s} s are left out as warm-up, and miss the target by themselves: {listed(figures)}."
        )
    if level := levels.sentence(verdict):
        told.append(level)
    unjudged = [entry["title"] for entry in verdict["criteria"] if entry["outcome"] in _NOT_JUDGED]
    if unjudged:
        told.append(f"Not judged: {listed([f'“{title}”' for title in unjudged[:4]])}{_more(unjudged[4:])}.")
    return told


MEASURED = (
    ("latency.send.avg", "average"),
    ("latency.send.p95", "P95"),
    ("latency.delivery.p95", "P95 of delivery"),
    ("errors.send", "share of sends without an acknowledgement"),
)
_NOT_JUDGED = (Verdict.INCONCLUSIVE, Verdict.INFO)


def _around(entry: Mapping[str, Any]) -> str:
    low, high = entry["ci95"]
    target = limit(entry["target"])
    unit = entry["unit"] if entry["unit"] == "%" else f" {entry['unit']}"
    text = f"{number(low, target)} and {number(high, target)}{unit}"
    if straddles(entry):
        text += f", on both sides of its target of {target:g}{unit}"
    return text


def _more(rest: list[str]) -> str:
    return f" and {len(rest)} more" if rest else ""


def _broken(entry: Mapping[str, Any]) -> str:
    if entry["target"] == "0":
        return f"{entry['title']}: does not hold, found {observed(entry)}."
    own = f"; without the load generator's own delay {without(entry)}" if is_doubted(entry) else ""
    return f"{entry['title']}: {observed(entry)}, target {entry['target']}{own}."


def faults(verdict: Mapping[str, Any]) -> str | None:
    """Which of the faults that a chat must never show were found, or that none was; None = not judged."""
    criteria = entries(verdict)
    judged = [
        (nouns, [criteria[name] for name in names if name in criteria and criteria[name]["checked"]])
        for nouns, names in FAULTS
    ]
    counted = [
        (nouns, sum(int(entry["observed"] or 0) for entry in found)) for nouns, found in judged if found
    ]
    named = {name for _, names in FAULTS for name in names}
    others = faults_looked_for(verdict).items()
    more = sum(int(entry["observed"] or 0) for name, entry in others if name not in named)
    others_found = [f"{plural(more, 'fault', 'faults')} of other kinds"] if more else []
    bad = [plural(count, *nouns) for nouns, count in counted if count]
    if bad or not counted:
        return f"Found {listed([*bad, *others_found])}." if bad or others_found else None
    none = " and no ".join(_all_but_last([one for (one, _), _ in counted]))
    return f"No {none}, but {others_found[0]}." if others_found else f"No {none}."


def tiles(verdict: Mapping[str, Any]) -> list[Tile]:
    """The figures that a reader looks for first."""
    criteria = entries(verdict)
    counts = verdict["counts"]
    shown = [
        _latency_tile(label, criteria[name])
        for label, name in (
            ("Average send", "latency.send.avg"),
            ("P95 send", "latency.send.p95"),
            ("P95 delivery", "latency.delivery.p95"),
        )
        if name in criteria
    ]
    shown.append(
        Tile(
            "Messages stored",
            number(counts["stored"]),
            f"{counts['ok']:,} acknowledged",
            _worst(criteria, "messages."),
        )
    )
    shown.append(
        Tile(
            "Deliveries",
            number(counts["deliveries"]),
            f"of {counts['deliveries_expected']:,} due",
            _worst(criteria, "realtime."),
        )
    )
    looked_for = faults_looked_for(verdict)
    found = sum(int(entry["observed"] or 0) for entry in looked_for.values())
    kinds = f"{plural(len(looked_for), 'kind')} looked for"
    shown.append(Tile("Faults", number(found), kinds, _worst(looked_for, "")))
    return shown


def _latency_tile(label: str, entry: Mapping[str, Any]) -> Tile:
    target = limit(entry["target"])
    if entry["observed"] is None:
        return Tile(label, "–", f"target {entry['target']}", entry["outcome"])
    share = min(1.0, entry["observed"] / target) if target else None
    if is_doubted(entry):
        sure = f"not to be believed: without the load generator's own delay {without(entry)}"
        return Tile(label, observed(entry), f"target {entry['target']}", entry["outcome"], share, sure)
    between = within(entry)
    sure = f"{interval_name(entry)} {between}" if between else "too short a run for an interval"
    return Tile(label, observed(entry), f"target {entry['target']}", entry["outcome"], share, sure)


def _all_but_last(nouns: list[str]) -> list[str]:
    """`nouns` as at most two parts: all but the last joined by commas, and the last."""
    return nouns if len(nouns) == 1 else [", no ".join(nouns[:-1]), nouns[-1]]


def _worst(criteria: Mapping[str, Mapping[str, Any]], group: str) -> str:
    """The outcome of the criteria whose ids begin with `group`, taken together."""
    outcomes = {entry["outcome"] for name, entry in criteria.items() if name.startswith(group)}
    order = (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
    return next((outcome.value for outcome in order if outcome in outcomes), Verdict.INCONCLUSIVE.value)
