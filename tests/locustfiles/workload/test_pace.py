"""Promise: a closed workload thinks after each answer; an open one keeps its schedule, whatever the server does."""

from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.rates import RateCurve
from locustfiles.workload import ClosedPace, OpenPace
from locustfiles.workload.pace import NEVER_NS, NS, at_random, evenly


@given(think_s=st.floats(0.001, 60), now_ns=st.integers(0, 2**62), seed=st.integers())
def test_a_closed_user_never_acts_before_having_thought(think_s: float, now_ns: int, seed: int) -> None:
    due_ns = ClosedPace(think_s, Random(seed)).next_due_ns(now_ns)
    assert think_s / 2 * NS - 1 <= due_ns - now_ns <= think_s * 1.5 * NS + 1


def test_closed_thinking_has_the_mean_that_was_asked_for() -> None:
    pace = ClosedPace(2.0, Random(1))
    pauses_s = [pace.next_due_ns(0) / NS for _ in range(5_000)]
    assert fmean(pauses_s) == pytest.approx(2.0, rel=0.02)
    assert len(set(pauses_s)) > 4_900, "people do not think in step"


def test_a_slow_server_gets_fewer_requests_of_a_closed_user() -> None:
    def acts_in_a_minute(answer_s: float) -> int:
        pace, now_ns, acts = ClosedPace(1.0, Random(1)), 0, 0
        while (now_ns := pace.next_due_ns(now_ns)) < 60 * NS:
            now_ns += int(answer_s * NS)
            acts += 1
        return acts

    assert 50 <= acts_in_a_minute(0) <= 70
    assert 8 <= acts_in_a_minute(5) <= 12


def poisson(rate_per_s: float, seed: int, start_ns: int) -> OpenPace:
    return OpenPace(RateCurve(((0.0, rate_per_s),)), start_ns, at_random(Random(seed)))


@given(seed=st.integers(), delays=st.lists(st.integers(0, 100 * NS), min_size=1, max_size=50))
def test_an_open_schedule_does_not_depend_on_the_answers(seed: int, delays: list[int]) -> None:
    prompt, slow = poisson(5.0, seed, 7), poisson(5.0, seed, 7)
    now_ns = 7
    due = [prompt.next_due_ns(0) for _ in delays]
    for expected, delay in zip(due, delays, strict=True):
        now_ns += delay
        assert slow.next_due_ns(now_ns) == expected
    assert due == sorted(due)
    assert due[0] >= 7


def test_an_open_schedule_is_a_poisson_process_of_the_rate_asked_for() -> None:
    start_ns, count = 123 * NS, 20_000
    pace = poisson(50.0, 1, start_ns)
    due = [pace.next_due_ns(0) for _ in range(count)]
    gaps = [after - before for before, after in zip([start_ns, *due], due, strict=False)]
    mean = fmean(gaps) / NS
    assert mean == pytest.approx(1 / 50, rel=0.03)
    spread = fmean((gap / NS - mean) ** 2 for gap in gaps) ** 0.5
    assert spread == pytest.approx(mean, rel=0.05), "exponential gaps spread as wide as their mean"


def test_what_was_due_and_never_handed_out_is_counted() -> None:
    pace = OpenPace(RateCurve(((0.0, 10.0),)), 0, evenly(0.5))
    assert [pace.next_due_ns(0) for _ in range(3)] == [50_000_000, 150_000_000, 250_000_000]
    assert pace.behind(NS) == 7
    assert pace.behind(NS) == 0


def test_a_user_who_comes_late_leaves_out_what_was_due_before() -> None:
    pace = OpenPace(RateCurve(((0.0, 10.0),)), 0, evenly(0.0))
    pace.begin(250_000_000)
    assert pace.next_due_ns(0) == 300_000_000
    assert pace.behind(299_999_999) == 0


def test_a_schedule_that_ends_leaves_nobody_due() -> None:
    pace = OpenPace(RateCurve(((0.0, 10.0), (1.0, 0.0))), 0, evenly(0.0))
    due = [pace.next_due_ns(0) for _ in range(7)]
    assert due[0] == 0
    assert due[4] < NS < NEVER_NS
    assert due[6] == NEVER_NS
    assert pace.behind(NEVER_NS - 1) == 0
