"""The server's gauges as a table: a row for each look, a column for each gauge. No input or output here.

The monitor writes a gauge down when it has changed, and once a minute otherwise; here the last value is carried on, as
long as it may still hold. Counters, which only grow, become rates; where one falls, it was reset, and nothing is known
of that step.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.record.tables import UNCHANGED_S

CARRIED_ON_S = 1.5 * UNCHANGED_S  # longer without a word: the gauge is not there any more

NS_PER_S = 1_000_000_000


def gauge_table(at_ns: NDArray[np.int64], name: pd.Series, value: pd.Series) -> pd.DataFrame:
    """Gauges by name over the time of their looks.

    Args:
        at_ns: of each row of the table `gauges`, on any one axis.

    Returns:
        A frame indexed by ``at_ns``; NaN where a gauge is not known.
    """
    rows = pd.DataFrame(
        {"at_ns": at_ns, "name": name.astype(str).to_numpy(), "value": value.to_numpy(np.float64)}
    )
    table = rows.pivot_table(index="at_ns", columns="name", values="value", aggfunc="last")
    if table.empty:
        return pd.DataFrame(index=pd.Index([], dtype=np.int64, name="at_ns"))
    looks = table.index.to_numpy(np.int64)
    known = table.notna().to_numpy()
    # For each cell the position of the last known one in its column.
    last = np.maximum.accumulate(np.where(known, np.arange(len(looks))[:, None], -1), axis=0)
    age_ns = looks[:, None] - looks[np.maximum(last, 0)]
    carried = table.ffill()
    return carried.where((last >= 0) & (age_ns <= CARRIED_ON_S * NS_PER_S))


def rates(counter: pd.Series) -> pd.Series:
    """What `counter`, a column of `gauge_table`, gains a second up to each look; NaN at the first and after a reset."""
    elapsed_s = np.diff(counter.index.to_numpy(np.int64)) / NS_PER_S
    gained = np.diff(counter.to_numpy(np.float64))
    a_second = np.where(gained >= 0, gained / elapsed_s, np.nan)
    return pd.Series(
        np.concatenate([[np.nan], a_second]) if len(counter) else [], index=counter.index, dtype=float
    )
