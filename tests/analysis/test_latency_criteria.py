"""Promise: beside the exact figure stands how sure and how even it is, and in an open workload both latencies."""

import numpy as np

from analysis.criteria import Verdict
from analysis.latency import NS_PER_MS, NS_PER_S, Targets, send_latencies, service_latencies, with_warmup
from analysis.latency_criteria import send_criteria
from tests.analysis.test_latency import sends_frame

TARGETS = Targets.of({"CHATSOAK_WARMUP_S": 0})


def test_an_interval_that_holds_the_target_is_said_and_decides_nothing() -> None:
    rng = np.random.default_rng(3)
    frame = sends_frame(*rng.normal(298, 60, 400))
    average, p95 = send_criteria(send_latencies(frame, TARGETS), TARGETS)
    assert average.facts["straddles"] == 1
    assert average.ci95 is not None
    assert average.ci95[0] < 300 < average.ci95[1]
    assert average.outcome is (Verdict.PASS if (average.observed or 0) < 300 else Verdict.FAIL)
    assert "holds the target of 300 ms" in (average.reason or "")
    assert "straddles" not in p95.facts
    assert p95.reason is None


def test_the_percentiles_beside_p95_have_an_interval_too_where_the_run_is_long_enough() -> None:
    rng = np.random.default_rng(3)
    _, p95 = send_criteria(send_latencies(sends_frame(*rng.normal(298, 60, 400)), TARGETS), TARGETS)
    assert p95.intervals.keys() == {"p50_ms", "p99_ms"}
    for fact, (low, high) in p95.intervals.items():
        assert low < p95.facts[fact] < high
    _, short = send_criteria(send_latencies(sends_frame(*[100.0] * 5), TARGETS), TARGETS)
    assert short.intervals == {}


def test_an_open_workload_shows_where_response_and_service_time_part() -> None:
    targets = Targets.of({"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": "open"})
    frame = sends_frame(*[10.0] * 100)
    frame["due_ns"] = frame["left_ns"] - 700 * NS_PER_MS
    criteria = send_criteria(send_latencies(frame, targets), targets, service_latencies(frame, targets))
    for criterion in criteria:
        assert criterion.facts["response_avg_ms"] == 710.0
        assert criterion.facts["service_avg_ms"] == 10.0
        assert criterion.facts["response_p99_ms"] == 710.0
        assert criterion.facts["service_p95_ms"] == 10.0
        assert criterion.observed == 710.0


def test_a_closed_workload_has_service_time_only_and_says_so() -> None:
    average, _ = send_criteria(send_latencies(sends_frame(*[10.0] * 30), TARGETS), TARGETS)
    assert "service time" in average.title
    assert not [name for name in average.facts if name.startswith("response")]


def test_a_minute_that_missed_the_target_is_counted() -> None:
    frame = sends_frame(*[100.0] * 60, *[900.0] * 60, *[100.0] * 180)
    average, p95 = send_criteria(send_latencies(frame, TARGETS), TARGETS)
    assert average.outcome is Verdict.PASS
    assert (average.facts["minutes"], average.facts["minutes_within_target"]) == (5, 4)
    assert (p95.facts["minutes"], p95.facts["minutes_within_target"]) == (5, 4)


def test_a_warmup_is_found_unless_it_was_set_by_hand() -> None:
    rng = np.random.default_rng(4)
    frame = sends_frame(*(rng.normal(100, 5, 600) + 400 * (np.arange(600) < 60)))
    found = with_warmup(Targets.of({}), frame)
    assert 58 <= found.warmup_s <= 72
    average, _ = send_criteria(send_latencies(frame, found), found)
    assert average.facts["warmup_s"] == round(found.warmup_s, 3)
    assert average.checked == int((frame["left_ns"] >= found.warmup_s * NS_PER_S).sum())
    assert with_warmup(TARGETS, frame).warmup_s == 0


def test_a_run_that_never_settled_is_judged_whole_and_says_so() -> None:
    rng = np.random.default_rng(5)
    frame = sends_frame(*(rng.normal(100, 5, 600) + 400 * (np.arange(600) < 400)))
    found = with_warmup(Targets.of({}), frame)
    assert (found.warmup_s, found.settled) == (0, False)
    average, _ = send_criteria(send_latencies(frame, found), found)
    assert "still settling" in (average.reason or "")
    assert average.checked == 600
