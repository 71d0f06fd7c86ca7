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


# Of 60 seeds 55 or more find it; an allowance for autocorrelation finds the first two in none.
@pytest.mark.parametrize(("before", "since"), [(7, 7), (10, 10), (26, 4)])
def test_what_doubled_some_nights_ago_is_told(tmp_path: Path, before: int, since: int) -> None:
    for number, night in enumerate(nights(1, before + since, slower_from=before, by=1.0, spread=0.02)):
        write_run(tmp_path, night_id(number), **night)
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert {(step.measure.id, step.run) for step in group.steps} == {
        (measure, night_id(before)) for measure in SLOWER
    }


def test_twelve_nights_are_too_few_to_tell_of_any_step_and_do_not_say_that_there_is_none(
    tmp_path: Path,
) -> None:
    for number, night in enumerate(nights(1, 12, slower_from=6, by=9.0)):
        write_run(tmp_path, night_id(number), **night)
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert group.steps == []
    assert not any(course.known for course in group.courses)


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


def test_nights_on_which_the_generator_did_not_keep_up_are_shown_and_make_no_step(tmp_path: Path) -> None:
    """Slower by 30% ten nights long, for a reason that is not the server's."""
    for number, night in enumerate(nights(1, 40, spread=0.02)):
        sick = number >= 30
        slow = {name: night[name] * 1.3 for name in ("avg_ms", "p95_ms") if sick}
        write_run(tmp_path, night_id(number), **(night | slow), healthy=not sick)
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert group.steps == []
    assert group.doubted == {night_id(number) for number in range(30, 40)}
    p95 = next(course for course in group.courses if course.measure.id == "send.p95")
    assert [point.believed for point in p95.points] == [True] * 30 + [False] * 10


def test_a_step_is_at_its_night_among_nights_that_are_left_out(tmp_path: Path) -> None:
    for number, night in enumerate(nights(1, slower_from=SLOWER_FROM, spread=0.02)):
        write_run(tmp_path, night_id(number), **night, healthy=number not in (3, 17, 29, 41))
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert {step.run for step in group.steps} == {night_id(SLOWER_FROM)}
    assert {step.index for step in group.steps} == {SLOWER_FROM}


def test_runs_that_were_made_to_misbehave_are_a_history_of_their_own(tmp_path: Path) -> None:
    for number in range(6):
        write_run(tmp_path, night_id(number), faults=["latency_ms=50"] if number % 2 else [])
    found = groups(known_runs(tmp_path), Bounds())
    assert [len(group.runs) for group in found] == [3, 3]
    assert "with faults latency_ms=50" in found[0].title


@pytest.mark.parametrize(
    ("minutes", "title"),
    [
        ((10, 10.02, 10.3), "about 10 minutes"),
        ((45, 45.25, 45.3), "about 45 minutes"),
        ((90, 90.5, 91, 89.9), "about 90 minutes"),
        ((60, 60.2, 66), "about 1 hour"),
        ((0.5, 0.52), "about 31 seconds"),
        ((1440, 1441), "about 24 hours"),
    ],
)
def test_a_slow_stop_does_not_split_a_history_whose_title_has_the_median(
    tmp_path: Path, minutes: tuple[float, ...], title: str
) -> None:
    for number, lasted in enumerate(minutes):
        write_run(tmp_path, night_id(number), at=FIRST_NIGHT + timedelta(days=number), minutes=lasted)
    (group,) = groups(known_runs(tmp_path), Bounds())
    assert len(group.runs) == len(minutes)
    assert title in group.title


def test_soaks_of_45_and_of_90_minutes_are_two_histories(tmp_path: Path) -> None:
    for number in range(6):
        at = FIRST_NIGHT + timedelta(days=number)
        write_run(tmp_path, night_id(number), at=at, minutes=90.5 if number % 2 else 45.25)
    assert [len(group.runs) for group in groups(known_runs(tmp_path), Bounds())] == [3, 3]
