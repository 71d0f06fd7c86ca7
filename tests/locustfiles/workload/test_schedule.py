"""Promise: all users of all processes together keep exactly the schedule that was asked for, whoever comes and goes."""

from itertools import pairwise
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rates import RateCurve
from analysis.settings import Arrivals
from locustfiles.workload import OpenPace, Schedule
from locustfiles.workload.pace import NS

UP_AND_DOWN = RateCurve(((0.0, 5.0), (10.0, 50.0), (20.0, 50.0), (30.0, 0.0)))


def schedule(
    rate: RateCurve, arrivals: Arrivals, users: int, share: int = 0, shares: int = 1, seed: int = 1
) -> Schedule:
    return Schedule(rate, arrivals, users=users, share=share, shares=shares, seed=seed, start_ns=0)


def due_until(pace: OpenPace, end_ns: int) -> list[int]:
    due = []
    while (next_ns := pace.next_due_ns(0)) <= end_ns:
        due.append(next_ns)
    return due


@given(users=st.integers(1, 40), shares=st.integers(1, 4), rate=st.floats(0.5, 200))
def test_constant_arrivals_of_all_users_together_are_evenly_spaced(
    users: int, shares: int, rate: float
) -> None:
    due = []
    for share in range(shares):
        part = schedule(RateCurve(((0.0, rate),)), Arrivals.CONSTANT, users, share, shares)
        for _ in range(len(range(users)[share::shares])):
            due += due_until(part.enter(), 10 * NS)
    due.sort()
    assert len(due) == pytest.approx(10 * rate, abs=1.5)
    assert all(after - before == pytest.approx(NS / rate, abs=2) for before, after in pairwise(due))


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_a_rate_over_time_is_kept_in_every_part_of_it(arrivals: Arrivals) -> None:
    high = UP_AND_DOWN.scaled(40)
    made = schedule(high, arrivals, 30)
    due = [at_ns / NS for _ in range(30) for at_ns in due_until(made.enter(), 40 * NS)]
    for begin_s in range(0, 30, 2):
        expected = high.expected(begin_s + 2) - high.expected(begin_s)
        found = sum(begin_s <= at_s < begin_s + 2 for at_s in due)
        assert found == pytest.approx(expected, abs=2 if arrivals is Arrivals.CONSTANT else 5 * expected**0.5)
    assert max(due) <= 30


def test_poisson_arrivals_of_all_users_together_spread_as_a_poisson_process_does() -> None:
    made = schedule(RateCurve(((0.0, 200.0),)), Arrivals.POISSON, 20)
    due = sorted(at_ns for _ in range(20) for at_ns in due_until(made.enter(), 100 * NS))
    counts = [sum(1 for at_ns in due if second * NS <= at_ns < (second + 1) * NS) for second in range(100)]
    mean = fmean(counts)
    assert mean == pytest.approx(200, rel=0.03)
    assert fmean((count - mean) ** 2 for count in counts) == pytest.approx(mean, rel=0.4)


@pytest.mark.parametrize("arrivals", list(Arrivals))
def test_the_same_seed_gives_the_same_schedule_and_another_seed_another(arrivals: Arrivals) -> None:
    def due(seed: int) -> list[list[int]]:
        made = schedule(UP_AND_DOWN, arrivals, 5, seed=seed)
        return [due_until(made.enter(), 40 * NS) for _ in range(5)]

    assert due(1) == due(1)
    assert (due(1) == due(2)) is (arrivals is Arrivals.CONSTANT)


def test_whoever_comes_takes_the_place_of_whoever_left() -> None:
    made = schedule(RateCurve(((0.0, 10.0),)), Arrivals.CONSTANT, 4)
    first, second, third = (made.enter() for _ in range(3))
    assert made.leave(second, NS // 2) == 2, "due at 0.1 and 0.5 s"
    assert made.enter().next_due_ns(0) == NS // 10
    assert made.enter().next_due_ns(0) == 3 * NS // 10
    assert first.next_due_ns(0) == 0
    assert third.next_due_ns(0) == 2 * NS // 10


def test_what_nobody_got_to_is_counted_when_the_load_ends() -> None:
    made = schedule(RateCurve(((0.0, 10.0),)), Arrivals.CONSTANT, 2)
    for _ in range(2):
        made.enter().next_due_ns(0)
    assert made.end(NS) == 9  # of 11 points from 0 to 1 s
