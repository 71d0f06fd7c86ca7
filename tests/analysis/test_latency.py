"""Latency figures are exact: at the edges of the targets, and against naive oracles."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.criteria import Verdict
from analysis.faults import Faults
from analysis.latency import (
    NS_PER_MS,
    NS_PER_S,
    Targets,
    average_ms,
    delivery_latencies,
    nearest_rank,
    send_latencies,
    summarize,
)
from analysis.latency_criteria import delivery_criterion, errors_criterion, send_criteria
from analysis.record.codes import EventType, Outcome
from analysis.settings import Workload
from analysis.statistics.intervals import average_interval, percentile_interval

TARGETS = Targets.of({"CHATSOAK_WARMUP_S": 0})

latencies_ns = st.lists(st.integers(0, 20 * NS_PER_S), min_size=1, max_size=200)


def sends_frame(*latencies_ms: float, each_s: float = 1.0, **columns: object) -> pd.DataFrame:
    """Acknowledged sends, one each second from the start, that took `latencies_ms`; `columns` replace."""
    left_ns = (np.arange(len(latencies_ms)) * each_s * NS_PER_S).astype(np.int64)
    frame = pd.DataFrame(
        {
            "clock": 0,
            "process": 0,
            "user_id": 0,
            "client_generated_id": np.arange(len(latencies_ms)),
            "due_ns": left_ns,
            "left_ns": left_ns,
            "answered_ns": left_ns + [round(ms * NS_PER_MS) for ms in latencies_ms],
            "outcome": int(Outcome.OK),
            "axis_ns": left_ns,
            "message": np.arange(len(latencies_ms)),
        }
    )
    return frame.assign(**columns)


def events_frame(*rows: tuple[int, int, int, float], kind: EventType = EventType.INSERT) -> pd.DataFrame:
    """Events of (receiver, message, sender, received at in ms)."""
    return pd.DataFrame(
        {
            "clock": 0,
            "process": 0,
            "user_id": [row[0] for row in rows],
            "message_id": [row[1] for row in rows],
            "sender_id": [row[2] for row in rows],
            "type": int(kind),
            "received_ns": [round(row[3] * NS_PER_MS) for row in rows],
        }
    )


@given(latencies_ns, st.sampled_from([1, 50, 95, 99, 100]))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[int], percent: int
) -> None:
    found = nearest_rank(np.array(values), percent)
    enough = [
        value
        for value in values
        if Fraction(sum(other <= value for other in values), len(values)) >= Fraction(percent, 100)
    ]
    assert found == min(enough)


@given(latencies_ns)
def test_figures_agree_with_a_naive_oracle(values: list[int]) -> None:
    figures = summarize(np.array(values))
    assert figures is not None
    assert figures.count == len(values)
    assert figures.avg_ms == float(Fraction(sum(values), len(values) * NS_PER_MS))
    for percent, found in [(50, figures.p50_ms), (95, figures.p95_ms), (99, figures.p99_ms)]:
        assert found == nearest_rank(np.array(values), percent) / NS_PER_MS
    assert figures.max_ms == max(values) / NS_PER_MS


def test_no_values_have_no_percentile_and_no_figures() -> None:
    assert summarize(np.array([], dtype=np.int64)) is None
    with pytest.raises(ValueError, match="no values"):
        nearest_rank(np.array([], dtype=np.int64), 95)


@pytest.mark.parametrize(
    ("latency_ms", "outcome"),
    [
        (499.9, Verdict.PASS),
        (499.999999, Verdict.PASS),
        (500.0, Verdict.FAIL),
        (500.000001, Verdict.FAIL),
        (501.0, Verdict.FAIL),
    ],
)
def test_the_p95_is_strictly_below_its_target(latency_ms: float, outcome: Verdict) -> None:
    # 95 of 100 sends are fast; the 95th smallest value is the one under test
    frame = sends_frame(*[10.0] * 94, *[latency_ms] * 6)
    _, p95 = send_criteria(send_latencies(frame, TARGETS), TARGETS)
    assert p95.observed == latency_ms
    assert p95.outcome == outcome
    assert p95.checked == 100


@pytest.mark.parametrize(
    ("latency_ms", "outcome"), [(299.999999, Verdict.PASS), (300.0, Verdict.FAIL), (300.4, Verdict.FAIL)]
)
def test_the_average_is_strictly_below_its_target(latency_ms: float, outcome: Verdict) -> None:
    average, _ = send_criteria(send_latencies(sends_frame(*[latency_ms] * 7), TARGETS), TARGETS)
    assert average.observed == pytest.approx(latency_ms, abs=1e-9)
    assert average.outcome == outcome


def test_an_average_stays_exact_where_floats_would_drift() -> None:
    assert average_ms(np.full(1_000_003, 300 * NS_PER_MS)) == 300.0


def test_sends_of_the_warmup_are_left_out() -> None:
    targets = Targets.of({"CHATSOAK_WARMUP_S": 3})
    frame = sends_frame(9000, 9000, 9000, 10, 20)
    average, p95 = send_criteria(send_latencies(frame, targets), targets)
    assert (average.observed, p95.observed, average.checked) == (15.0, 20.0, 2)


def test_a_run_that_ends_in_its_warmup_is_inconclusive_and_says_so() -> None:
    targets = Targets.of({"CHATSOAK_WARMUP_S": 60})
    for criterion in send_criteria(send_latencies(sends_frame(1, 2, 3), targets), targets):
        assert criterion.outcome == Verdict.INCONCLUSIVE
        assert criterion.observed is None
        assert criterion.checked == 0
        assert criterion.reason is not None
        assert "CHATSOAK_WARMUP_S" in criterion.reason


def test_only_acknowledged_sends_have_a_latency() -> None:
    outcomes = [Outcome.OK, Outcome.FAIL, Outcome.INFO]
    frame = sends_frame(10, 5000, 9000, outcome=[int(outcome) for outcome in outcomes])
    average, _ = send_criteria(send_latencies(frame, TARGETS), TARGETS)
    assert (average.observed, average.checked) == (10.0, 1)


def test_a_message_that_was_answered_only_when_it_was_repeated_took_from_its_first_attempt_on() -> None:
    # a time-out after 10 s, another attempt half a second later that takes 20 ms; meanwhile something else
    outcomes = [int(Outcome.INFO), int(Outcome.OK), int(Outcome.OK)]
    frame = sends_frame(10_000, 50, 20, outcome=outcomes, client_generated_id=[7, 8, 7])
    frame.loc[2, ["due_ns", "left_ns", "axis_ns", "answered_ns"]] += 8_500 * NS_PER_MS
    found = send_latencies(frame, TARGETS)
    assert (found.latency_ns / NS_PER_MS).tolist() == [10_520.0, 50.0]
    assert found.start_ns.tolist() == [0, NS_PER_S]
    frame["due_ns"] -= 300 * NS_PER_MS
    response = send_latencies(frame, Targets.of({"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": "open"}))
    assert (response.latency_ns / NS_PER_MS).tolist() == [10_820.0, 350.0]


def test_what_is_sent_again_though_it_was_acknowledged_adds_no_latency() -> None:
    frame = sends_frame(400, 10, 10, client_generated_id=[7, 7, 7])
    average, p95 = send_criteria(send_latencies(frame, TARGETS), TARGETS)
    assert (average.observed, p95.observed, average.checked) == (400.0, 400.0, 1)


def test_one_id_of_two_people_is_two_messages_and_no_id_one_each() -> None:
    frame = sends_frame(1, 2, 3, 4, user_id=[0, 1, 0, 0], client_generated_id=[7, 7, -1, -1])
    assert len(send_latencies(frame, TARGETS).latency_ns) == 4


def test_a_message_belongs_to_the_warmup_in_which_its_first_attempt_left() -> None:
    outcomes = [int(Outcome.INFO), int(Outcome.OK), int(Outcome.OK)]
    frame = sends_frame(500, 10, 10, client_generated_id=[7, 7, 9], outcome=outcomes)
    found = send_latencies(frame, Targets.of({"CHATSOAK_WARMUP_S": 1}))
    assert (found.latency_ns / NS_PER_MS).tolist() == [1010.0, 10.0]
    assert found.judged.tolist() == [False, True]


attempts = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(-1, 3),
        st.integers(0, 50),
        st.integers(0, 50),
        st.sampled_from(list(Outcome)),
    ),
    max_size=30,
)


@given(attempts)
def test_messages_agree_with_a_naive_oracle(rows: list[tuple[int, int, int, int, Outcome]]) -> None:
    frame = sends_frame(
        *[1.0] * len(rows),
        user_id=[row[0] for row in rows],
        client_generated_id=[row[1] for row in rows],
        outcome=[int(row[4]) for row in rows],
    )
    frame["left_ns"] = frame["axis_ns"] = [row[2] for row in rows]
    frame["answered_ns"] = [row[2] + row[3] for row in rows]
    meant: dict[object, list[int]] = {}
    for place, (user, key, *_) in enumerate(rows):
        meant.setdefault((user, key) if key >= 0 else place, []).append(place)
    expected = []
    for places in meant.values():
        ends = [rows[place][2] + rows[place][3] for place in places if rows[place][4] is Outcome.OK]
        if ends:
            expected.append(min(ends) - min(rows[place][2] for place in places))
    assert sorted(send_latencies(frame, TARGETS).latency_ns.tolist()) == sorted(expected)


def test_an_open_workload_is_judged_by_response_time() -> None:
    targets = Targets.of({"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": "open"})
    assert targets.workload is Workload.OPEN
    frame = sends_frame(10, 10)
    frame["due_ns"] = frame["left_ns"] - 700 * NS_PER_MS
    average, p95 = send_criteria(send_latencies(frame, targets), targets)
    assert (average.observed, p95.observed) == (710.0, 710.0)
    assert p95.outcome == Verdict.FAIL


def test_each_clock_counts_its_own_warmup() -> None:
    targets = Targets.of({"CHATSOAK_WARMUP_S": 1})
    frame = sends_frame(1, 2, 3, 4, clock=[0, 0, 1, 1])
    frame.loc[2:, "left_ns"] += 10**15  # another machine's monotonic clock
    frame.loc[2:, "answered_ns"] += 10**15
    average, _ = send_criteria(send_latencies(frame, targets), targets)
    assert (average.observed, average.checked) == (3.0, 2)


def test_delivery_is_timed_from_the_first_attempt_to_the_first_copy_at_somebody_else() -> None:
    frame = sends_frame(50, 50, 50, message=[7, 7, 9])
    events = events_frame((1, 7, 0, 80), (1, 7, 0, 95), (2, 7, 0, 120), (0, 7, 0, 60), (1, 9, 0, 2030))
    found, across = delivery_latencies(frame, events, TARGETS)
    assert sorted(found.latency_ns / NS_PER_MS) == [30.0, 80.0, 120.0]
    assert across == 0


def test_a_refused_attempt_does_not_start_the_delivery_clock() -> None:
    frame = sends_frame(50, 50, message=7, outcome=[int(Outcome.FAIL), int(Outcome.OK)])
    found, _ = delivery_latencies(frame, events_frame((1, 7, 0, 1040)), TARGETS)
    assert list(found.latency_ns / NS_PER_MS) == [40.0]


def test_updates_and_unknown_messages_are_no_deliveries() -> None:
    frame = sends_frame(50)
    updates, _ = delivery_latencies(frame, events_frame((1, 0, 0, 80), kind=EventType.UPDATE), TARGETS)
    unknown, _ = delivery_latencies(frame, events_frame((1, 5, 0, 80)), TARGETS)
    assert len(updates.latency_ns) == len(unknown.latency_ns) == 0


def test_clocks_of_two_machines_are_never_subtracted() -> None:
    events = events_frame((1, 0, 0, 80), (2, 0, 0, 90)).assign(clock=[0, 1])
    found, across = delivery_latencies(sends_frame(50), events, TARGETS)
    assert list(found.latency_ns / NS_PER_MS) == [80.0]
    assert across == 1
    assert delivery_criterion(found, across, TARGETS).facts["across_clocks"] == 1


def test_only_incomparable_deliveries_are_inconclusive_and_say_why() -> None:
    found, across = delivery_latencies(sends_frame(50), events_frame((1, 0, 0, 80)).assign(clock=1), TARGETS)
    criterion = delivery_criterion(found, across, TARGETS)
    assert criterion.outcome == Verdict.INCONCLUSIVE
    assert criterion.reason is not None
    assert "clocks" in criterion.reason


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 5), st.integers(0, 9000)), max_size=60),
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Outcome))), min_size=1, max_size=12),
)
def test_deliveries_agree_with_a_naive_oracle(
    received: list[tuple[int, int, int]], sent: list[tuple[int, Outcome]]
) -> None:
    frame = sends_frame(
        *[1.0] * len(sent),
        message=[message for message, _ in sent],
        outcome=[int(outcome) for _, outcome in sent],
    )
    events = events_frame(*[(user, message, 0, at) for user, message, at in received])
    found, _ = delivery_latencies(frame, events, TARGETS)

    left: dict[int, int] = {}
    for second, (message, outcome) in enumerate(sent):
        if outcome != Outcome.FAIL:
            left.setdefault(message, second * 1000)
    first: dict[tuple[int, int], int] = {}
    for user, message, at in received:
        if message in left:
            first[user, message] = min(at, first.get((user, message), at))
    expected = sorted(at - left[message] for (_, message), at in first.items())
    assert sorted((found.latency_ns // NS_PER_MS).tolist()) == expected


@pytest.mark.parametrize(
    ("bad", "outcome"), [(0, Verdict.PASS), (1, Verdict.PASS), (2, Verdict.FAIL), (1000, Verdict.FAIL)]
)
def test_errors_may_reach_their_share_and_no_more(bad: int, outcome: Verdict) -> None:
    outcomes = [int(Outcome.INFO)] * bad + [int(Outcome.OK)] * (1000 - bad)
    criterion = errors_criterion(sends_frame(*[1.0] * 1000, outcome=outcomes), Faults.of([]), TARGETS)
    assert criterion.outcome == outcome
    assert criterion.observed == pytest.approx(bad / 10)
    assert criterion.checked == 1000


def test_nothing_sent_is_inconclusive_everywhere() -> None:
    frame = sends_frame()
    found = send_latencies(frame, TARGETS)
    delivered, across = delivery_latencies(frame, events_frame(), TARGETS)
    criteria = [
        *send_criteria(found, TARGETS),
        delivery_criterion(delivered, across, TARGETS),
        errors_criterion(frame, Faults.of([]), TARGETS),
    ]
    assert {criterion.outcome for criterion in criteria} == {Verdict.INCONCLUSIVE}
    assert all(criterion.reason for criterion in criteria)


def test_intervals_hold_the_figure_and_repeat() -> None:
    rng = np.random.default_rng(7)
    start_ns = np.sort(rng.integers(0, 120 * NS_PER_S, 5000))
    latency_ns = (rng.lognormal(4, 0.5, 5000) * NS_PER_MS).astype(np.int64)
    average = average_interval(start_ns, latency_ns)
    p95 = percentile_interval(start_ns, latency_ns, 95)
    assert average is not None
    assert p95 is not None
    assert average.ends[0] < average_ms(latency_ns) < average.ends[1]
    assert p95.ends[0] < nearest_rank(latency_ns, 95) / NS_PER_MS < p95.ends[1]
    assert average == average_interval(start_ns, latency_ns)
    assert p95 == percentile_interval(start_ns, latency_ns, 95)


def test_intervals_widen_when_neighbours_resemble_each_other() -> None:
    seconds = np.repeat(np.arange(200), 50)
    slow = (seconds // 20) % 2 == 0  # twenty slow seconds, twenty fast ones
    latency_ns = np.where(slow, 200, 100) * NS_PER_MS
    shuffled = np.random.default_rng(1).permutation(latency_ns)
    start_ns = seconds.astype(np.int64) * NS_PER_S
    in_runs, mixed = average_interval(start_ns, latency_ns), average_interval(start_ns, shuffled)
    assert in_runs is not None
    assert mixed is not None
    assert np.ptp(in_runs.ends) > 3 * np.ptp(mixed.ends)


def test_a_short_run_has_no_interval() -> None:
    start_ns = np.arange(5, dtype=np.int64) * NS_PER_S
    assert average_interval(start_ns, start_ns) is None
    assert percentile_interval(start_ns, start_ns, 95) is None
    assert math.isfinite(average_ms(start_ns))
