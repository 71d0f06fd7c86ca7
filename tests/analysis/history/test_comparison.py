"""Promise: a regression is told when there is one, by its name, and not otherwise; what cannot be said is not said."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.history.comparison import Bounds, Change, Word, compare_figures, difference_of
from analysis.history.figures import Figure, share
from analysis.history.runs import find_run, point
from analysis.history.variation import difference_by_chance
from analysis.report.compare import render
from tests.analysis.history.made import night_id, nights, recorded, write_run
from tests.analysis.report.judgements import HOSTILE
from tests.analysis.targets import chatsoak


def changed(a: Figure, b: Figure, measure: str = "send.p95", **known: Any) -> Change:
    given = {"bounds": Bounds(), "nights": {}, "incomparable": None} | known
    (change,) = compare_figures({measure: a}, {measure: b}, **given)
    return change


@pytest.mark.parametrize(
    ("b", "word"),
    [
        (Figure(112, (110, 114)), Word.REGRESSION),
        (Figure(88, (86, 90)), Word.IMPROVEMENT),
        (Figure(101, (99, 103)), Word.NOISE),
        (Figure(103, (102.5, 103.5)), Word.SMALL),  # sure, and 3%
        (Figure(130, (90, 170)), Word.NOISE),  # much, and anything but sure
        (Figure(130), Word.UNKNOWN),
    ],
)
def test_a_change_has_its_word(b: Figure, word: Word) -> None:
    assert changed(Figure(100, (99.5, 100.5)), b).word is word


def test_less_throughput_is_worse_and_more_is_not() -> None:
    fast, slow = Figure(20, (19.8, 20.2)), Figure(15, (14.8, 15.2))
    assert changed(fast, slow, "throughput").word is Word.REGRESSION
    assert changed(slow, fast, "throughput").word is Word.IMPROVEMENT


def test_a_millisecond_of_a_quick_answer_is_too_little_to_matter() -> None:
    a, b = Figure(2.0, (1.99, 2.01)), Figure(2.9, (2.89, 2.91))
    assert changed(a, b).word is Word.SMALL
    assert changed(a, b, bounds=Bounds(percent=5, ms=0.5)).word is Word.REGRESSION


def test_errors_out_of_nothing_are_a_regression_though_nothing_has_no_percentage() -> None:
    change = changed(share(0, 20_000), share(40, 20_000), "errors")
    assert change.percent is None
    assert change.word is Word.REGRESSION


def test_what_nights_differ_by_widens_the_interval() -> None:
    a, b = Figure(100, (99.5, 100.5)), Figure(112, (111.5, 112.5))
    assert changed(a, b, nights={"send.p95": 15.0}).word is Word.NOISE
    assert changed(a, b, nights={"send.p95": 5.0}).word is Word.REGRESSION
    assert changed(Figure(100), Figure(112), nights={"send.p95": 5.0}).word is Word.REGRESSION


def test_the_interval_of_a_difference_covers_it() -> None:
    """Two means with intervals of their own: 95% of the recovered intervals hold the true difference."""
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        a, b = rng.normal(50, 1), rng.normal(53, 2)
        found = difference_of(Figure(a, (a - 1.96, a + 1.96)), Figure(b, (b - 3.92, b + 3.92)))
        assert found is not None
        held += found[0] <= 3 <= found[1]
    assert 0.935 <= held / 2000 <= 0.965


@pytest.mark.parametrize("count", [10, 20, 60])
def test_by_chance_two_nights_differ_by_less_in_nineteen_of_twenty_cases(count: int) -> None:
    rng = np.random.default_rng(count)
    held = []
    for _ in range(2000):
        bound = difference_by_chance(rng.normal(0, 3, count).tolist())
        assert bound is not None
        held.append(abs(rng.normal(0, 3) - rng.normal(0, 3)) <= bound)
    assert 0.94 <= np.mean(held) <= 0.975


def test_a_step_in_the_history_hardly_widens_what_nights_differ_by() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(100, 3, 60)
    still, stepped = (
        difference_by_chance(values.tolist()),
        difference_by_chance([*values[:30], *values[30:] * 1.5]),
    )
    assert still is not None
    assert stepped is not None
    assert stepped < 1.2 * still


def test_too_few_nights_say_nothing() -> None:
    assert difference_by_chance([1.0] * 9) is None


def answer(reports: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return chatsoak("compare", *arguments, environment={"CHATSOAK_REPORTS_DIR": str(reports)})


def test_the_command_says_regression_and_exits_with_1(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", p95_ms=130.0)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "REGRESSION" in done.stdout
    assert "+30.0%" in done.stdout
    assert "Two runs alone cannot show" in done.stdout
    assert answer(tmp_path, "b", "a").returncode == 0


def test_json_has_the_documented_keys(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", p95_ms=130.0)
    told = json.loads(answer(tmp_path, "a", "b", "--json").stdout)
    page = (Path(__file__).parents[3] / "docs" / "nightly.md").read_text(encoding="utf-8")
    assert [key for key in [*told, *told["figures"][0], *told["a"]] if f"`{key}`" not in page] == []
    p95 = next(figure for figure in told["figures"] if figure["id"] == "send.p95")
    assert p95["word"] == "regression"
    assert p95["change"] == pytest.approx(30.0)
    assert p95["change_ci95"][0] > 25


def test_another_load_is_not_comparable_and_named(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", users=100, p95_ms=130.0)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 3
    assert "users is 50 in A and 100 in B" in done.stdout
    assert answer(tmp_path, "a", "b", "--anyway").returncode == 1


def test_a_new_fault_is_a_regression_under_any_load(tmp_path: Path) -> None:
    write_run(tmp_path, "a", users=10)
    write_run(tmp_path, "b", lost=3)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 1
    assert "No acknowledged message is lost: holds in A, does not in B (3 messages)" in done.stdout
    assert "did not hold in A, holds in B" in answer(tmp_path, "b", "a").stdout


def test_a_run_that_was_cut_off_is_no_answer(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", ended=False, p95_ms=130.0)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 3
    assert "B was cut off" in done.stdout


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"schema": 1}', '{"schema": "<b>"}'])
def test_a_broken_verdict_is_a_sentence_and_3(tmp_path: Path, content: str | None) -> None:
    write_run(tmp_path, "a")
    broken = write_run(tmp_path, "b") / "verdict.json"
    broken.unlink() if content is None else broken.write_text(content, encoding="utf-8")
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 3
    assert "chatsoak report b" in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(answer(tmp_path, "a", "b", "--json").stdout)["outcome"] == "inconclusive"


def test_a_run_that_does_not_exist_is_wrong_usage(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    assert answer(tmp_path, "a", "nope").returncode == 2
    done = answer(tmp_path, "baseline", "a")
    assert done.returncode == 2
    assert "chatsoak baseline RUN" in done.stderr


def test_a_noisy_history_keeps_two_noisy_nights_from_being_a_regression(tmp_path: Path) -> None:
    for number, figures in enumerate(nights(1, 20, spread=0.06)):
        write_run(tmp_path, night_id(number), **figures)
    write_run(tmp_path, "x", p95_ms=100.0, around=0.01)
    write_run(tmp_path, "y", p95_ms=109.0, around=0.01)
    done = answer(tmp_path, "x", "y")
    assert done.returncode == 0, done.stdout
    assert "two comparable nights of the history" in done.stdout


def test_records_give_every_percentile_an_interval_and_a_page_with_both_distributions(tmp_path: Path) -> None:
    a, b = recorded(tmp_path, "a", 0.1), recorded(tmp_path, "bb", 0.15)
    told = json.loads(
        answer(tmp_path, "a", "bb", "--json", "--html", str(tmp_path / "c.html"), "--anyway").stdout
    )
    words = {figure["id"]: figure["word"] for figure in told["figures"]}
    assert {words[name] for name in ("send.avg", "send.p50", "send.p95", "send.p99")} == {"regression"}
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "<script" not in page
    assert HOSTILE not in page
    assert find_run(a, tmp_path) == a
    point(tmp_path, "baseline", "a")
    assert find_run(Path("baseline"), tmp_path) == a
    assert b.is_dir()


def test_without_records_the_page_says_so(tmp_path: Path) -> None:
    from analysis.history.sides import compare_runs

    a, b = (
        write_run(tmp_path, "a", host=HOSTILE.replace("\x07", ""), embedded=False),
        write_run(tmp_path, "b"),
    )
    page = render(compare_runs(a, b, tmp_path, Bounds(), anyway=True))
    assert "The record of A and B is gone" in page
    assert "<script" not in page
