"""``summary.md``: the verdict as Markdown, for the page of a CI job or a chat."""

from collections.abc import Mapping
from typing import Any

from analysis.criteria import Verdict
from analysis.report import headline, numbers
from analysis.report.markdown import plain as _plain

MARK = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.INFO: "ℹ️"}
FINDINGS_SHOWN = 10  # of each criterion; the rest is in verdict.json


def render(verdict: Mapping[str, Any], users: int, endpoint: str) -> str:
    """The Markdown of `verdict`; what came from the run is escaped."""
    outcome = Verdict(verdict["outcome"])
    lines = [
        f"# {MARK[outcome]} {headline.WORD[outcome]}: chatsoak run {_plain(verdict['run_id'])}",
        "",
        f"**{_plain(headline.RELEASE[outcome])}**",
        "",
        _plain(headline.sentence(verdict, users, endpoint)),
        *([headline.faults(verdict) or ""] if headline.faults(verdict) else []),
        "",
        *(f"- {_plain(sentence)}" for sentence in headline.why(verdict)),
        *(
            f"- {_plain(entry['title'])}: {_plain(entry['reason'])}"
            for entry in verdict["criteria"]
            if numbers.straddles(entry)
        ),
        "",
        *([f"**Note:** {_plain(' '.join(notes))}", ""] if (notes := headline.notes(verdict)) else []),
        *(["**How sure?** " + _plain(" ".join(sure)), ""] if (sure := headline.certainty(verdict)) else []),
        "| | Criterion | Target | Observed | 95% interval | Checked |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for entry in verdict["criteria"]:
        mark = MARK[Verdict(entry["outcome"])]
        lines.append(
            f"| {mark} | {_plain(entry['title'])} `{entry['id']}` | {_plain(entry['target'])} "
            f"| {_plain(numbers.observed(entry))} | {_plain(_interval(entry))} | {entry['checked']:,} |"
        )
    for entry in verdict["criteria"]:
        if entry["outcome"] == Verdict.FAIL and entry["examples"]:
            lines += ["", f"## {_plain(entry['title'])}", ""]
            lines += [f"- {_finding(example)}" for example in entry["examples"][:FINDINGS_SHOWN]]
            if len(entry["examples"]) > FINDINGS_SHOWN:
                lines.append(f"- … {numbers.in_all(entry)}")
    return "\n".join(lines) + "\n"


def _interval(entry: Mapping[str, Any]) -> str:
    between = numbers.interval(entry)
    return "" if between is None else f"{between} {entry['unit']}"


def _finding(example: Mapping[str, Any]) -> str:
    ids = [
        f"{label} {example[name]}"
        for name, label in (("chat_id", "chat"), ("seq", "seq"), ("message_id", "message"))
        if example[name] is not None
    ]
    return _plain(example["why"] + (f" ({', '.join(ids)})" if ids else ""))
