"""The statistics hold what they promise, on simulated series whose truth is known.

Every series is seeded: nothing here can come out differently another time. `python -m benchmarks statistics` has the
full number of runs.
"""

import numpy as np
import pytest

from analysis.statistics.intervals import Estimate, average_interval, percentile_interval, share_interval
from analysis.statistics.steps import find_steps
from analysis.statistics.trend import forecast_crossing_s, trend
from analysis.statistics.warmup import find_warmup
from analysis.statistics.windows import windows
from benchmarks.statistics import (
    Floats,
    autocorrelated,
    interval_coverage,
    latencies,
    nights,
    soak,
)

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def times(values: Floats) -> Floats:
    return np.arange(len(values)) * 60.0


def test_intervals_cover_the_truth_of_autocorrelated_runs() -> None:
    average, p95 = interval_coverage(runs=60, alike=0.7)
    assert 0.88 <= average <= 1
    assert 0.88 <= p95 <= 1


def test_intervals_of_ten_minutes_with_slow_waves_cover_the_truth_too() -> None:
    average, p95 = interval_coverage(runs=150, alike=0.8, seconds=600)
    assert average >= 0.9
    assert p95 >= 0.9


def test_a_run_without_seconds_has_no_interval() -> None:
    assert percentile_interval(np.zeros(5, np.int64), np.ones(5, np.int64), 95) is None
    assert percentile_interval(np.empty(0, np.int64), np.empty(0, np.int64), 95) is None


@pytest.mark.parametrize("seconds", [10, 13, 19, 20, 21])
def test_a_run_of_some_seconds_has_an_interval(rng: np.random.Generator, seconds: int) -> None:
    start_ns = np.arange(10 * seconds, dtype=np.int64) * (NS_PER_S // 10)
    latency_ns = (rng.lognormal(4, 0.5, len(start_ns)) * NS_PER_MS).astype(np.int64)
    found = percentile_interval(start_ns, latency_ns, 95)
    assert found is not None
    assert 0 < found.ends[0] < found.ends[1]


@pytest.mark.parametrize(("by", "moved"), [(1.0, False), (1.5, True)])
def test_a_level_that_moved_within_the_run_is_told(rng: np.random.Generator, by: float, moved: bool) -> None:
    start_ns, latency_ns = latencies(rng, 3600, 0.5)
    slower = (latency_ns * np.where(start_ns >= 2400 * NS_PER_S, by, 1.0)).astype(np.int64)
    for found in (average_interval(start_ns, slower), percentile_interval(start_ns, slower, 95)):
        assert found is not None
        assert (found.level_moved, found.too_few) == (moved, False)


@pytest.mark.parametrize(("count", "too_few"), [(200, True), (6000, False)])
def test_the_upper_end_of_a_percentile_takes_values_above_it(
    rng: np.random.Generator, count: int, too_few: bool
) -> None:
    start_ns = np.linspace(0, 3600 * NS_PER_S, count).astype(np.int64)
    found = percentile_interval(start_ns, (rng.lognormal(4, 0.5, count) * NS_PER_MS).astype(np.int64), 99)
    assert found is not None
    assert found.too_few is too_few


def test_a_constant_has_an_interval_of_no_width() -> None:
    start_ns = np.arange(100, dtype=np.int64) * NS_PER_S
    assert percentile_interval(start_ns, np.full(100, 7 * NS_PER_MS), 95) == Estimate(
        (7.0, 7.0), level_moved=False
    )


@pytest.mark.parametrize("alike", [0.0, 0.5, 0.8])
def test_noise_is_no_trend_and_no_step(rng: np.random.Generator, alike: float) -> None:
    series = [soak(rng, 120, alike) for _ in range(60)]
    rising = [found for one in series if (found := trend(times(one), one)) and found.p_value < 0.05]
    assert sum(found.slope_per_s > 0 for found in rising) <= 5
    assert sum(bool(find_steps(one)) for one in series) <= 7


def test_a_drift_is_found_with_its_size_and_its_forecast(rng: np.random.Generator) -> None:
    values = soak(rng, 120, 0.5) * np.linspace(1, 1.2, 120)
    found = trend(times(values), values)
    assert found is not None
    assert found.p_value < 0.01
    assert found.low < found.slope_per_s < found.high
    assert found.change / found.at(0) == pytest.approx(0.2, abs=0.1)
    crossing_s = forecast_crossing_s(found, 2 * found.at(0))
    assert crossing_s == pytest.approx(found.at(0) / found.slope_per_s)


def test_what_falls_or_stands_never_crosses_and_what_is_above_has_crossed() -> None:
    falling, flat = np.linspace(200, 100, 30), np.full(30, 100.0)
    for values in (falling, flat):
        found = trend(times(values), values)
        assert found is not None
        assert forecast_crossing_s(found, 300) is None
        assert forecast_crossing_s(found, 50) == found.begin_s
    stands = trend(times(flat), flat)
    assert stands is not None
    assert (stands.slope_per_s, stands.p_value) == (0.0, 1.0)


def test_a_steep_rise_shows_in_ten_points(rng: np.random.Generator) -> None:
    """Their ranks alone cannot tell a doubling from a slight rise."""
    doubling = [np.linspace(100, 200, 10) * np.exp(0.05 * rng.standard_normal(10)) for _ in range(100)]
    level = [100 * np.exp(0.05 * rng.standard_normal(10)) for _ in range(100)]

    def clear(series: list[Floats]) -> int:
        return sum((found := trend(times(one), one)) is not None and found.p_value < 0.05 for one in series)

    assert clear(doubling) >= 80
    assert clear(level) <= 5


def test_too_few_points_have_no_trend_and_no_step() -> None:
    assert trend(np.arange(7.0), np.arange(7.0)) is None
    assert trend(np.array([]), np.array([])) is None
    assert find_steps([]) == []
    assert find_steps([1, 1, 1, 9, 9, 9]) == []


def test_a_long_series_keeps_its_trend_when_it_is_thinned(rng: np.random.Generator) -> None:
    values = soak(rng, 10_080, 0.5) * np.linspace(1, 1.2, 10_080)
    found = trend(times(values), values)
    assert found is not None
    assert found.points <= 360
    assert found.change / found.at(0) == pytest.approx(0.2, abs=0.05)


def test_one_regression_among_sixty_nights_is_found_at_its_night_alone(rng: np.random.Generator) -> None:
    for _ in range(20):
        values = nights(rng, noise=0.02)
        [step] = find_steps(values, times=times(values))
        assert step.index == 30
        assert step.at == 1800.0
        assert step.change == pytest.approx(0.12, abs=0.03)


def test_two_steps_are_found_and_an_outlier_is_none(rng: np.random.Generator) -> None:
    values = 100 + rng.standard_normal(90)
    values[30:60] += 20
    values[75] = 10_000
    assert [step.index for step in find_steps(values)] == [30, 60]


def test_a_step_in_a_series_of_a_week_is_found_near_its_place(rng: np.random.Generator) -> None:
    values = soak(rng, 10_080, 0.5)
    values[5000:] *= 1.3
    [step] = find_steps(values)
    assert abs(step.index - 5000) <= 25


def test_a_warmup_is_found_and_its_absence_too(rng: np.random.Generator) -> None:
    start_ns, latency_ns = latencies(rng, 600, 0.5)
    assert find_warmup(start_ns, latency_ns).end_s == 0
    slow = 1 + 3 * (start_ns < 60 * NS_PER_S)
    found = find_warmup(start_ns, (latency_ns * slow).astype(np.int64))
    assert found.steady
    assert 58 <= found.end_s <= 66


def test_a_warmup_is_found_beside_a_few_bad_seconds(rng: np.random.Generator) -> None:
    for _ in range(10):
        start_ns, latency_ns = latencies(rng, 300, 0.5)
        at_s = start_ns / NS_PER_S
        slow = 1 + (at_s < 30) + 4 * ((at_s > 200) & (at_s < 206))
        assert 28 <= find_warmup(start_ns, (latency_ns * slow).astype(np.int64)).end_s <= 35


def test_stationary_runs_are_hardly_cut(rng: np.random.Generator) -> None:
    cut_s = [find_warmup(*latencies(rng, 300, 0.5)).end_s for _ in range(40)]
    assert np.mean(cut_s) < 0.01 * 300


def test_a_run_that_settles_in_its_second_half_never_became_steady(rng: np.random.Generator) -> None:
    start_ns, latency_ns = latencies(rng, 600, 0)
    slow = 1 + 9 * (start_ns < 400 * NS_PER_S)
    found = find_warmup(start_ns, (latency_ns * slow).astype(np.int64))
    assert (found.end_s, found.steady) == (0.0, False)


@pytest.mark.parametrize("at_s", [330, 420, 540])
def test_a_run_that_becomes_slower_late_had_settled(rng: np.random.Generator, at_s: int) -> None:
    start_ns, latency_ns = latencies(rng, 600, 0)
    found = find_warmup(start_ns, (latency_ns * (1 + (start_ns > at_s * NS_PER_S))).astype(np.int64))
    assert (found.end_s, found.steady) == (0.0, True)


def test_what_was_slower_before_is_told_from_what_was_faster(rng: np.random.Generator) -> None:
    start_ns, latency_ns = latencies(rng, 600, 0)
    for factor in (0.3, 3.0):
        early = np.where(start_ns < 200 * NS_PER_S, factor, 1.0)
        found = find_warmup(start_ns, (latency_ns * early).astype(np.int64))
        assert found.slower is (factor > 1)
        assert 198 <= found.end_s <= 206


def test_nothing_and_little_have_no_warmup() -> None:
    nothing = np.empty(0, np.int64)
    assert find_warmup(nothing, nothing).end_s == 0
    assert find_warmup(np.arange(5), np.arange(5)).end_s == 0


def test_windows_are_judged_one_by_one() -> None:
    start_ns = np.arange(300, dtype=np.int64) * NS_PER_S  # five minutes, one value a second
    latency_ns = np.full(300, 100 * NS_PER_MS)
    latency_ns[60:66] = 900 * NS_PER_MS  # a tenth of the second minute
    found = windows(start_ns, latency_ns)
    assert found.figures["count"].tolist() == [60] * 5
    assert found.figures["p95_ms"].tolist() == [100, 900, 100, 100, 100]
    assert found.within(p95_ms=500) == 4
    assert found.within(avg_ms=150) == 4
    assert found.within(avg_ms=100) == 0
    assert found.middle_s.tolist() == [30, 90, 150, 210, 270]


def test_a_window_that_is_cut_off_is_left_out_and_no_other() -> None:
    start_ns = (
        np.concatenate((np.arange(90), np.arange(120, 130), np.arange(240, 320))).astype(np.int64) * NS_PER_S
    )
    found = windows(start_ns, np.full(len(start_ns), NS_PER_MS))
    assert found.figures.index.tolist() == [0, 60, 120, 180, 240]
    assert found.figures["count"].tolist() == [60, 30, 10, 0, 60]
    assert found.within(p95_ms=2) == found.within(avg_ms=2) == 4
    assert found.telling.figures.index.tolist() == [0, 60, 120, 240]
    assert len(windows(start_ns[:0], start_ns[:0]).figures) == 0


def test_those_who_wait_tell_of_a_window_in_which_few_begin() -> None:
    seconds = np.concatenate((np.arange(0, 60), [58, 59], np.arange(122, 300)))
    start_ns = seconds.astype(np.int64) * NS_PER_S
    latency_ns = np.full(len(start_ns), 100 * NS_PER_MS)
    latency_ns[60], latency_ns[61] = 64_000 * NS_PER_MS, 62_000 * NS_PER_MS  # until 122 and 121 s
    found = windows(start_ns, latency_ns)
    assert found.figures["count"].tolist() == [62, 0, 58, 60, 60]
    assert found.figures["told"].tolist() == [62, 2, 58, 60, 60]
    assert found.figures["p95_ms"].tolist() == [100, 64_000, 100, 100, 100]
    assert found.figures["avg_ms"][60.0] == 63_000
    assert found.within(p95_ms=500) == 4
    # somebody waited through all of it: two are enough to tell
    assert found.telling.figures.index.tolist() == [0, 60, 120, 180, 240]


def test_who_is_answered_when_a_window_begins_waits_no_longer() -> None:
    start_ns = np.array([50, 130], np.int64) * NS_PER_S
    latency_ns = np.array([10, 1], np.int64) * NS_PER_S
    found = windows(start_ns, latency_ns, begin_ns=0, end_ns=180 * NS_PER_S)
    assert found.figures["told"].tolist() == [1, 0, 1]
    latency_ns[0] += 1
    found = windows(start_ns, latency_ns, begin_ns=0, end_ns=180 * NS_PER_S)
    assert found.figures["told"].tolist() == [1, 1, 1]


def test_the_simulated_noise_is_as_alike_as_it_is_said_to_be(rng: np.random.Generator) -> None:
    noise = autocorrelated(rng, 20_000, 0.7)
    assert np.corrcoef(noise[1:], noise[:-1])[0, 1] == pytest.approx(0.7, abs=0.03)
    assert noise.std() == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(("at_once", "held_least"), [(1, 0.92), (5, 0.88), (20, 0.8)])
def test_the_interval_of_a_share_allows_for_bursts(at_once: int, held_least: float) -> None:
    """An error in a hundred, so many at once: what nobody can know is how they come where none came."""
    rng = np.random.default_rng(2)
    start_ns = np.arange(20_000) * (NS_PER_S // 20)
    held = 0
    for _ in range(200):
        hit = np.zeros(len(start_ns), np.bool_)
        for begin in rng.integers(0, len(hit) - at_once, rng.poisson(len(hit) / 100 / at_once)):
            hit[begin : begin + at_once] = True
        low, high = share_interval(start_ns, hit)
        held += low <= 1.0 <= high
    assert held / 200 >= held_least


def test_the_interval_of_a_share_of_independent_ones_is_wilson_s() -> None:
    hit = np.array([True] + [False] * 8)
    assert share_interval(np.zeros(9, np.int64), hit) == pytest.approx((1.994, 43.5), abs=0.01)
    assert share_interval(np.arange(9), ~hit)[1] == pytest.approx(100 - 1.994, abs=0.01)
    assert share_interval(np.arange(9), np.zeros(9, np.bool_))[0] == 0
