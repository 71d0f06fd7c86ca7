"""Promise: a step of latency where the load changed its level is told with that, for rates and users alike."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.judge import judge_run
from analysis.load_changes import load_changes
from analysis.rates import RateCurve
from analysis.report.sections import marks
from analysis.settings import ShapeName
from locustfiles.shapes.curves import users_at
from tests.analysis.histories import ns
from tests.analysis.report.judgements import Open

NOBODY = pd.Series(dtype=np.float64)
END_S = 1000.0


def users(counts: list[int]) -> pd.Series:
    return pd.Series(np.array(counts, np.float64), index=range(len(counts)))


def shaped(shape: ShapeName, peak: int, spawn_rate: int) -> pd.Series:
    """The users of a run of 1,000 s as Locust follows a shape."""
    found, now = [], 0
    for second in range(1000):
        wanted = users_at(shape, second / 1000, peak)
        now = min(wanted, now + spawn_rate) if wanted > now else wanted
        found.append(now)
    return users(found)


def test_points_of_the_planned_rate_are_told_from_the_begin_of_the_load() -> None:
    curve = RateCurve.parse("0s:2,600s:2,601s:8,700s:8,800s:4")
    found = load_changes(curve, 3.0, NOBODY, END_S)
    assert [(one.what, one.at_s) for one in found] == [
        ("arrival rate 2/s → 8/s", 603.0),
        ("arrival rate down from 8/s", 703.0),
        ("arrival rate at 4/s", 803.0),
    ]
    assert load_changes(curve, 3.0, NOBODY, 650.0) == found[:1]


def test_an_even_rate_and_a_trifle_are_no_change() -> None:
    assert load_changes(RateCurve.parse("40"), 0.0, NOBODY, END_S) == ()
    assert load_changes(RateCurve.parse("0s:40,10s:41"), 0.0, NOBODY, END_S) == ()


def test_the_levels_of_steps_are_told() -> None:
    found = load_changes(None, 0.0, shaped(ShapeName.STEPS, 50, 5), END_S)
    assert [one.what for one in found] == [f"users {low} → {low + 10}" for low in (10, 20, 30, 40)]
    assert [one.at_s for one in found] == pytest.approx([200, 400, 600, 800], abs=2)


def test_levels_that_take_their_time_have_a_begin_and_an_end() -> None:
    found = load_changes(None, 0.0, shaped(ShapeName.STEPS, 100, 1), END_S)
    assert [one.what for one in found[:2]] == ["users up from 20", "users at 40"]
    assert [one.at_s for one in found[:2]] == pytest.approx([200, 219], abs=2)


def test_a_spike_is_told_and_so_is_a_turn_without_a_pause() -> None:
    found = load_changes(None, 0.0, shaped(ShapeName.SPIKE, 50, 10), END_S)
    assert [one.what for one in found] == ["users 10 → 50", "users 50 → 10"]
    found = load_changes(None, 0.0, users([10] * 50 + [20, 30, 20, 10] + [10] * 50), END_S)
    assert [one.what for one in found] == ["users 10 → 30", "users 30 → 10"]


def test_how_users_came_and_went_is_no_change_of_level() -> None:
    soak = [*range(1, 51), *[50] * 900, *range(49, -1, -1)]
    assert load_changes(None, 0.0, users(soak), 950.0) == ()
    assert load_changes(None, 0.0, users([50] * 300 + [49] + [50] * 300), END_S) == ()


class Stepped(Open):
    def run(self):  # type: ignore[no-untyped-def]
        run = super().run()
        run.settings |= {"CHATSOAK_WARMUP_S": "0", "CHATSOAK_ARRIVAL_RATE": "0s:2,600s:2,601s:8"}
        run.phases = [{"name": "load", "at_ns": ns(0)}, {"name": "stopping", "at_ns": ns(1200)}]
        return run


def test_a_step_of_latency_is_lined_up_with_a_step_of_the_rate(tmp_path: Path) -> None:
    history = Stepped(people=2)
    chat, rng = history.chat(0, 1), np.random.default_rng(0)
    at, number = 0.0, 0
    while at < 1200:
        rate, took = (2, 0.05) if at < 600 else (8, 0.12)
        history.send(number % 2, chat, at=at, took=took * float(rng.lognormal(0, 0.2)), seq=number + 1)
        number += 1
        at += float(rng.exponential(1 / rate))
    for second in range(1200):
        history.fare(second, users=20)
    history.finish(1210)
    judgement = judge_run(history.write(tmp_path / "run"), lambda _: None)
    (step,) = judgement.verdict["steps"]
    assert step["at_s"] == pytest.approx(600, abs=15)
    assert "arrival rate 2/s → 8/s" in step["near"]
    assert "or its level changes" in marks(judgement.timeline)
