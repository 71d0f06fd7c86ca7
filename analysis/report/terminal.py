"""The closing summary of a run on the terminal: about ten lines, each with its label.

Rich honours NO_COLOR and leaves out colours where the output is no terminal. Whatever comes from the run goes through
`in_a_line`: an error of the database may hold escape sequences, or line ends with which it would pass for a row of ours.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from analysis.criteria import DRIFTS, Verdict
from analysis.report import headline, levels, numbers
from analysis.visible import in_a_line

COLOUR = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INFO: "cyan",
}
REASONS_SHOWN = 2
IDS_SHOWN = 3  # of the criteria whose reasons are not
INDENT = 16
LATENCIES = (
    ("Average", "latency.send.avg"),
    ("P95", "latency.send.p95"),
    ("Delivery P95", "latency.delivery.p95"),
)


def show(console: Console, verdict: Mapping[str, Any], users: int, report: Path) -> None:
    """Print the closing summary of `verdict`, with the path of its report.

    Args:
        users: the most Locust users at one time; 0 = not recorded.
    """
    outcome = Verdict(verdict["outcome"])
    criteria = headline.entries(verdict)
    head = Text.assemble(
        (f"{_sign(console, outcome)}{headline.WORD[outcome].upper()}", COLOUR[outcome]),
        f"  {headline.RELEASE[outcome]}",
    )
    console.print(head, soft_wrap=True)
    _row(console, "Why", *_why(verdict))
    if notes := headline.notes(verdict):
        _row(console, "Note", *(_said(note) for note in notes))
    _row(console, "Sends", _said(_sends(verdict, users)))
    _row(console, "Deliveries", _said(_deliveries(verdict)))
    for label, name in LATENCIES:
        if entry := criteria.get(name):
            _row(console, label, _latency(console, entry))
    _row(console, "Findings", _findings(verdict))
    drifts = [criteria[name] for name in DRIFTS if name in criteria]
    if any(entry["observed"] is not None for entry in drifts):
        _row(console, "Drift", _said("; ".join(_drift(entry, verdict) for entry in drifts)))
    if generator := criteria.get("generator.healthy"):
        _row(console, "Generator", _generator(generator))
    _row(console, "Report", _said(str(_short(report))), whole=True)


def _said(words: str, style: str = "") -> Text:
    """`words`, whoever wrote them, as a terminal may get them."""
    return Text(in_a_line(words), style=style)


def _row(console: Console, label: str, *said: Text, whole: bool = False) -> None:
    """A label and what is said of it, wrapped beside the label; `whole` lines and those for programs are not wrapped."""
    for text in said:
        wraps = console.is_terminal and not whole and console.width > 2 * INDENT
        for line in text.wrap(console, console.width - INDENT) if wraps else [text]:
            console.print(Text.assemble((f"  {label:<{INDENT - 2}}", "dim"), line), soft_wrap=True)
            label = ""


def _short(path: Path) -> Path:
    """`path` as one would type it here."""
    here = Path.cwd()
    return path.absolute().relative_to(here) if path.absolute().is_relative_to(here) else path


def _sign(console: Console, outcome: Verdict) -> str:
    """The sign before a word, with its space; none where the terminal cannot write it."""
    return f"{headline.SIGN[outcome]} " if console.encoding.startswith("utf") else ""


def _why(verdict: Mapping[str, Any]) -> list[Text]:
    """What decided: in words where it is little, else the first of it and ids of the rest."""
    reasons = headline.reasons(verdict)
    if verdict["outcome"] == Verdict.PASS:
        only_just = [entry["id"] for entry in verdict["criteria"] if numbers.straddles(entry)]
        unjudged = [entry["id"] for entry in verdict["criteria"] if entry["outcome"] == Verdict.INFO]
        sentences = [sentence for _, sentence in reasons]
        if only_just:
            sentences.append(f"Only just: {', '.join(only_just)}; another run may come out the other way.")
        if unjudged:
            sentences.append(f"Not judged: {', '.join(unjudged)}.")
        return [_said(" ".join(sentences))]
    shown = reasons if len(reasons) <= REASONS_SHOWN else reasons[: REASONS_SHOWN - 1]
    told = [_said(sentence) for _, sentence in shown]
    if rest := [name for name, _ in reasons[len(shown) :] if name is not None]:
        others = " …" if len(rest) > IDS_SHOWN else ""
        told.append(_said(f"and {len(rest)} more: {', '.join(rest[:IDS_SHOWN])}{others}"))
    return told


def _sends(verdict: Mapping[str, Any], users: int) -> str:
    counts = verdict["counts"]
    if not counts["sends"]:
        return "No message was sent."
    by = f" by {numbers.plural(users, 'user')}" if users else ""
    fates = f"{counts['ok']:,} ok, {counts['fail']:,} fail, {counts['info']:,} info"
    return f"{counts['sends']:,}{by}: {fates}; {counts['stored']:,} stored"


def _deliveries(verdict: Mapping[str, Any]) -> str:
    counts = verdict["counts"]
    return f"{counts['deliveries']:,} of {counts['deliveries_expected']:,} owed to participants arrived"


def _latency(console: Console, entry: Mapping[str, Any]) -> Text:
    outcome = Verdict(entry["outcome"])
    between = numbers.interval(entry)
    around = f", {numbers.interval_name(entry)} {between} {entry['unit']}" if between else ""
    if numbers.straddles(entry):
        around += ", on both sides of the target"
    if numbers.is_doubted(entry):
        around = f", not to be believed: without the load generator's own delay {numbers.without(entry)}"
    return Text.assemble(
        (f"{_sign(console, outcome)}{numbers.observed(entry)}", COLOUR[outcome]),
        f", target {entry['target']}{around}",
    )


def _findings(verdict: Mapping[str, Any]) -> Text:
    """How many of which fault of the app, by the id of its criterion."""
    looked_for = headline.faults_looked_for(verdict)
    found = [
        Text(f"{name} {numbers.number(entry['observed'])}", style=COLOUR[Verdict(entry["outcome"])])
        for name, entry in looked_for.items()
        if entry["observed"]
    ]
    return Text(", ").join(found) if found else Text(f"none of {len(looked_for)} kinds that were looked for")


def _drift(entry: Mapping[str, Any], verdict: Mapping[str, Any]) -> str:
    of = entry["id"].partition(".")[2]
    if entry["observed"] is None:
        return f"{of} not judged"
    if entry["outcome"] == Verdict.PASS:
        return f"{of} {levels.briefly(verdict) if of == 'latency' else 'steady'}"
    return f"{of} {headline.WORD[Verdict(entry['outcome'])].lower()}, {numbers.observed(entry)}"


def _generator(entry: Mapping[str, Any]) -> Text:
    if entry["outcome"] == Verdict.PASS:
        return Text(f"kept up: its own delay is at most {numbers.observed(entry)} of a target or a latency")
    return _said(entry["reason"] or entry["title"], COLOUR[Verdict(entry["outcome"])])
