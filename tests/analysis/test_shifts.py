"""Promise: a step of latency is dated, sized, and lined up with what happened at that time; noise is no step."""

import numpy as np
import pytest

from analysis.latency import NS_PER_S, Latencies
from analysis.shifts import Happening, cut, happenings, searched, shifts
from benchmarks.statistics import latencies
from tests.analysis.histories import History


def run(seed: int, step: float = 0.0, seconds: int = 600) -> Latencies:
    """From half of its time on latency is higher by `step` of itself."""
    start_ns, latency_ns = latencies(np.random.default_rng(seed), seconds, 0.3)
    factor = 1 + step * (start_ns >= seconds // 2 * NS_PER_S)
    ones = np.ones(len(start_ns), np.bool_)
    return Latencies(start_ns, (latency_ns * factor).astype(np.int64), ones, ones.astype(np.int16))


def test_a_step_is_found_at_its_time_with_what_lies_near() -> None:
    known = [
        Happening("phase spike", 40.0),
        Happening("a checkpoint", 297.0),
        Happening("a checkpoint", 309.0),
        Happening("12 sockets closed at once", 301.0),
    ]
    often = {"finding of seq.gaps": np.array([1.0, 299.0, 590.0]), "finding of errors.send": np.array([9.0])}
    (found,) = shifts({"sends": cut(run(1, 0.6)), "deliveries": cut(run(2))}, known, often)
    assert found.series == "sends"
    assert found.at_s == pytest.approx(300, abs=10)
    assert found.after_ms / found.before_ms == pytest.approx(1.6, abs=0.1)
    assert "a checkpoint" in found.near
    assert "12 sockets closed at once" in found.near
    assert found.near.count("checkpoint") == 1
    assert found.near.count("finding of seq.gaps") == 1
    assert "errors.send" not in found.near
    assert "spike" not in found.near


def test_noise_has_no_step_nor_has_nothing() -> None:
    assert sum(bool(shifts({"sends": cut(run(seed))}, [])) for seed in range(20)) <= 1
    empty = np.empty(0, np.int64)
    nothing = cut(Latencies(empty, empty, empty.astype(np.bool_), empty.astype(np.int16)))
    assert shifts({"sends": nothing}, []) == ()
    assert searched({"sends": nothing})["sends"].is_too_short


@pytest.mark.parametrize(("seconds", "too_short"), [(60, True), (140, True), (155, False), (600, False)])
def test_a_run_of_few_windows_is_too_short_to_look_for_steps(seconds: int, too_short: bool) -> None:
    found = searched({"sends": cut(run(1, seconds=seconds))})["sends"]
    assert found.is_too_short is too_short
    assert (found.windows, found.width_s) == (pytest.approx(seconds / 5, abs=1), 5)


def test_what_is_long_enough_to_look_at_mostly_shows_latency_that_doubles() -> None:
    shown = [bool(shifts({"sends": cut(run(seed, 1.0, seconds=160))}, [])) for seed in range(10)]
    assert sum(shown) >= 7


def test_what_lies_near_is_within_the_reach_that_is_told() -> None:
    known = [Happening("a checkpoint", 1820.0)]
    (found,) = shifts({"sends": cut(run(1, 0.6, seconds=3600))}, known)
    assert found.reach_s == pytest.approx(30, abs=0.1), "a window is longer than 15 s"
    assert 15 < abs(found.at_s - 1820) < 30
    assert found.near == "a checkpoint"
    (short,) = shifts({"sends": cut(run(1, 0.6))}, known)
    assert short.reach_s == 15


def test_phases_and_restarts_are_happenings() -> None:
    history = History()
    history.chat(0, 1)
    nothing = np.empty(0, np.int64)
    evidence = history.evidence()
    found = happenings(
        evidence,
        sockets_ns=evidence.sockets["at_ns"].to_numpy(np.int64),
        gauges_ns=nothing if not len(evidence.gauges) else evidence.gauges["at_ns"].to_numpy(np.int64),
        phases=[("spike", 3.0)],
        changes=[("users 10 → 20", 4.0)],
        restarts_s=[5.0],
    )
    assert found[:3] == [
        Happening("phase spike", 3.0),
        Happening("users 10 → 20", 4.0),
        Happening("a restart of PostgreSQL", 5.0),
    ]
