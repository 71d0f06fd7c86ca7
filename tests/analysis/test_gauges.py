"""Promise: gauges stand in one table by look; what stood still is carried on, what is gone is not; counters become rates."""

import numpy as np
import pandas as pd

from analysis.gauges import CARRIED_ON_S, gauge_table, rates

NS = 1_000_000_000


def table(*rows: tuple[float, str, float]) -> pd.DataFrame:
    at, names, values = zip(*rows, strict=True) if rows else ((), (), ())
    at_ns = (np.array(at, dtype=np.float64) * NS).astype(np.int64)
    return gauge_table(at_ns, pd.Series(names, dtype=object), pd.Series(values, dtype=float))


def test_a_look_is_a_row_and_the_last_value_is_carried_on() -> None:
    found = table((0, "a", 1.0), (0, "b", 5.0), (5, "a", 2.0), (10, "b", 6.0))
    assert found.index.tolist() == [0, 5 * NS, 10 * NS]
    assert found["a"].tolist() == [1.0, 2.0, 2.0]
    assert found["b"].tolist() == [5.0, 5.0, 6.0]


def test_what_nobody_tells_of_any_more_is_not_known() -> None:
    found = table((0, "slot", 1.0), (0, "a", 1.0), (CARRIED_ON_S, "a", 1.0), (CARRIED_ON_S + 1, "a", 1.0))
    assert found["slot"].tolist()[:2] == [1.0, 1.0]
    assert np.isnan(found["slot"].iloc[2])


def test_what_was_not_there_yet_is_not_known() -> None:
    found = table((0, "a", 1.0), (5, "b", 1.0))
    assert np.isnan(found["b"].iloc[0])


def test_nothing_recorded_is_an_empty_table() -> None:
    assert table().empty


def test_counters_become_rates_and_a_reset_is_a_gap() -> None:
    found = rates(table((0, "a", 100.0), (5, "a", 150.0), (10, "a", 10.0), (20, "a", 10.0))["a"])
    assert (found.iloc[1], found.iloc[3]) == (10.0, 0.0)
    assert np.isnan(found.iloc[[0, 2]]).all()
