"""Promise: every series of a soak has its slope, interval, chance and forecast, also where nothing is wrong."""

import re
from dataclasses import replace

import numpy as np
import pytest

from analysis.judge import judge_evidence
from analysis.report import page
from analysis.report import trends as on_page
from analysis.trends import SeriesTrend, Trends
from tests.analysis.checks.servers import server
from tests.analysis.histories import History

MINUTES = 11


def soak(minutes: float = MINUTES, rise: float = 0.0, leak: str | None = None, looks: bool = True) -> History:
    """Two sends a second around 100 ms, which become slower by `rise` over the run; a look at the server every 5 s."""
    rng = np.random.default_rng(5)
    made, end = History(), round(minutes * 60)
    chat = made.chat(0, 1)
    for number in range(2 * end):
        took = (0.1 + rng.exponential(0.01)) * (1 + rise * number / (2 * end))
        made.send(0, chat, number / 2, took=took, seq=number + 1)
    for second in range(end + 1):
        made.fare(second, users=10)
    table = server(np.random.default_rng(3), minutes, leak)
    for look, at in enumerate(range(0, end, 5)):
        made.poll(at)
        for name, value in table.iloc[look].items() if looks else ():
            made.gauge(str(name), at, float(value))
    made.finish(end + 1)
    return made


def found(history: History) -> Trends | None:
    return judge_evidence(history.evidence(), lambda _: None).trends


def by_name(history: History) -> dict[str, SeriesTrend]:
    trends = found(history)
    assert trends is not None
    return {one.name: one for one in trends.rows}


@pytest.fixture(scope="module")
def steady() -> Trends:
    trends = found(soak())
    assert trends is not None
    return trends


def test_latencies_come_first_then_what_is_judged_then_all_other_gauges(steady: Trends) -> None:
    names = [one.name for one in steady.rows]
    assert names[:2] == ["Average send latency", "P95 of send latency"]
    assert [one.judged for one in steady.rows] == sorted((one.judged for one in steady.rows), reverse=True)
    assert {"Connections", "Not yet read by replication slot realtime", "wal.bytes", "locks.waiting"} < set(
        names
    )
    assert set(steady.still) == {"slots", "table.chats.bytes", "table.chats.index_bytes"}
    assert not {"connections.most", "slot.realtime.active"} & {*names, *steady.still}


def test_every_series_has_slope_interval_and_chance(steady: Trends) -> None:
    for one in steady.rows:
        assert one.found.low <= one.found.slope_per_s <= one.found.high, one
        assert 0 <= one.found.p_value <= 1, one
        assert (one.bound is not None) == one.judged, one


def test_a_counter_is_a_rate(steady: Trends) -> None:
    [wal] = [one for one in steady.rows if one.name == "wal.bytes"]
    assert wal.unit == "bytes a second"
    written = server(np.random.default_rng(3), MINUTES)["wal.bytes"]
    a_second = (written.iloc[-1] - written.iloc[0]) / (MINUTES * 60)
    assert wal.found.at(wal.found.begin_s) == pytest.approx(a_second, rel=0.2)


def test_a_rise_is_told_with_the_time_at_which_it_would_be_at_its_target() -> None:
    one = by_name(soak(20, rise=0.5))["P95 of send latency"]
    assert one.bound == 500
    assert one.found.p_value < 0.01
    assert one.crossing_s is not None
    at_the_end = one.found.at(one.found.end_s)
    assert one.crossing_s == pytest.approx((500 - at_the_end) / one.found.slope_per_s)


def test_a_leak_of_connections_is_told_with_the_time_at_which_no_more_are_let_in() -> None:
    one = by_name(soak(leak="connections"))["Connections"]
    assert one.bound == 200
    assert one.crossing_s is not None
    assert one.crossing_s > 0


def test_a_run_too_short_for_drifts_has_no_trends() -> None:
    assert found(soak(5)) is None
    assert on_page.table(None) is None


def test_a_server_that_nobody_looked_at_leaves_the_latencies() -> None:
    assert list(by_name(soak(looks=False))) == ["Average send latency", "P95 of send latency"]


def test_the_table_of_the_page_has_a_cell_for_each_heading(steady: Trends) -> None:
    titled = on_page.table(steady)
    assert titled is not None
    assert {len(row) for row in titled.table.rows} == {len(titled.table.head)}
    assert len(titled.table.rows) == len(steady.rows)
    assert "Never moved: slots, " in titled.caption
    told = {"never", "has been", "not beyond chance", "–"}
    assert all(row[-1] in told or row[-1][0].isdigit() for row in titled.table.rows)
    for one, row in zip(steady.rows, titled.table.rows, strict=True):
        if one.found.p_value > 0.05:
            assert row[-1] in told, "nobody forecasts noise"


def forecast(one: SeriesTrend) -> str:
    titled = on_page.table(Trends(20.0, (one,), ()))
    assert titled is not None
    return titled.table.rows[0][-1]


def test_a_forecast_has_the_interval_of_its_slope() -> None:
    one = by_name(soak(20, rise=0.5))["P95 of send latency"]
    assert one.crossing_s is not None
    assert one.soonest_s is not None
    assert one.latest_s is not None
    assert one.soonest_s < one.crossing_s < one.latest_s
    assert re.fullmatch(r"\d+ min \(\d+ to \d+ min\)", forecast(one).replace(" min to ", " to "))
    assert forecast(replace(one, latest_s=None)).endswith(" to never)")
    assert forecast(replace(one, stepped=True)) == "a step"
    noise = replace(one, found=replace(one.found, p_value=0.06))
    assert forecast(noise) == "not beyond chance"
    assert forecast(replace(noise, bound=50.0)) == "has been", "it stood above its bound all the time"


def test_the_page_shows_them() -> None:
    html = page.render(judge_evidence(soak().evidence(), lambda _: None))
    assert '<section id="trends">' in html
    assert '<a href="#trends">Trends</a>' in html
    assert "Not yet read by replication slot realtime, bytes" in html
