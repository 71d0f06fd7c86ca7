"""Promise: a step in a history of nights is told at the right night, and a history without one raises no alarm."""

from datetime import timedelta
from pathlib import Path

import pytest

from analysis.history.comparison import Bounds, Word
from analysis.history.nights import Group, groups
from analysis.history.runs import known_runs
from tests.analysis.history.made import FIRST_NIGHT, night_id, nights, write_run

SLOWER_FROM = 30
SLOWER = {"send.avg", "send.p50", "send.p95", "send.p99"}


def history(reports: Path, seed: int, slower_from: int | None, spread: float = 0.02) -> Group:
    for number, night in enumerate(nights(seed, slower_from=slower_from, spread=spread)):
        write_run(reports, night_id(number), **night)
    (group,) = groups(known_runs(reports), Bounds())
    return group


# Of 200 seeds 190 tell all four figures at the very night; docs/nightly.md has the rates.
@pytest.mark.parametrize("seed", range(4))
def test_one_regression_of_12_percent_in_60_nights_is_found_at_its_night_and_nothing_else(
    tmp_path: Path, seed: int
) -> None:
    group = history(tmp_path, seed, SLOWER_FROM)
    assert {(step.measure.id, step.run, step.word) for step in group.steps} == {
        (measure, night_id(SLOWER_FROM), Word.REGRESSION) for measure in SLOWER
    }
    for step in group.steps:
        assert step.percent == pytest.approx(12, abs=3)


@pytest.mark.parametrize("seed", range(5))
def test_60_nights_alike_raise_no_alarm(tmp_path: Path, seed: int) -> None:
    assert history(tmp_path, seed, None, spread=0.03).steps == []


def test_a_regression_that_is_mended_later_is_a_regression_and_an_improvement(tmp_path: Path) -> None:
    slower, usual = nights(1, slower_from=0, by=0.3, spread=0.02), nights(2, spread=0.02)
    for number in range(60):
        write_run(tmp_path, night_id(number), **(slower if 20 <= number < 40 else usual)[number])
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert {(step.run, step.word) for step in group.steps} == {
        (night_id(20), Word.REGRESSION),
        (night_id(40), Word.IMPROVEMENT),
    }


def test_only_like_is_held_beside_like(tmp_path: Path) -> None:
    for number in range(12):
        users = 50 if number % 2 else 100
        at = FIRST_NIGHT + timedelta(days=number)
        write_run(tmp_path, night_id(number), at=at, users=users, p95_ms=users * 2.0)
    found = groups(known_runs(tmp_path), Bounds())
    assert [len(group.runs) for group in found] == [6, 6]
    assert [group.title.split(",")[0] for group in found] == ["50 users", "100 users"]
    assert [step for group in found for step in group.steps] == []


def test_a_run_that_was_cut_off_is_no_part_of_a_history(tmp_path: Path) -> None:
    write_run(tmp_path, night_id(0))
    write_run(tmp_path, night_id(1), ended=False)
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert group.runs == (night_id(0),)
