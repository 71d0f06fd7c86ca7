"""``summary.md``: the verdict as Markdown, for the page of a CI job or a chat."""

import re
from collections.abc import Mapping
from typing import Any

from analysis.criteria import Verdict
from analysis.report import headline, numbers
from analysis.visible import in_a_line

MARK = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.INCONCLUSIVE: "❔", Verdict.INFO: "ℹ️"}
FINDINGS_SHOWN = 10  # of each criterion; the rest is in verdict.json

# GitHub and GitLab look for addresses, mentions, references, emoji by name and maths when the Markdown is HTML already, where
# a sign that was escaped is a sign again. A space of no width beside it hinders these, an element of its own hinders maths.
_APART = "&#8203;"
_HARMLESS = (
    {ord(sign): f"\\{sign}" for sign in "\\`*_[]!~"}
    | {ord(sign): f"&#{ord(sign)};" for sign in "<>&|"}
    | {ord(sign): f"{sign}{_APART}" for sign in "@#"}
    | {ord("$"): "<span>&#36;</span>"}
)
_ADDRESS_OR_EMOJI = re.compile(r"(?<=:)(?=//|[\\\w+-]+:)|(?<=www)(?=\.)", re.IGNORECASE)
_LIST = re.compile(r"^\d*(?=[-+.)] )")


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


def _plain(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown, HTML or who shows them would act upon."""
    escaped = in_a_line(text).translate(_HARMLESS)
    return _LIST.sub(r"\g<0>\\", _ADDRESS_OR_EMOJI.sub(_APART, escaped))
