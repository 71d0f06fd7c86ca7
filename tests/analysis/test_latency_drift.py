"""Promise: drift.latency finds a rise that would break a target, with its forecast, and blames no noise and no short run."""

import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.checks.steady import Stretch
from analysis.criteria import Verdict
from analysis.latency import NS_PER_S, Latencies, Targets
from analysis.latency_drift import latency_drift, rises_of
from benchmarks.statistics import DRIFT_FROM, NEAR_TARGET, drift_share, latencies, soaked

MINUTES = 30
TARGETS = Targets.of({"CHATSOAK_WARMUP_S": 0})
WHOLE = Stretch(0, MINUTES * 60 * NS_PER_S, MINUTES * 60.0)
NOTHING = Latencies(*(np.empty(0, kind) for kind in (np.int64, np.int64, np.bool_, np.int16)))


def run(seed: int, rise: float = 0.0, scale: float = 1.0, alike: float = 0.5) -> Latencies:
    """Half an hour around 100 ms, P95 some 210 ms; over it latency rises by `rise` of itself."""
    start_ns, latency_ns = latencies(np.random.default_rng(seed), MINUTES * 60, alike)
    factor = scale * (1 + rise * start_ns / (MINUTES * 60 * NS_PER_S))
    ones = np.ones(len(start_ns), np.bool_)
    return Latencies(start_ns, (latency_ns * factor).astype(np.int64), ones, ones.astype(np.int16))


def test_a_steady_run_passes_and_says_how_many_series_it_judged() -> None:
    found = latency_drift(run(3), run(4), TARGETS, WHOLE)
    assert (found.outcome, found.observed, found.checked, found.reason) == (Verdict.PASS, 0, 3, None)


def test_false_alarms_are_rare() -> None:
    outcomes = [
        latency_drift(run(seed, scale=2), run(seed + 100), TARGETS, WHOLE).outcome for seed in range(20)
    ]
    assert outcomes.count(Verdict.FAIL) <= 1


def test_a_rise_of_a_fifth_is_found_with_the_forecast_of_when_the_target_is_passed() -> None:
    found = latency_drift(run(1, rise=0.2, scale=1.8), run(2), TARGETS, WHOLE)
    assert found.outcome is Verdict.FAIL
    said = " ".join(finding.why for finding in found.examples)
    assert "Average send latency rose from" in said
    assert "P95 of send latency rose from" in said
    assert "going on like this it passes its target of 500 ms" in said
    assert "delivery" not in said


def test_a_rise_that_has_passed_the_target_says_so() -> None:
    found = latency_drift(NOTHING, run(2, rise=0.5, scale=4), TARGETS, WHOLE)
    assert found.outcome is Verdict.FAIL
    (finding,) = found.examples
    assert finding.why.startswith("P95 of delivery latency rose")
    assert finding.why.endswith("it has passed its target of 1000 ms.")


def test_a_rise_that_the_target_has_room_for_is_told_and_fails_nothing() -> None:
    found = latency_drift(run(1, rise=0.2, scale=0.05), NOTHING, TARGETS, WHOLE)
    assert found.outcome is Verdict.PASS
    assert found.reason is not None
    assert "hours later" in found.reason
    assert found.facts.keys() == {"rose"}


def stepped(seed: int, step: float, at: float = 0.5, *, seconds: int = 3600, noise: float = 0.0) -> Latencies:
    """A soak that stands at one level, from `at` of it on at a higher one; P95 from some 350 ms."""
    rng = np.random.default_rng(seed)
    count = rng.poisson(10 * seconds)
    at_s = np.sort(rng.random(count)) * seconds
    level = noise * rng.standard_normal(seconds // 60 + 1)[(at_s // 60).astype(np.int64)]
    latency_ms = 180 * np.exp(level + 0.4 * rng.standard_normal(count)) * (1 + step * (at_s >= at * seconds))
    ones = np.ones(count, np.bool_)
    return Latencies(
        (at_s * NS_PER_S).astype(np.int64), (latency_ms * 1e6).astype(np.int64), ones, ones.astype(np.int16)
    )


HOUR = Stretch(720 * NS_PER_S, 3600 * NS_PER_S, 3600.0)


@pytest.mark.parametrize(
    ("step", "at", "least"), [(0.12, 0.5, 2), (0.15, 0.3, 2), (0.15, 0.75, 1), (0.5, 0.9, 0)]
)
def test_one_step_is_no_drift_and_is_told_as_what_it_is(step: float, at: float, least: int) -> None:
    told = []
    for seed in range(4):
        found = latency_drift(stepped(seed, step, at), NOTHING, TARGETS, HOUR)
        assert (found.outcome, found.observed) == (Verdict.PASS, 0)
        said = found.reason or ""
        assert "going on like this" not in said, "nobody forecasts a step"
        minutes = re.findall(r"ms at once, about minute (\d+) of the run: that is a step and no drift", said)
        assert all(abs(int(minute) - 60 * at) <= 2 for minute in minutes)
        told.append(len(minutes))
    assert max(told) >= least


def test_a_step_of_deliveries_is_no_drift_either() -> None:
    deliveries = stepped(1, 0.3)
    found = latency_drift(NOTHING, deliveries, TARGETS, HOUR)
    assert found.outcome is Verdict.PASS
    assert "P95 of delivery latency rose from" in (found.reason or "")
    assert found.facts == {"stepped": 1}


def test_a_drift_that_goes_on_after_a_step_is_found() -> None:
    for seed, at in ((0, 0.4), (0, 0.3)):
        sent = stepped(seed, 0.3, at)
        since = (sent.start_ns / NS_PER_S / 3600 - at).clip(min=0) / (1 - at)
        sent = replace(sent, latency_ns=(0.95 * sent.latency_ns * (1 + 0.12 * since)).astype(np.int64))
        found = latency_drift(sent, NOTHING, TARGETS, HOUR)
        assert found.outcome is Verdict.FAIL
        assert "that is a step and no drift" in (found.reason or ""), "told beside it"


def test_what_comes_after_a_step_is_judged_by_itself() -> None:
    whole = next(rises_of(stepped(0, 0.3, 0.4), NOTHING, TARGETS, HOUR))
    late = whole.since(1440.0)
    assert late is not None
    assert (late.name, late.target_ms) == (whole.name, whole.target_ms)
    assert late.trend.begin_s >= 1440
    assert whole.share > 0.2
    assert abs(late.share) < 0.1
    assert whole.since(3400.0) is None, "too few windows"


@pytest.mark.parametrize("begins", [0.0, 0.5])
def test_what_goes_on_is_no_step(begins: float) -> None:
    sent = stepped(3, 0.0)
    rise = 1 + 0.3 * (sent.start_ns / 1e9 / 3600 - begins).clip(min=0) / (1 - begins)
    sent = replace(sent, latency_ns=(sent.latency_ns * rise).astype(np.int64))
    found = latency_drift(sent, NOTHING, TARGETS, HOUR)
    assert (found.outcome, found.reason) == (Verdict.FAIL, None)


def test_a_small_rise_that_passes_its_target_within_as_much_time_again_fails() -> None:
    # P95 from some 455 to some 490 ms, less than a tenth: it passes 500 ms soon after the end
    sent = soaked(np.random.default_rng(7), 0, scale=2.35, rise=0.08)
    hour = Stretch(0, 3600 * NS_PER_S, 3600.0)
    found = latency_drift(sent, NOTHING, TARGETS, hour)
    assert found.outcome is Verdict.FAIL
    p95 = next(one for one in rises_of(sent, NOTHING, TARGETS, hour) if one.name.startswith("P95"))
    assert p95.share < 0.1
    assert p95.is_near
    assert any("P95 of send latency rose" in finding.why for finding in found.examples)


def test_the_same_rise_with_room_below_the_target_or_from_above_it_fails_nothing() -> None:
    hour = Stretch(0, 3600 * NS_PER_S, 3600.0)
    for scale in (1.5, 4.0):
        sent = soaked(np.random.default_rng(7), 0, scale=scale, rise=0.08)
        assert latency_drift(sent, NOTHING, TARGETS, hour).outcome is Verdict.PASS


def test_the_time_that_the_load_took_to_settle_is_judged_too() -> None:
    sent = soaked(np.random.default_rng(1), 0.3)
    settled = Stretch(720 * NS_PER_S, 3600 * NS_PER_S, 3600.0)
    for one in rises_of(sent, NOTHING, TARGETS, settled):
        assert (one.trend.begin_s, one.trend.end_s) == pytest.approx((30.0, 3570.0), abs=1)


def test_a_drift_of_a_fifth_is_found_in_soaks_that_are_alike_from_minute_to_minute() -> None:
    assert drift_share(20, 0.5, DRIFT_FROM, 0.2) >= 0.95
    assert drift_share(20, 0.5, NEAR_TARGET, 0.0) <= 0.1


def test_soaks_of_ten_minutes_that_are_alike_from_minute_to_minute_raise_few_false_alarms() -> None:
    for alike in (0.3, 0.5):
        assert drift_share(40, alike, NEAR_TARGET, 0.0, 600) <= 0.05


def test_windows_are_minutes_and_longer_where_sends_are_few() -> None:
    sent = soaked(np.random.default_rng(1), 0, seconds=600)
    ten = Stretch(120 * NS_PER_S, 600 * NS_PER_S, 600.0)
    assert {one.trend.points for one in rises_of(sent, NOTHING, TARGETS, ten)} == {10}
    hour = Stretch(720 * NS_PER_S, 3600 * NS_PER_S, 3600.0)
    few = soaked(np.random.default_rng(1), 0)
    few = Latencies(few.start_ns[::40], few.latency_ns[::40], few.judged[::40], few.process[::40])
    assert all(20 <= one.trend.points <= 24 for one in rises_of(few, NOTHING, TARGETS, hour))


def test_what_becomes_faster_is_no_drift() -> None:
    assert latency_drift(run(1, rise=-0.3, scale=5), NOTHING, TARGETS, WHOLE).outcome is Verdict.PASS


@pytest.mark.parametrize(
    ("within", "sent", "said"),
    [
        (Stretch(0, 60 * NS_PER_S, 75.0), run(1), "too short"),
        (Stretch(0, 0, 0.0), NOTHING, "too short"),
        (WHOLE, NOTHING, "too few"),
    ],
)
def test_a_run_that_is_too_short_or_too_sparse_is_not_judged_and_says_why(
    within: Stretch, sent: Latencies, said: str
) -> None:
    found = latency_drift(sent, NOTHING, TARGETS, within)
    assert (found.outcome, found.checked, found.observed) == (Verdict.INFO, 0, None)
    assert said in (found.reason or "")
