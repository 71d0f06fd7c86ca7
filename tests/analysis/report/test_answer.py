"""Promise: the list of runs answers first: what changed, since when, or that nothing did, or that nobody can say."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.criteria import Verdict
from analysis.history.runs import point
from analysis.report import index
from tests.analysis.history.made import FIRST_NIGHT, night_id, nights, write_run
from tests.analysis.report.judgements import HOSTILE
from tests.analysis.report.test_page import Seen


def history(reports: Path, count: int = 40, **figures: object) -> None:
    for number, night in enumerate(nights(1, count, slower_from=20, spread=0.02)):
        write_run(reports, night_id(number), **(night | figures))


def told(reports: Path) -> str:
    """What ``history.md`` says, which is what the page begins with."""
    page = Seen(index.write_index(reports).read_text(encoding="utf-8")).text
    text = (reports / "history.md").read_text(encoding="utf-8")
    lines = [line.removeprefix("- ").partition(" ")[2] for line in text.splitlines()[2:]]
    assert all(line.replace("\\", "").partition("&")[0] in page for line in lines)
    assert page.index(lines[0]) < page.index("Newest runs")
    return text


def test_a_regression_is_told_first_with_its_night_and_size(tmp_path: Path) -> None:
    history(tmp_path)
    text = told(tmp_path)
    assert "- ✅ The newest run, 10 October 2026, 02:00:00 UTC, passed." in text
    assert "- ❌ P95 of send latency: +1" in text
    assert "since the night of 21 September 2026 (regression); with it Average send latency (+" in text


def test_that_nothing_changed_is_told_and_in_how_many_runs(tmp_path: Path) -> None:
    for number, night in enumerate(nights(1, 30, spread=0.02)):
        write_run(tmp_path, night_id(number), **night, healthy=number != 4)
    assert "- ✅ No figure changed for good in 29 comparable runs." in told(tmp_path)


def test_of_too_few_runs_nobody_can_say_and_those_that_are_not_believed_do_not_count(tmp_path: Path) -> None:
    for number, night in enumerate(nights(1, 9, spread=0.02)):
        write_run(tmp_path, night_id(number), **night, healthy=number > 1)
    text = told(tmp_path)
    assert "- ❔ Too few runs to tell whether anything changed: 7 comparable runs to be relied on" in text
    assert "No figure changed" not in text
    assert (tmp_path / "index.html").read_text(encoding="utf-8").count("too few runs to tell") >= 5


def test_a_figure_of_too_few_nights_is_named(tmp_path: Path) -> None:
    for number, night in enumerate(nights(1, 20, spread=0.02)):
        of = {"latency.delivery.p95": Verdict.INCONCLUSIVE} if number < 15 else {}
        write_run(tmp_path, night_id(number), **night, outcomes=of)
    text = told(tmp_path)
    assert "Too few runs to tell whether these changed: P50 of delivery latency and P95 of delivery" in text


def test_a_regression_that_was_mended_is_told_as_what_it_came_to(tmp_path: Path) -> None:
    slower, usual = nights(1, slower_from=0, by=0.3, spread=0.02), nights(2, spread=0.02)
    for number in range(60):
        write_run(tmp_path, night_id(number), **(slower if 20 <= number < 40 else usual)[number])
    text = told(tmp_path)
    assert "since the night of 11 October 2026 (improvement)" in text
    assert "(regression)" not in text


def test_of_other_loads_only_what_is_worse_is_told_with_its_load(tmp_path: Path) -> None:
    history(tmp_path, users=10)
    write_run(tmp_path, night_id(50), at=FIRST_NIGHT + timedelta(days=50), users=50)
    text = told(tmp_path)
    assert "- ❔ Too few runs to tell whether anything changed: 1 comparable run to" in text
    assert (
        "- ❌ 10 users, closed workload, about 1 hour, the embedded staging environment: P95 of send" in text
    )


def test_the_newest_run_says_how_it_went_and_whether_it_is_to_be_relied_on(tmp_path: Path) -> None:
    write_run(tmp_path, night_id(0), lost=2)
    assert "failed 1 of 8 criteria." in told(tmp_path)
    write_run(tmp_path, night_id(1), healthy=False)
    assert "is inconclusive. Its figures are not to be relied on: it did not pass “The load" in told(tmp_path)
    (write_run(tmp_path, night_id(2)) / "verdict.json").unlink()
    assert f"- ❔ The newest run, {night_id(2)}, was not judged." in told(tmp_path)


def test_the_distance_to_the_baseline_is_told(tmp_path: Path) -> None:
    history(tmp_path)
    point(tmp_path, "baseline", night_id(2))
    text = told(tmp_path)
    assert "- ❌ The newest run (B) against the baseline (A) of 3 September 2026: 4 regressions:" in text
    page = Seen((tmp_path / "index.html").read_text(encoding="utf-8")).text
    assert "Against baseline" in page
    point(tmp_path, "baseline", night_id(30))
    assert "- ✅ The newest run (B) against the baseline (A) of 1 October 2026: P95 of send latency" in told(
        tmp_path
    )


@pytest.mark.parametrize(
    ("baseline", "said"),
    [
        (night_id(1), "- ℹ️ The newest run that was judged is the baseline."),
        ("gone", "- ❔ The baseline, gone, has no verdict that can be read"),
    ],
)
def test_a_baseline_that_nothing_can_be_held_against_is_named(
    tmp_path: Path, baseline: str, said: str
) -> None:
    for number in range(2):
        write_run(tmp_path, night_id(number))
    point(tmp_path, "baseline", baseline)
    assert said in told(tmp_path)


def test_a_baseline_with_another_load_is_not_comparable_and_has_no_column(tmp_path: Path) -> None:
    history(tmp_path)
    write_run(tmp_path, "20260801T020000Z-aaaa", users=3)
    point(tmp_path, "baseline", "20260801T020000Z-aaaa")
    assert "Not comparable: users is 3 in A and 50 in B" in told(tmp_path)
    assert "Against baseline" not in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_what_a_run_is_called_by_is_text_only_in_markdown_and_in_the_page(tmp_path: Path) -> None:
    write_run(tmp_path, "a", host=HOSTILE.replace("\x07", ""), embedded=False, users=3)
    history(tmp_path, host=HOSTILE.replace("\x07", ""), embedded=False)
    write_run(tmp_path, "b", at=FIRST_NIGHT + timedelta(days=50))
    page = index.write_index(tmp_path).read_text(encoding="utf-8")
    text = (tmp_path / "history.md").read_text(encoding="utf-8")
    assert "alert(1)" in text
    for written in (page, text):
        assert "<script" not in written
        assert "<img" not in written


def test_no_cell_is_empty_for_a_screen_reader_and_each_curve_has_words(tmp_path: Path) -> None:
    history(tmp_path)
    write_run(tmp_path, night_id(41), at=FIRST_NIGHT + timedelta(days=41), users=9)
    page = index.write_index(tmp_path).read_text(encoding="utf-8")
    cells = page.split("<td")[1:]
    for cell in cells:
        inner = cell.partition(">")[2].partition("</td>")[0]
        assert Seen(inner).text or 'role="img" aria-label="' in inner, cell
    assert "P95 of send latency in 30 runs: " in page


def test_steps_have_their_p_value_unit_and_a_link_to_the_run(tmp_path: Path) -> None:
    history(tmp_path)
    page = index.write_index(tmp_path).read_text(encoding="utf-8")
    step = page.partition("Regression since the night of 21 September 2026")
    assert step[0].endswith(f'<a href="./{night_id(20)}/report.html">')
    words = step[2].partition("</span>")[0]
    assert " ms (+1" in words
    assert ", p &lt; 0.001" in words


def test_each_run_links_to_all_its_files_whatever_its_name(tmp_path: Path) -> None:
    write_run(tmp_path, "50% #1?")
    page = index.write_index(tmp_path).read_text(encoding="utf-8")
    for file in ("report.html", "summary.md", "junit.xml", "verdict.json"):
        assert f'href="./50%25%20%231%3F/{file}"' in page
