"""Series for plots: every bucket exact, nothing lost, few enough buckets for any length of run."""

from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.latency import NS_PER_MS, NS_PER_S, Latencies, average_ms, nearest_rank
from analysis.series import (
    MOST_BUCKETS,
    WIDTHS_S,
    bucket_width_s,
    count_series,
    histogram,
    latency_series,
    part_s,
    poll_series,
    rate_series,
    users_series,
    with_gaps,
)

timed = st.lists(
    st.tuples(st.integers(-3 * NS_PER_S, 30 * NS_PER_S), st.integers(0, 9 * NS_PER_S)), max_size=80
)


def latencies(rows: list[tuple[int, int]]) -> Latencies:
    start_ns = np.array([start for start, _ in rows], dtype=np.int64)
    latency_ns = np.array([latency for _, latency in rows], dtype=np.int64)
    return Latencies(
        start_ns, latency_ns, np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.int16)
    )


@given(timed, st.sampled_from([1, 2, 5]))
def test_every_bucket_is_computed_from_its_own_rows(rows: list[tuple[int, int]], width_s: int) -> None:
    series = latency_series(latencies(rows), width_s)
    buckets: dict[int, list[int]] = {}
    for start_ns, latency_ns in rows:
        buckets.setdefault(start_ns // (width_s * NS_PER_S) * width_s, []).append(latency_ns)
    assert series.index.tolist() == sorted(buckets)
    for at_s, values in buckets.items():
        found, array = series.loc[at_s], np.array(values)
        assert found["count"] == len(values)
        assert found["avg_ms"] == pytest.approx(average_ms(array))
        for percent in (50, 95, 99):
            assert found[f"p{percent}_ms"] == nearest_rank(array, percent) / NS_PER_MS
        assert found["max_ms"] == max(values) / NS_PER_MS


@given(st.floats(0, 60 * 86400))
def test_a_run_of_any_length_has_few_buckets(span_s: float) -> None:
    assert span_s / bucket_width_s(span_s) <= MOST_BUCKETS


@given(st.lists(st.integers(0, 40 * NS_PER_S), max_size=60), st.sampled_from([1, 5]))
def test_rates_count_everything_once(at_ns: list[int], width_s: int) -> None:
    rates = rate_series({"ok": np.array(at_ns, dtype=np.int64), "bad": np.array([], dtype=np.int64)}, width_s)
    assert rates["ok"].sum() * width_s == pytest.approx(len(at_ns))
    assert rates["bad"].sum() == 0
    assert (np.diff(rates.index) == width_s).all()


@given(
    st.lists(st.integers(-40 * NS_PER_S, 40 * NS_PER_S), min_size=1, max_size=60),
    st.sampled_from([(5, 1), (10, 2)]),
)
def test_a_bucket_keeps_the_rates_of_its_slowest_and_fastest_part(
    at_ns: list[int], widths: tuple[int, int]
) -> None:
    width_s, part_s = widths
    rates = rate_series({"ok": np.array(at_ns, dtype=np.int64)}, width_s, part_s)
    counted = Counter(one // (part_s * NS_PER_S) for one in at_ns)
    parts = range(min(counted), max(counted) + 1)
    for at_s, bucket in rates.iterrows():
        own = [counted[part] / part_s for part in parts if part * part_s // width_s * width_s == at_s]
        assert (bucket["ok_low"], bucket["ok_high"]) == (min(own), max(own))


def test_an_outage_of_half_a_minute_shows_in_a_day_of_sends() -> None:
    width_s = bucket_width_s(86_400)
    second = np.arange(86_400, dtype=np.int64)
    sent = second[(second < 50_007) | (second >= 50_037)] * NS_PER_S
    rates = rate_series({"ok": sent}, width_s, part_s(width_s))
    assert rates["ok_low"].idxmin() == 50_007 // width_s * width_s
    assert (rates["ok_low"].min(), rates["ok_low"].median()) == (0, 1)


@pytest.mark.parametrize("width_s", WIDTHS_S)
def test_a_bucket_is_a_whole_number_of_the_parts_of_every_narrower_one(width_s: int) -> None:
    assert [narrow for narrow in WIDTHS_S if narrow <= width_s and width_s % part_s(narrow)] == []


@given(st.lists(st.integers(0, 100 * NS_PER_S), min_size=1, max_size=100))
def test_a_histogram_counts_every_latency(values: list[int]) -> None:
    counted = histogram(np.array(values))
    assert counted is not None
    assert counted.counts.sum() == len(values)
    assert (np.diff(counted.edges_ms) > 0).all()


def test_a_histogram_of_nothing_is_none() -> None:
    assert histogram(np.array([], dtype=np.int64)) is None


def test_users_are_summed_over_processes_and_not_over_reports() -> None:
    process = pd.Series([0, 0, 1, 1, 0])
    at_ns = np.array([0, 0, 0, NS_PER_S, NS_PER_S], dtype=np.int64)
    series = users_series(process, at_ns, pd.Series([5, 7, 10, 12, 7]), 1)
    assert series["users"].tolist() == [17, 19]


def test_a_bucket_keeps_the_fewest_and_the_most_users() -> None:
    process = pd.Series([0, 1, 0, 0, 0, 1])
    at_ns = np.array([0, 0, 1, 2, 3, 3], dtype=np.int64) * NS_PER_S
    series = users_series(process, at_ns, pd.Series([5, 10, 20, 3, 6, 10]), 4)
    assert (series["low"].tolist(), series["users"].tolist()) == ([13], [30])  # process 1 still has its ten


def test_a_load_process_that_falls_silent_has_no_users_any_more() -> None:
    process = pd.Series([0, 1, *[0] * 30])
    at_ns = np.array([0, 0, *range(1, 31)], dtype=np.int64) * NS_PER_S
    series = users_series(process, at_ns, pd.Series([5] * 32), 30)
    assert (series["low"].tolist(), series["users"].tolist()) == ([5, 5], [10, 5])


def test_findings_are_counted_in_the_buckets_in_which_they_lie() -> None:
    seen = {
        "seq.gaps": (np.array([-0.5, 1.0, 7.0]), np.array([1, 2, 3])),
        "errors.send": (np.array([8.0]), np.array([4])),
    }
    counted = count_series(seen, 5)
    assert counted["seq.gaps"].to_dict() == {-5: 1, 0: 2, 5: 3}
    assert counted["errors.send"].to_dict() == {-5: 0, 0: 0, 5: 4}
    assert len(count_series({}, 5)) == 0


def test_a_bucket_without_an_answered_poll_has_no_duration() -> None:
    at_ns = np.array([0, 0, NS_PER_S], dtype=np.int64)
    series = poll_series(at_ns, pd.Series([3.0, 8.0, np.nan]), pd.Series([False, False, True]), 1)
    assert series["duration_ms"].tolist()[0] == 8.0
    assert np.isnan(series["duration_ms"].tolist()[1])
    assert series["failed"].tolist() == [0, 1]


def rows(at_s: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"p95_ms": np.ones(len(at_s))}, index=pd.Index(at_s, name="at_s"))


def test_a_line_breaks_where_a_server_hung() -> None:
    at_s = [*range(0, 600, 5), *range(670, 1800, 5)]
    found = with_gaps(rows(at_s), 5)
    assert found.index[found["p95_ms"].isna()].tolist() == [600]
    assert found["p95_ms"].notna().sum() == len(at_s)


def test_even_one_empty_bucket_breaks_a_line_where_no_other_is() -> None:
    found = with_gaps(rows([0, 1, 2, 4, 5, 6]), 1)
    assert found.index[found["p95_ms"].isna()].tolist() == [3]
    assert with_gaps(rows([0, 1, 2]), 1)["p95_ms"].notna().all()
    assert len(with_gaps(rows([]), 1)) == 0


def test_buckets_that_are_empty_by_chance_break_no_line() -> None:
    rng = np.random.default_rng(1)
    at_s = np.flatnonzero(rng.random(480) < 0.5).tolist()
    assert with_gaps(rows(at_s), 1)["p95_ms"].notna().all()
    hung = [at for at in at_s if not 200 <= at < 230]
    assert with_gaps(rows(hung), 1)["p95_ms"].isna().sum() == 1
