"""Promise: drift.database finds what grows on a server and must not, and blames nothing that only moves or fills up."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest

from analysis.checks.drift import NEEDED, chance_of_rise, database, grown, holm, is_step
from analysis.checks.steady import Stretch, steady_part
from analysis.criteria import Criterion, Verdict
from analysis.rates import RateCurve
from tests.analysis.checks.servers import LEAKS, server
from tests.analysis.histories import History, ns

RUNS = 200
SECONDS_A_LOOK = 5


def names(table: pd.DataFrame) -> set[str]:
    """What has grown in the last four fifths of `table`."""
    begin_ns, end_ns = int(table.index[len(table) // 5]), int(table.index[-1])
    found, judged = grown(table, Stretch(begin_ns, end_ns, 600))
    assert judged >= 10
    return {one.series.name for one in found}


def test_false_alarms_are_few_over_all_series_together() -> None:
    rng = np.random.default_rng(20261124)
    alarms = [found for _ in range(RUNS) if (found := names(server(rng, 10)))]
    assert len(alarms) <= 0.05 * RUNS, alarms


def test_false_alarms_are_few_in_a_long_run_too() -> None:
    rng = np.random.default_rng(7)
    alarms = [found for _ in range(RUNS // 4) if (found := names(server(rng, 120)))]
    assert len(alarms) <= 0.05 * RUNS / 4, alarms


@pytest.mark.parametrize(("seed", "at"), [(8, 0.5), (26, 0.5), (0, 0.7), (2, 0.7)])
def test_a_pool_that_grew_once_is_no_leak(seed: int, at: float) -> None:
    """Beyond chance by ranks, and by more than matters."""
    table = server(np.random.default_rng(seed), 60)
    table["connections.used"] += 20 * (np.arange(len(table)) >= at * len(table))
    assert "Connections" not in names(table)


def test_a_step_is_none_where_what_comes_after_it_goes_on() -> None:
    at = pd.Index(np.arange(360) * 10 * 1_000_000_000)
    noise = np.random.default_rng(1).standard_normal(360)
    stepped = pd.Series(30 + noise + 40 * (np.arange(360) >= 180), at)
    assert is_step(stepped)
    assert not is_step(stepped + 0.02 * (np.arange(360) - 180).clip(min=0))
    assert not is_step(pd.Series(30 + noise + 0.1 * np.arange(360), at))


@pytest.mark.parametrize(
    ("leak", "name"),
    [
        ("slot", "Log kept for replication slot realtime"),
        ("lag", "Not yet read by replication slot realtime"),
        ("lock wait", "The longest wait for a lock"),
        ("idle", "Sessions idle in a transaction"),
        ("connections", "Connections"),
        ("waiting", "Sessions waiting for a lock"),
        ("transaction", "The oldest transaction"),
        ("dead rows", "Dead rows of chats"),
        ("bloat", "Size of chats beyond its rows"),
        ("index bloat", "Indexes of chat_messages beyond its rows"),
    ],
)
def test_a_leak_is_found_and_nothing_else_is_blamed(leak: str, name: str) -> None:
    assert leak in LEAKS
    rng = np.random.default_rng(12)
    found = [names(server(rng, 10, leak)) for _ in range(40)]
    assert sum(name in one for one in found) >= 0.95 * len(found)
    assert sum(one != {name} for one in found) <= 0.05 * len(found) + 1


@pytest.mark.parametrize(
    ("values", "low", "high"), [(range(10), 0, 1e-4), (range(10, 0, -1), 1, 1), ([3.0] * 10, 1, 1)]
)
def test_only_what_rises_can_have_risen(values: Iterable[float], low: float, high: float) -> None:
    assert low <= chance_of_rise(np.array(list(values), dtype=np.float64)) <= high


def test_holm_rejects_as_many_as_the_whole_allows() -> None:
    assert holm(np.array([0.04, 0.001, 0.02]), 0.05).tolist() == [True, True, True]
    assert holm(np.array([0.04, 0.001, 0.03]), 0.05).tolist() == [False, True, False]
    assert holm(np.array([]), 0.05).tolist() == []


def soak(minutes: float, leak: str | None = None, *, without: str = "") -> History:
    """A run of so many minutes whose users came within ten seconds; gauges that begin with `without` are missing."""
    made = History()
    made.chat(0, 1)
    end = minutes * 60
    for second in range(int(end) + 1):
        made.fare(second, users=min(second, 10))
    table = server(np.random.default_rng(3), minutes, leak)
    for look, at in enumerate(range(0, int(end), SECONDS_A_LOOK)):
        made.poll(at)
        for name, value in table.iloc[look].items():
            if not without or not str(name).startswith(without):
                made.gauge(str(name), at, float(value))
    made.finish(end + 1)
    return made


def judged(made: History) -> Criterion:
    evidence = made.evidence()
    return database(evidence, steady_part(evidence))


def test_a_steady_server_passes_and_tells_how_much_was_judged() -> None:
    found = judged(soak(12))
    assert (found.outcome, found.observed, found.reason) == (Verdict.PASS, 0, None), found
    assert found.checked >= 10


def test_a_leak_fails_and_is_told_in_figures() -> None:
    found = judged(soak(12, "connections"))
    assert found.outcome is Verdict.FAIL
    (finding,) = found.examples
    assert finding.why.startswith("Connections: up by 4")
    assert "(the server takes 200); at this rate no more are let in after another 0." in finding.why


@pytest.mark.parametrize(("minutes", "outcome"), [(1, Verdict.INFO), (9, Verdict.INFO), (10, Verdict.PASS)])
def test_a_short_run_is_not_judged_and_says_so(minutes: float, outcome: Verdict) -> None:
    found = judged(soak(minutes))
    assert found.outcome is outcome
    assert ("too short to judge a drift" in (found.reason or "")) == (outcome is Verdict.INFO)


@pytest.mark.parametrize("without", ["slots", "table.chat_messages.rows_dead", "connections"])
def test_a_long_run_without_the_figures_is_no_pass(without: str) -> None:
    made = soak(10, without=without)
    made.leave_out("slots", "permission denied")
    found = judged(made)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert any(name in (found.reason or "") for name in NEEDED if name.startswith(without))
    assert "permission denied" in (found.reason or "")


def test_what_the_role_may_not_see_is_told_and_costs_no_pass() -> None:
    made = soak(10, without="transactions.oldest_s")
    made.leave_out("activity of others", "hidden: grant pg_monitor")
    found = judged(made)
    assert found.outcome is Verdict.PASS
    assert "pg_monitor" in (found.reason or "")


def test_a_run_that_nobody_watched_is_told_as_short() -> None:
    made = History()
    made.chat(0, 1)
    assert judged(made).outcome is Verdict.INFO


def test_the_steady_part_is_where_most_users_stood_longest() -> None:
    made = History()
    made.chat(0, 1)
    users = [*range(100), *[100] * 600, *[50] * 300, *[100] * 200]
    for second, count in enumerate(users):
        made.fare(second, users=count)
    made.poll(0)
    made.poll(len(users))
    found = steady_part(made.evidence())
    assert found.held_s == pytest.approx(605, abs=5)  # 95 of the 100 are enough
    assert found.end_ns == pytest.approx(ns(700), abs=5e9)
    assert found.begin_ns == pytest.approx(ns(95 + 121), abs=5e9)


def steady_under(rate: str, seconds: int = 1500, load_at: int = 0, users_at: int = 0) -> Stretch:
    """The steady part of an open workload whose load begins at `load_at`, and whose users are there from `users_at` on."""

    class Planned(History):
        def run(self):  # type: ignore[no-untyped-def]
            run = super().run()
            run.phases = [
                {"name": "load", "at_ns": ns(load_at)},
                {"name": "stopping", "at_ns": ns(load_at + seconds)},
            ]
            return run

    made = Planned()
    made.chat(0, 1)
    for second in range(users_at, load_at + seconds):
        made.fare(second, users=20)
    made.poll(load_at)
    made.poll(load_at + seconds)
    return steady_part(made.evidence(), RateCurve.parse(rate))


def test_a_rate_that_rises_leaves_no_steady_part_and_is_told() -> None:
    found = steady_under("0s:1,1500s:5")
    assert found.moving
    assert found.held_s < 100
    assert "because the planned arrival rate moves (CHATSOAK_ARRIVAL_RATE)" in found.too_short


def test_the_longest_stretch_of_an_even_rate_is_the_steady_part() -> None:
    found = steady_under("0s:2,400s:2,401s:8,1300s:8,1400s:4", load_at=50, users_at=90)
    assert found.held_s == pytest.approx(900, abs=20)
    assert found.whole.begin_ns == pytest.approx(ns(451), abs=6e9)
    assert found.end_ns == pytest.approx(ns(1350), abs=20e9)
    assert found.begin_ns == pytest.approx(ns(451 + 180), abs=10e9)


@pytest.mark.parametrize("rate", ["3", "0s:3,1500s:3.1"])
def test_a_rate_that_all_but_stands_still_shortens_nothing(rate: str) -> None:
    found = steady_under(rate)
    assert not found.moving
    assert found.held_s == pytest.approx(1500, abs=6)
    assert "rate" not in found.too_short


def test_no_load_is_no_steady_load() -> None:
    assert steady_under("0s:5,400s:5,401s:0").held_s == pytest.approx(400, abs=10)
    assert steady_under("0s:0,1490s:0,1495s:1").held_s < 30
