"""Promise: each shape moves the users as its name says, between one and as many as were asked for."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.settings import ShapeName
from locustfiles.shapes.curves import users_at
from locustfiles.shapes.shape import DEFAULT_RUN_TIME_S, ChosenShape

TENTHS = [tenth / 10 for tenth in range(11)]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (ShapeName.SOAK, [100] * 11),
        (ShapeName.RAMP, [1, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100]),
        (ShapeName.SPIKE, [20, 20, 20, 20, 100, 100, 20, 20, 20, 20, 20]),
        (ShapeName.STEPS, [20, 20, 40, 40, 60, 60, 80, 80, 100, 100, 100]),
    ],
)
def test_the_curve(shape: ShapeName, expected: list[int]) -> None:
    assert [users_at(shape, progress, 100) for progress in TENTHS] == expected


@given(shape=st.sampled_from(ShapeName), progress=st.floats(-1, 2), peak=st.integers(1, 10_000))
def test_there_are_people_for_all_users_at_any_time(shape: ShapeName, progress: float, peak: int) -> None:
    assert 1 <= users_at(shape, progress, peak) <= peak


@given(shape=st.sampled_from(ShapeName), peak=st.integers(1, 10_000))
def test_everybody_is_there_at_some_time(shape: ShapeName, peak: int) -> None:
    assert max(users_at(shape, step / 100, peak) for step in range(101)) == peak


@given(
    shape=st.sampled_from([ShapeName.RAMP, ShapeName.STEPS]),
    earlier=st.floats(0, 1),
    later=st.floats(0, 1),
    peak=st.integers(1, 1000),
)
def test_some_only_grow(shape: ShapeName, earlier: float, later: float, peak: int) -> None:
    earlier, later = sorted((earlier, later))
    assert users_at(shape, earlier, peak) <= users_at(shape, later, peak)


def shape_at(passed_s: float, run_time: int | None, users: int | None = 100) -> ChosenShape:
    """A ramp that began so many seconds ago."""
    shape = ChosenShape(ShapeName.RAMP)
    options = SimpleNamespace(run_time=run_time, num_users=users, spawn_rate=7)
    shape.runner = SimpleNamespace(environment=SimpleNamespace(parsed_options=options))
    shape.start_time -= passed_s
    return shape


def test_it_ends_with_the_run_time() -> None:
    assert shape_at(30, 60).tick() == (50, 7.0)
    assert shape_at(59.9, 60).tick() == (100, 7.0)
    assert shape_at(60, 60).tick() is None


def test_without_a_run_time_the_end_is_held() -> None:
    assert shape_at(DEFAULT_RUN_TIME_S / 2, None).tick() == (50, 7.0)
    assert shape_at(DEFAULT_RUN_TIME_S * 10, None).tick() == (100, 7.0)


def test_without_a_runner_there_is_nothing_to_do() -> None:
    assert ChosenShape(ShapeName.RAMP).tick() is None
