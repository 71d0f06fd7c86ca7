"""summary.md: the answer, how sure it is, and nothing that a text of the run could make of it."""

import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from analysis.report import summary
from tests.analysis.report.judgements import HOSTILE, Told, clean, close_call, faulty, judged, obeyed


def summary_of(history: Told, folder: Path) -> str:
    judgement = judged(history, folder)
    return summary.render(judgement.verdict, judgement.users, judgement.endpoint)


def test_it_answers_whether_this_may_be_released_and_how_sure_that_is(tmp_path: Path) -> None:
    text = summary_of(clean(), tmp_path / "run")
    assert "**Not known: this run cannot say whether this may be released.**" in text
    assert "**How sure?** 60 messages and 180 deliveries were followed one by one" in text
    assert "Not judged: " in text
    assert "**Note:** " in text, "what happened to the run comes before how sure it is"
    assert text.index("**Note:** ") < text.index("**How sure?** ")


def test_intervals_stand_in_the_table_and_one_that_holds_the_target_is_said(tmp_path: Path) -> None:
    history = close_call()
    verdict = judged(history, tmp_path / "a").verdict
    text = summary_of(history, tmp_path / "b")
    assert text.count("holds the target of 300 ms: another run like this one may come out the other way") == 1
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")]
    assert rows[0] == ["|", "Criterion", "Target", "Observed", "95% interval", "Checked |"]
    shown = {row[1].split("`")[1]: row[4] for row in rows[1:]}
    for entry in verdict["criteria"]:
        assert bool(re.fullmatch(r"(at least )?[\d.]+ to [\d.]+ (ms|%)", shown[entry["id"]])) == (
            entry["ci95"] is not None
        )
    assert "holds the target" not in summary_of(clean(), tmp_path / "c")


def test_a_text_of_the_run_cannot_break_it(tmp_path: Path) -> None:
    judgement = judged(faulty(), tmp_path / "run")
    text = summary.render(judgement.verdict, judgement.users, judgement.endpoint)
    assert text.startswith("# ❌ Fail")
    assert "<script" not in text
    assert "<img" not in text
    assert not obeyed(text)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert len(table) == len(judgement.verdict["criteria"]) + 2
    assert {line.count("|") for line in table} == {7}
    assert "| &#60; 300 ms |" in text  # which Markdown shows as < 300 ms


def test_a_share_is_not_told_as_a_count_of_findings(tmp_path: Path) -> None:
    told = [line for line in summary_of(faulty(), tmp_path / "run").splitlines() if line.startswith("- … ")]
    assert told
    assert set(told) == {"- … 40 in all; verdict.json names them"}


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/x",
        "WWW.evil.example",
        "@somebody",
        "somebody@evil.example",
        "owner/name#12",
        "$\\frac{a}{b}$",
        ":white_check_mark:",
        "![x](https://evil.example/x.png)",
        "# x",
        "1. x",
        "- x",
        "**x** `x` ~~x~~ <b>x</b> &lt;",
        "a | b",
        HOSTILE,
    ],
)
def test_nothing_is_made_of_a_text(text: str) -> None:
    """Neither by Markdown, nor by what looks for addresses and signs in the HTML that came of it, as GitHub does."""
    html = (
        MarkdownIt("commonmark", {"html": True})
        .enable(["table", "strikethrough"])
        .render(f"- {summary._plain(text)}")
    )
    assert re.sub(r"<span>\$</span>", "", html).count("<") == len(["ul", "li", "/li", "/ul"])
    shown = re.sub(r"<[^>]+>", "\0", html)
    assert not re.search(r"\w://|www\.\w|@\w|#\d|\$[^\0]|:[\w+-]+:", shown, re.IGNORECASE)
