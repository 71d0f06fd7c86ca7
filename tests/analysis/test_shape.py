"""Promise: a step is told from a rise that goes on, where the figures can tell, and a moment's trouble is neither."""

import numpy as np
import pytest

from analysis.statistics.shape import best_jump

COUNT = 60
TIMES_S = 30.0 + 60.0 * np.arange(COUNT)


def noisy(values: np.ndarray, seed: int = 1, noise: float = 2.0) -> np.ndarray:
    return values + noise * np.random.default_rng(seed).standard_normal(len(values))


def flat_then(begin: int, rise: float) -> np.ndarray:
    return 100 + rise * (np.arange(COUNT) - begin).clip(min=0) / (COUNT - 1 - begin)


@pytest.mark.parametrize("place", [4, 20, 30, 50, 56])
def test_a_step_is_found_at_its_place_and_is_likelier_than_any_rise(place: int) -> None:
    found = best_jump(TIMES_S, noisy(100 + 12.0 * (np.arange(COUNT) >= place)))
    assert found is not None
    assert found.at_s == TIMES_S[place]
    assert (found.before, found.after) == (pytest.approx(100, abs=2), pytest.approx(112, abs=2))
    assert found.likelier > 3


@pytest.mark.parametrize("begin", [0, 20, 40])
def test_a_rise_that_goes_on_is_likelier_whenever_it_began(begin: int) -> None:
    found = best_jump(TIMES_S, noisy(flat_then(begin, 15)))
    assert found is not None
    assert found.likelier < 0


def test_noise_that_is_alike_proves_less() -> None:
    values = noisy(100 + 8.0 * (np.arange(COUNT) >= 30), noise=1)
    waves = 2 * np.sin(np.arange(COUNT) / 2)
    alone, alike = best_jump(TIMES_S, values), best_jump(TIMES_S, values + waves)
    assert alone is not None
    assert alike is not None
    assert alike.likelier < alone.likelier / 3


def test_a_minute_of_trouble_hides_no_step_and_is_none() -> None:
    values = noisy(100 + 8.0 * (np.arange(COUNT) >= 30))
    plain = best_jump(TIMES_S, values)
    values[10] = values[45] = 5_000
    found = best_jump(TIMES_S, values)
    assert plain is not None
    assert found is not None
    assert found.at_s == plain.at_s
    assert found.likelier == pytest.approx(plain.likelier, rel=0.3)


def test_what_leaves_nothing_over_is_told_apart_and_too_few_values_are_not() -> None:
    exact = best_jump(TIMES_S, 100 + 10.0 * (np.arange(COUNT) >= 30))
    assert exact is not None
    assert exact.likelier > 100
    level = best_jump(TIMES_S, np.full(COUNT, 100.0))
    assert level is not None
    assert level.likelier == 0
    assert best_jump(TIMES_S[:7], np.arange(7.0)) is None
