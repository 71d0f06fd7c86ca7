"""Promise: a regression is told when there is one, by its name, and not otherwise; what cannot be said is not said."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.criteria import DRIFTS, THE_TOOLS_OWN, Verdict
from analysis.history.comparison import Bounds, Change, Word, compare_figures, difference_of
from analysis.history.figures import Figure
from analysis.history.runs import find_run, known_runs, point
from analysis.history.sends import read_sends
from analysis.history.sides import Comparison, compare_runs
from analysis.history.stored import read_verdict
from analysis.history.variation import by_chance, difference_by_chance
from analysis.report import changes
from analysis.report.changes import as_json, sentences
from analysis.report.compare import render
from benchmarks.statistics import pairs_of_short_runs
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


def short(value: float, low: float, high: float) -> Figure:
    """A figure of a short run, whose interval is a least width."""
    return Figure(value, (low, high), at_least=True)


@pytest.mark.parametrize(
    ("b", "word"),
    [
        (short(112, 110, 114), Word.UNKNOWN),  # may be chance, and may be worse
        (Figure(112, (110, 114)), Word.UNKNOWN),  # one short run is enough
        (short(88, 86, 90), Word.NOISE),
        (short(103, 102.5, 103.5), Word.NOISE),
        (short(101, 99, 103), Word.NOISE),
        (short(200, 190, 210), Word.REGRESSION),
        (short(200, 90, 310), Word.NOISE),
        (short(50, 48, 52), Word.IMPROVEMENT),
    ],
)
def test_what_short_runs_differ_by_is_a_regression_only_where_it_is_much(b: Figure, word: Word) -> None:
    change = changed(short(100, 99.5, 100.5), b)
    assert change.word is word
    assert change.at_least
    assert (change.reason or "").endswith("too short to show that it is more than chance") == change.open
    assert changes.percent_interval(change).startswith("at least ")
    assert changes.interval(change.measure, change.a) == "at least 99.5 to 100.5 ms"


def test_a_run_whose_level_moved_does_not_hide_that_it_is_worse(tmp_path: Path) -> None:
    """A step makes the interval of the run so wide that it holds whatever changed."""
    a, moved = Figure(100, (99, 101)), Figure(125, (20, 230), level_moved=True)
    assert changed(a, moved).word is Word.UNKNOWN
    assert changed(a, moved).reason == "its level moved within B, see the steps and trends there"
    assert changed(moved, a).word is Word.NOISE
    assert changed(a, moved, nights={"send.p95": 30.0}).word is Word.NOISE
    assert changed(a, Figure(103, (20, 230), level_moved=True)).word is Word.NOISE


@pytest.mark.parametrize("fact", ["level_moved", "steps"])
def test_a_step_within_a_run_reaches_the_comparison(tmp_path: Path, fact: str) -> None:
    write_run(tmp_path, "a")
    folder = write_run(tmp_path, "b", p95_ms=130.0, around=0.9)
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    next(one for one in verdict["criteria"] if one["id"] == "latency.send.p95")["facts"][fact] = 1
    (folder / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    assert "P95 of send latency and P99 of send latency (its level moved within B" in cannot_tell(
        compared(tmp_path)
    )


def test_too_few_values_are_told_as_such() -> None:
    a, b = (Figure(value, (value - 1, value + 1), at_least=True, too_few=True) for value in (100.0, 120.0))
    assert changed(a, b).reason == "A and B have too few of them to show that it is more than chance"


def test_a_history_says_how_much_short_runs_differ() -> None:
    a, b = short(100, 99.5, 100.5), short(112, 111.5, 112.5)
    known = changed(a, b, nights={"send.p95": 5.0})
    assert (known.word, known.at_least) == (Word.REGRESSION, False)
    assert not changes.percent_interval(known).startswith("at least")


def test_two_short_runs_of_the_same_thing_are_no_regression_and_a_doubling_is() -> None:
    """Whose level moves from minute to minute, so that their intervals know nothing of it."""
    regression, found = pairs_of_short_runs(runs=60, alike=0.5, seconds=120, every_s=60)
    assert regression <= 0.02
    assert found >= 0.95


def test_two_short_runs_end_with_3_and_say_why(tmp_path: Path) -> None:
    for name, p95_ms in (("a", 100.0), ("b", 120.0), ("c", 220.0)):
        write_run(tmp_path, name, minutes=3, short=True, p95_ms=p95_ms)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 3, done.stdout
    told = " ".join(done.stdout.split())
    assert "P99 of send latency (A and B are too short to show that it is more than chance)" in told
    assert "at least" in done.stdout
    assert answer(tmp_path, "a", "c").returncode == 1


def test_less_throughput_is_worse_and_more_is_not() -> None:
    fast, slow = Figure(20, (19.8, 20.2)), Figure(15, (14.8, 15.2))
    assert changed(fast, slow, "throughput").word is Word.REGRESSION
    assert changed(slow, fast, "throughput").word is Word.IMPROVEMENT


def test_a_millisecond_of_a_quick_answer_is_too_little_to_matter() -> None:
    a, b = Figure(2.0, (1.99, 2.01)), Figure(2.9, (2.89, 2.91))
    assert changed(a, b).word is Word.SMALL
    assert changed(a, b, bounds=Bounds(percent=5, ms=0.5)).word is Word.REGRESSION


def test_errors_out_of_nothing_are_a_regression_though_nothing_has_no_percentage() -> None:
    change = changed(Figure(0.0, (0.0, 0.02)), Figure(0.2, (0.15, 0.27)), "errors")
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


@pytest.mark.parametrize(("share", "count"), [(0.1, 60), (0.3, 12), (0.3, 21), (0.5, 21)])
def test_errors_on_some_nights_are_what_nights_differ_by(share: float, count: int) -> None:
    """Most neighbours are nights without an error, so that the median of their differences is nought."""
    rng = np.random.default_rng(count)
    held = []
    for _ in range(500):
        *nights_before, newest = np.where(
            rng.random(count + 1) < share, rng.uniform(0.065, 0.095, count + 1), 0
        )
        bound = difference_by_chance(nights_before)
        assert bound is not None
        held.append(newest <= bound)  # against a night without an error
    assert np.mean(held) >= 0.87


def test_errors_that_began_and_stayed_are_not_what_nights_differ_by() -> None:
    assert difference_by_chance([0.0] * 14 + [0.1] * 6) == 0


def test_a_regression_from_nothing_is_told_in_its_unit(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", not_ok=19)
    assert "Regression: Share of sends not acknowledged (+0.10 points)." in said(compared(tmp_path))


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
    assert "the same run" not in done.stdout
    done = answer(tmp_path, "b", "a")
    assert done.returncode == 0
    assert "No figure is worse" in done.stdout
    assert "A and B are the same run." in answer(tmp_path, "a", "a").stdout


def compared(reports: Path, a: str = "a", b: str = "b", anyway: bool = False) -> Comparison:
    return compare_runs(reports / a, reports / b, reports, Bounds(), anyway)


def said(found: Comparison) -> str:
    return " ".join([*sentences(found), *found.notes])


def cannot_tell(found: Comparison) -> str:
    """What nobody can say is neither a regression nor the lack of one."""
    assert found.exit_code == 3
    assert "No figure is worse" not in said(found)
    return said(found)


def test_what_cannot_be_told_exits_with_3(tmp_path: Path) -> None:
    write_run(tmp_path, "a", around=0)
    write_run(tmp_path, "b", around=0, p95_ms=400.0)
    done = answer(tmp_path, "a", "b")
    assert done.returncode == 3
    assert "? INCONCLUSIVE" in done.stdout
    assert "No figure is worse" not in done.stdout
    assert "Not known whether worse: Average send latency, P50 of send latency, P95 of send" in done.stdout
    assert "(A and B have no interval)." in done.stdout
    assert "A is too short for every interval" in done.stdout


def test_intervals_of_nights_lend_one_to_a_run_that_has_none(tmp_path: Path) -> None:
    for number, figures in enumerate(nights(1, 12, spread=0.01)):
        write_run(tmp_path, night_id(number), **figures)
    write_run(tmp_path, "a", around=0)
    write_run(tmp_path, "b", around=0)
    write_run(tmp_path, "c", around=0, p95_ms=130.0)
    assert compared(tmp_path).exit_code == 0
    assert compared(tmp_path, "a", "c").exit_code == 1


@pytest.mark.parametrize("lacking", ["a", "b"])
def test_a_figure_that_one_of_the_two_lacks_is_no_answer(tmp_path: Path, lacking: str) -> None:
    for name in ("a", "b"):
        of = {"latency.delivery.p95": Verdict.INCONCLUSIVE} if name == lacking else {}
        write_run(tmp_path, name, outcomes=of)
    assert f"P95 of delivery latency ({lacking.upper()} does not have it)" in cannot_tell(compared(tmp_path))


@pytest.mark.parametrize("outcome", [Verdict.INCONCLUSIVE, Verdict.INFO, None])
def test_a_criterion_that_passed_and_of_which_b_cannot_say_is_no_answer(
    tmp_path: Path, outcome: Verdict | None
) -> None:
    write_run(tmp_path, "a")
    folder = write_run(tmp_path, "b", outcomes={} if outcome is None else {"messages.lost": outcome})
    if outcome is None:
        verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        verdict["criteria"] = [one for one in verdict["criteria"] if one["id"] != "messages.lost"]
        (folder / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    found = compared(tmp_path)
    came_out = "is inconclusive" if outcome is Verdict.INCONCLUSIVE else "is not judged"
    assert f"No acknowledged message is lost: holds in A, {came_out} in B." in cannot_tell(found)
    assert [one["id"] for one in as_json(found)["unclear"]] == ["messages.lost"]


def test_a_criterion_that_was_inconclusive_before_too_is_no_change(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_run(tmp_path, name, outcomes={"messages.lost": Verdict.INCONCLUSIVE})
    assert compared(tmp_path).exit_code == 0


def test_a_target_that_is_crossed_is_told_however_small_the_change(tmp_path: Path) -> None:
    write_run(tmp_path, "a", p95_ms=499.0)
    write_run(tmp_path, "b", p95_ms=501.0, outcomes={"plan.history": Verdict.FAIL})
    found = compared(tmp_path)
    assert found.exit_code == 1
    crossed = "P95 of send latency (service time): holds in A, does not in B (501.0 ms, target < 500 ms)."
    assert crossed in said(found)
    assert "The history query is quick: holds in A, does not in B" in said(found)
    told = as_json(found)["newly_failing"]
    assert [one["id"] for one in told] == ["latency.send.p95", "plan.history"]
    assert (told[0]["a_outcome"], told[0]["b_outcome"]) == ("pass", "fail")


def test_a_target_that_is_missed_under_another_load_is_told_and_no_regression(tmp_path: Path) -> None:
    write_run(tmp_path, "a", p95_ms=499.0)
    write_run(tmp_path, "b", p95_ms=501.0, users=100)
    assert "holds in A, does not in B (501.0 ms" in cannot_tell(compared(tmp_path))
    assert compared(tmp_path, anyway=True).exit_code == 1


def test_a_fault_where_a_could_not_say_is_newly_failing(tmp_path: Path) -> None:
    write_run(tmp_path, "a", outcomes={"messages.lost": Verdict.INCONCLUSIVE})
    write_run(tmp_path, "b", lost=1)
    found = compared(tmp_path)
    assert found.exit_code == 1
    assert "is inconclusive in A, does not hold in B (1 message)" in said(found)


@pytest.mark.parametrize("sick", ["a", "b"])
def test_a_load_generator_that_did_not_keep_up_is_no_answer(tmp_path: Path, sick: str) -> None:
    for name in ("a", "b"):
        write_run(tmp_path, name, healthy=name != sick)
    doubt = f"{sick.upper()} did not pass “The load generator kept up” (inconclusive)"
    assert doubt in cannot_tell(compared(tmp_path))


def test_a_verdict_of_an_older_chatsoak_says_how_to_get_what_it_lacks(tmp_path: Path) -> None:
    folder = write_run(tmp_path, "a")
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    for criterion in verdict["criteria"]:
        del criterion["intervals"]
    (folder / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    write_run(tmp_path, "b")
    assert "chatsoak report a gives them one" in cannot_tell(compared(tmp_path))


def test_a_page_in_a_runs_folder_is_linked_from_the_list(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    folder = write_run(tmp_path, "b")
    answer(tmp_path, "a", "b", "--html", str(tmp_path / "elsewhere.html"))
    assert not (tmp_path / "index.html").exists()
    point(tmp_path, "latest", "b")
    answer(tmp_path, "a", "latest", "--html", str(tmp_path / "latest" / "compare.html"))
    assert (folder / "compare.html").exists()
    assert 'href="./b/compare.html"' in (tmp_path / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("minutes", "alike"),
    [((45.25, 44.6), True), ((90.5, 90.0), True), ((60, 74), True), ((10, 14), False), ((60, 45), False)],
)
def test_durations_are_alike_up_to_a_quarter(
    tmp_path: Path, minutes: tuple[float, float], alike: bool
) -> None:
    for name, lasted in zip(("a", "b"), minutes, strict=True):
        write_run(tmp_path, name, minutes=lasted)
    assert (compared(tmp_path).differing == ()) is alike


def test_durations_are_told_as_they_were(tmp_path: Path) -> None:
    write_run(tmp_path, "a", minutes=10.1)
    write_run(tmp_path, "b", minutes=90.2)
    told = cannot_tell(compared(tmp_path))
    assert "duration is about 10 minutes in A and about 90 minutes in B" in told


def test_a_run_that_was_made_to_misbehave_is_not_comparable_to_a_clean_one(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", faults=["latency_ms=50"])
    assert "faults of the target is none in A and latency_ms=50 in B" in cannot_tell(compared(tmp_path))


def test_nights_whose_figures_are_not_to_be_believed_lend_no_interval(tmp_path: Path) -> None:
    for number, figures in enumerate(nights(1, 20, spread=0.01)):
        write_run(tmp_path, night_id(number), **figures, healthy=number % 2 == 0)
    write_run(tmp_path, "a")
    write_run(tmp_path, "b")
    verdicts = [run.verdict for run in known_runs(tmp_path) if run.verdict is not None]
    clean = [verdict for verdict in verdicts if verdict.outcome is Verdict.PASS]
    of_all, of_clean = (by_chance(history, verdicts[0]) for history in (verdicts, clean))
    assert of_all == of_clean != {}


def test_json_has_the_documented_keys(tmp_path: Path) -> None:
    write_run(tmp_path, "a")
    write_run(tmp_path, "b", p95_ms=130.0)
    told = json.loads(answer(tmp_path, "a", "b", "--json").stdout)
    page = (Path(__file__).parents[3] / "docs" / "nightly.md").read_text(encoding="utf-8")
    keys = [*told, *told["figures"][0], *told["a"]]
    write_run(tmp_path, "c", lost=1)
    keys += json.loads(answer(tmp_path, "a", "c", "--json").stdout)["newly_failing"][0]
    assert [key for key in keys if f"`{key}`" not in page] == []
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


@pytest.mark.parametrize("name", [*DRIFTS, *THE_TOOLS_OWN])
def test_a_drift_and_what_the_tool_says_of_itself_are_no_regression_under_another_load(
    tmp_path: Path, name: str
) -> None:
    for run, users, outcome in (("a", 50, "pass"), ("b", 500, "fail")):
        path = write_run(tmp_path, run, users=users) / "verdict.json"
        verdict = json.loads(path.read_bytes())
        lost = next(one for one in verdict["criteria"] if one["id"] == "messages.lost")
        kept = [one for one in verdict["criteria"] if one["id"] != name]
        verdict["criteria"] = [*kept, lost | {"id": name, "outcome": outcome}]
        path.write_text(json.dumps(verdict), encoding="utf-8")
    assert [one.named.id for one in compared(tmp_path).newly_failing] == [name]
    assert compared(tmp_path).exit_code == 3


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
    a, b = recorded(tmp_path, "a", 0.1), recorded(tmp_path, "bb", 0.2)
    told = json.loads(
        answer(tmp_path, "a", "bb", "--json", "--html", str(tmp_path / "c.html"), "--anyway").stdout
    )
    words = {figure["id"]: figure["word"] for figure in told["figures"]}
    assert {words[name] for name in ("send.avg", "send.p50", "send.p95", "send.p99")} == {"regression"}
    page = (tmp_path / "c.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 4
    assert "<script" not in page
    assert HOSTILE not in page
    assert words["delivery.p50"] == "regression"
    assert find_run(a, tmp_path) == a
    point(tmp_path, "baseline", "a")
    assert find_run(Path("baseline"), tmp_path) == a
    assert b.is_dir()


def test_the_distribution_is_of_the_sends_that_the_verdict_is_about(tmp_path: Path) -> None:
    """Also where the end of the warm-up was found in the latencies."""
    folder = recorded(tmp_path, "a", 0.1, slow_start=True)
    p95 = read_verdict(folder).criterion("latency.send.p95")
    assert p95 is not None
    assert p95.checked < 600
    assert len(read_sends(folder).after_warmup()) == p95.checked


def test_without_records_the_page_says_so(tmp_path: Path) -> None:
    a, b = (
        write_run(tmp_path, "a", host=HOSTILE.replace("\x07", ""), embedded=False),
        write_run(tmp_path, "b"),
    )
    page = render(compare_runs(a, b, tmp_path, Bounds(), anyway=True))
    assert "There is no distribution of A&#39;s latencies: its record was removed." in page
    assert "<script" not in page
