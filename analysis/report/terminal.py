"""The closing summary of a run on the terminal: about ten lines, each with its label.

Rich honours NO_COLOR and leaves out colours where the output is no terminal.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from analysis.criteria import Verdict
from analysis.report import headline, numbers

COLOUR = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INFO: "cyan",
}
REASONS_SHOWN = 3
INDENT = 16
LATENCIES = (
    ("Average", "latency.send.avg"),
    ("P95", "latency.send.p95"),
    ("Delivery P95", "latency.delivery.p95"),
)


def show(console: Console, verdict: Mapping[str, Any], users: int, endpoint: str, report: Path) -> None:
    """Print the closing summary of `verdict`, with the path of its report."""
    outcome = Verdict(verdict["outcome"])
    criteria = headline.entries(verdict)
    head = Text.assemble(
        (f"{_sign(console, outcome)}{headline.WORD[outcome].upper()}", COLOUR[outcome]),
        f"  run {verdict['run_id']}",
    )
    console.print(head, soft_wrap=True)
    _row(console, "Release", Text(headline.RELEASE[outcome]))
    _row(console, "Why", *_why(verdict))
    _row(console, "Sends", Text(_sends(verdict, users, endpoint)))
    _row(console, "Deliveries", Text(_deliveries(verdict)))
    for label, name in LATENCIES:
        if entry := criteria.get(name):
            _row(console, label, _latency(console, entry))
    _row(console, "Findings", _findings(verdict))
    drifts = [criteria[name] for name in headline.DRIFTS if name in criteria]
    _row(console, "Drift", Text("; ".join(map(_drift, drifts))))
    if generator := criteria.get("generator.healthy"):
        _row(console, "Generator", _generator(generator))
    _row(console, "Report", Text(str(_short(report))), whole=True)
    _row(console, "Open it", Text(report.absolute().as_uri()), whole=True)


def _row(console: Console, label: str, *said: Text, whole: bool = False) -> None:
    """A label and what is said of it, wrapped beside the label; `whole` lines and those for programs are not wrapped."""
    for text in said:
        wraps = console.is_terminal and not whole and console.width > 2 * INDENT
        for line in text.wrap(console, console.width - INDENT - 2) if wraps else [text]:
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
    reasons = headline.why(verdict)
    shown = [Text(reason) for reason in reasons[:REASONS_SHOWN]]
    if more := len(reasons) - len(shown):
        shown.append(Text(f"and {more} more, see the report."))
    return shown


def _sends(verdict: Mapping[str, Any], users: int, endpoint: str) -> str:
    counts = verdict["counts"]
    if not counts["sends"]:
        return "No message was sent."
    by = f"by {numbers.plural(users, 'user')} " if users else ""
    fates = f"{counts['ok']:,} ok, {counts['fail']:,} fail, {counts['info']:,} info"
    return f"{counts['sends']:,} {by}through {endpoint}: {fates}; {counts['stored']:,} stored"


def _deliveries(verdict: Mapping[str, Any]) -> str:
    counts = verdict["counts"]
    return f"{counts['deliveries']:,} of {counts['deliveries_expected']:,} owed to participants arrived"


def _latency(console: Console, entry: Mapping[str, Any]) -> Text:
    outcome = Verdict(entry["outcome"])
    between = numbers.interval(entry)
    around = f", 95% interval {between} {entry['unit']}" if between else ""
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


def _drift(entry: Mapping[str, Any]) -> str:
    of = entry["id"].partition(".")[2]
    if entry["observed"] is None:
        return f"{of} not judged"
    if entry["outcome"] == Verdict.PASS:
        return f"{of} steady"
    return f"{of} {headline.WORD[Verdict(entry['outcome'])].lower()}, {numbers.observed(entry)}"


def _generator(entry: Mapping[str, Any]) -> Text:
    if entry["outcome"] == Verdict.PASS:
        return Text(f"kept up: its own delay is at most {numbers.observed(entry)} of a target")
    return Text(entry["reason"] or entry["title"], style=COLOUR[Verdict(entry["outcome"])])
