"""Promise: beside the exact figure stands how sure and how even it is, and in an open workload both latencies."""

import numpy as np
import pandas as pd
import pytest

from analysis.criteria import Criterion, Verdict
from analysis.faults import Faults
from analysis.latency import NS_PER_MS, NS_PER_S, Targets, send_latencies, service_latencies, with_warmup
from analysis.latency_criteria import errors_criterion, send_criteria
from analysis.record.codes import Outcome
from tests.analysis.test_latency import sends_frame

TARGETS = Targets.of({"CHATSOAK_WARMUP_S": 0})
FOUND = Targets.of({})  # the warm-up is found


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


def test_a_run_of_less_than_fifty_minutes_is_too_short_for_a_sure_interval() -> None:
    rng = np.random.default_rng(3)
    for seconds, short in ((2990, True), (3000, False)):
        average, p95 = judged(sends_frame(*rng.normal(298, 60, seconds)), TARGETS)
        assert [("short_run" in one.facts) for one in (average, p95)] == [short, short]
        assert ("95% interval, at least" in (average.reason or "")) == short


def of_errors(count: int, bad: int, each_s: float = 1.0, outcome: Outcome = Outcome.FAIL) -> Criterion:
    """`errors.send` of `count` sends, of which `bad`, spread evenly, were refused or came to no clear answer."""
    frame = sends_frame(*[10.0] * count, each_s=each_s)
    at = np.linspace(0, count - 1, bad).astype(int)
    frame.loc[frame.index[at], "outcome"] = outcome
    return errors_criterion(frame, Faults.of([]), TARGETS)


@pytest.mark.parametrize("missed", [Outcome.FAIL, Outcome.INFO])
@pytest.mark.parametrize(("bad", "outcome"), [(1, Verdict.PASS), (2, Verdict.FAIL)])
def test_a_share_of_errors_on_its_target_is_within_it(bad: int, outcome: Verdict, missed: Outcome) -> None:
    assert of_errors(1000, bad, outcome=missed).outcome is outcome


@pytest.mark.parametrize(("count", "bad", "outcome"), [(1500, 1, Verdict.PASS), (500, 1, Verdict.FAIL)])
def test_a_share_of_errors_whose_interval_holds_the_target_says_so(
    count: int, bad: int, outcome: Verdict
) -> None:
    errors = of_errors(count, bad)
    assert errors.outcome is outcome
    assert errors.facts["straddles"] == 1
    assert "holds the target of 0.1%" in (errors.reason or "")


def test_a_share_of_errors_far_from_its_target_says_nothing() -> None:
    errors = of_errors(500, 100)
    assert (errors.outcome, errors.reason) == (Verdict.FAIL, None)
    assert "straddles" not in errors.facts


def test_no_error_in_few_sends_says_calmly_how_many_it_takes() -> None:
    errors = of_errors(471, 0)
    assert errors.outcome is Verdict.PASS
    assert errors.reason == (
        "No error in 471 sends; that the share is at most 0.1% would take 3,838 without one."
    )
    assert "straddles" not in errors.facts
    enough = of_errors(3838, 0)
    assert enough.reason is None
    assert enough.ci95 is not None
    assert enough.ci95[1] <= 0.1


def test_the_interval_of_errors_of_a_short_run_is_a_least_width_too() -> None:
    assert ["short_run" in of_errors(count, 0).facts for count in (2990, 3000)] == [True, False]


def test_an_average_is_never_below_nothing() -> None:
    average, _ = judged(begun_slowly(150, 5000, 900), TARGETS)
    assert average.ci95 is not None
    assert average.ci95[0] >= 0


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


def begun_slowly(slow_s: int, slow_ms: float = 400, run_s: int = 600) -> pd.DataFrame:
    """Five sends a second around 100 ms; for the first `slow_s` they take so much longer."""
    at_s = np.arange(run_s * 5) / 5
    latencies_ms = np.random.default_rng(4).normal(100, 5, len(at_s)) + slow_ms * (at_s < slow_s)
    return sends_frame(*latencies_ms, each_s=0.2)


def judged(frame: pd.DataFrame, targets: Targets = FOUND, ramp_s: float = 0.0) -> list[Criterion]:
    targets = with_warmup(targets, frame, ramp_s)
    return send_criteria(send_latencies(frame, targets), targets)


def test_a_warmup_is_found_unless_it_was_set_by_hand() -> None:
    frame = begun_slowly(40)
    found = with_warmup(FOUND, frame)
    assert 39 <= found.warmup_s <= 60
    average, _ = send_criteria(send_latencies(frame, found), found)
    assert average.facts["warmup_s"] == round(found.warmup_s, 3)
    assert average.checked == int((frame["left_ns"] >= found.warmup_s * NS_PER_S).sum())
    assert with_warmup(TARGETS, frame).warmup_s == 0


@pytest.mark.parametrize(("slow_s", "run_s"), [(150, 300), (130, 600), (840, 1800)])
def test_what_is_longer_than_a_warmup_is_judged_and_said(slow_s: int, run_s: int) -> None:
    frame = begun_slowly(slow_s, 2000, run_s)
    for criterion in judged(frame):
        assert criterion.outcome is Verdict.FAIL
        assert criterion.checked == 5 * run_s
        assert "steady only after" in (criterion.reason or "") or "still settling" in (criterion.reason or "")


def test_users_that_take_their_time_to_arrive_have_a_longer_warmup() -> None:
    frame = begun_slowly(100, 150, 1800)
    assert with_warmup(FOUND, frame, ramp_s=0).warmup_s == 0
    assert 99 <= with_warmup(FOUND, frame, ramp_s=60).warmup_s <= 120


def test_a_warmup_that_misses_the_target_by_itself_is_no_clean_pass() -> None:
    average, p95 = judged(begun_slowly(40, 2000))
    for criterion in (average, p95):
        assert criterion.outcome is Verdict.INCONCLUSIVE
        assert (criterion.observed or 0) < 120
        assert criterion.facts["left_out_ms"] > 1500
        assert "cold start or a fault that ended, nobody can tell" in (criterion.reason or "")
        minutes = ("minutes", "minutes_within_target", "all_minutes", "all_minutes_within_target")
        assert [criterion.facts[name] for name in minutes] == [9, 9, 10, 9]
    by_hand = Targets.of({"CHATSOAK_WARMUP_S": 40})
    for criterion in judged(begun_slowly(40, 2000), by_hand):
        assert criterion.outcome is Verdict.PASS
        assert "CHATSOAK_WARMUP_S says so" in (criterion.reason or "")


def test_a_warmup_within_target_and_a_trifle_are_nobodys_concern() -> None:
    for frame in (begun_slowly(40, 150), begun_slowly(8, 5000)):
        assert with_warmup(FOUND, frame).warmup_s > 0
        for criterion in judged(frame):
            assert (criterion.outcome, criterion.reason) == (Verdict.PASS, None)
            assert "left_out_ms" not in criterion.facts


def test_a_run_that_becomes_slower_is_not_said_to_settle() -> None:
    rng = np.random.default_rng(5)
    late = sends_frame(*(rng.normal(100, 5, 600) * (1 + (np.arange(600) >= 420))))
    assert not {"settling", "steady"} & set((judged(late)[0].reason or "").split())
    early = sends_frame(*(rng.normal(100, 5, 600) * (1 + (np.arange(600) >= 200))))
    reason = judged(early)[0].reason or ""
    assert "Latency was lower in the first 2" in reason
    assert "steady" not in reason


def test_a_run_that_never_settled_is_judged_whole_and_says_so() -> None:
    rng = np.random.default_rng(5)
    frame = sends_frame(*(rng.normal(100, 5, 600) + 400 * (np.arange(600) < 400)))
    assert with_warmup(FOUND, frame).warmup_s == 0
    average, _ = judged(frame)
    assert "still settling" in (average.reason or "")
    assert average.checked == 600
