"""The closing summary, and what other commands print: short, in words, and obeyed by no terminal."""

import copy
import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from analysis.report import terminal
from tests.analysis.history.made import write_run
from tests.analysis.report.judgements import (
    HOSTILE,
    Told,
    clean,
    close_call,
    empty,
    faulty,
    judged,
    obeyed,
)
from tests.analysis.targets import chatsoak

MOST_LINES = 12

Verdict = dict[str, Any]
VerdictOf = Callable[[Callable[[], Told]], Verdict]


@pytest.fixture(scope="module")
def verdict_of(tmp_path_factory: pytest.TempPathFactory) -> VerdictOf:
    """The verdict on a history; each is judged once."""

    @cache
    def judge(history: Callable[[], Told]) -> Verdict:
        return judged(history(), tmp_path_factory.mktemp("runs") / "run").verdict

    return lambda history: copy.deepcopy(judge(history))


def printed(verdict: Verdict, report: Path = Path("/reports/a/report.html"), **options: Any) -> str:
    """The closing summary of `verdict`."""
    out = io.StringIO()
    terminal.show(Console(**{"file": out, "width": 100, **options}), verdict, 3, report)
    return out.getvalue()


def criterion(verdict: Verdict, name: str) -> dict[str, Any]:
    (found,) = (entry for entry in verdict["criteria"] if entry["id"] == name)
    return found


def labels(text: str) -> list[str]:
    return [label for line in text.splitlines()[1:] if (label := line[:16].strip())]


@pytest.mark.parametrize("history", [clean, close_call, faulty, empty])
def test_the_closing_summary_is_about_ten_lines_and_ends_with_the_report(
    history: Callable[[], Told], verdict_of: VerdictOf
) -> None:
    text = printed(verdict_of(history))
    assert len(text.splitlines()) <= MOST_LINES
    named = ["Why", "Note", "Sends", "Deliveries", "Average", "P95", "Delivery P95", "Findings", "Generator"]
    assert labels(text) == [*named, "Report"]
    assert text.splitlines()[-1].split() == ["Report", "/reports/a/report.html"]


def test_it_begins_with_the_answer(verdict_of: VerdictOf) -> None:
    first = printed(verdict_of(faulty)).splitlines()[0]
    assert first == "✕ FAIL  No: this should not be released as it is."


def test_many_reasons_are_one_in_words_and_ids_of_the_others(verdict_of: VerdictOf) -> None:
    few = printed(verdict_of(faulty)).splitlines()
    assert few[1].startswith("  Why           Share of sends that were not acknowledged: ")
    assert "does not hold, found 40 messages" in few[2]
    verdict = verdict_of(empty)
    missing = [entry["id"] for entry in verdict["criteria"] if entry["outcome"] == "inconclusive"]
    many = printed(verdict).splitlines()
    assert many[1].startswith("  Why           Not certain: “Average send latency (service time)”. No send")
    assert many[2].strip() == f"and {len(missing) - 1} more: {', '.join(missing[1:4])} …"
    assert [line.split()[0] for line in many[3:5]] == ["Note", "Sends"]


def test_a_drift_that_was_judged_has_a_line(verdict_of: VerdictOf) -> None:
    verdict = verdict_of(clean)
    criterion(verdict, "drift.latency").update(observed=0, outcome="pass")
    assert "  Drift         latency steady; database not judged\n" in printed(verdict)
    criterion(verdict, "drift.latency").update(facts={"rose": 1})
    assert "  Drift         latency rose, within target; database not judged\n" in printed(verdict)


def test_an_interval_that_holds_the_target_is_no_plain_pass(verdict_of: VerdictOf) -> None:
    verdict = verdict_of(close_call)
    assert criterion(verdict, "latency.send.avg")["facts"]["straddles"] == 1
    verdict["outcome"] = "pass"
    lines = printed(verdict, width=200).splitlines()
    why, average = (line for line in lines if line.startswith(("  Why", "  Average")))
    assert "Only just: latency.send.avg" in why
    assert "another run may come out the other way" in why
    assert average.endswith(" ms, on both sides of the target")
    assert "Only just" not in printed({**verdict_of(clean), "outcome": "pass"})


def test_it_counts_findings_by_criterion(verdict_of: VerdictOf) -> None:
    verdict = verdict_of(faulty)
    found = next(line for line in printed(verdict).splitlines() if "Findings" in line)
    for entry in verdict["criteria"]:
        counted = entry["target"] == "0" and entry["observed"] and not entry["id"].endswith(".complete")
        assert (f"{entry['id']} {entry['observed']}" in found) == bool(counted)
    assert "  Findings      none of " in printed(verdict_of(clean))


def test_a_terminal_gets_it_wrapped_beside_its_labels_and_others_get_whole_lines(
    verdict_of: VerdictOf,
) -> None:
    wide = printed(verdict_of(faulty), width=60).splitlines()
    assert max(len(line) for line in wide) > 80
    narrow = printed(verdict_of(faulty), width=60, force_terminal=True, color_system=None).splitlines()
    assert max(len(line) for line in narrow[1:-1]) <= 60


def test_a_terminal_without_signs_gets_words(verdict_of: VerdictOf) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="backslashreplace")
    terminal.show(Console(file=out), verdict_of(faulty), 3, Path("report.html"))
    out.seek(0)
    assert out.readline().startswith("FAIL  No: ")


def test_colours_are_left_out_where_they_are_not_wanted(
    verdict_of: VerdictOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in printed(verdict_of(faulty), force_terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in printed(verdict_of(faulty), force_terminal=True)
    assert "\x1b" not in printed(verdict_of(faulty))


@pytest.mark.parametrize("as_terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("history", [clean, faulty, empty])
def test_a_text_of_the_run_is_shown_and_not_obeyed(
    history: Callable[[], Told], as_terminal: bool, verdict_of: VerdictOf
) -> None:
    verdict = verdict_of(history)
    for entry in verdict["criteria"]:
        entry["reason"] = f"[red]{HOSTILE}[/red]"
    text = printed(verdict, force_terminal=as_terminal, color_system=None)
    assert not obeyed(text)
    assert "\r" not in text
    assert not [line for line in text.splitlines() if line.startswith("✓ PASS")]
    if history is not faulty:  # where a criterion failed, what was found is the reason
        assert "[red]" in text
        assert "[U+001B]" in text


def test_names_of_runs_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    for name in ("a", "b\x1b[31m\u202e", "c"):
        write_run(tmp_path, name, host=f"https://{name}.example", embedded=False)
    environment = {"CHATSOAK_REPORTS_DIR": str(tmp_path)}
    for command in (
        ("compare", "a", "b\x1b[31m\u202e"),
        ("baseline", "b\x1b[31m\u202e"),
        ("baseline",),
        ("prune", "--keep-runs", "1", "--dry-run"),
    ):
        done = chatsoak(*command, environment=environment)
        assert not obeyed(done.stdout + done.stderr), command
        assert "[U+001B]" in done.stdout + done.stderr, command
