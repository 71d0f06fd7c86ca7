"""`drift.database`: over a soak nothing grows on the server that would have to end badly.

Growth in itself is no fault: a chat that people write in grows. Judged is what should stand still under a steady load,
or stay in proportion to what is stored:

* what a replication slot makes the server keep, against the log written meanwhile;
* connections, sessions waiting for a lock, the age of the oldest transaction;
* dead rows that no vacuum takes away, once there are more than autovacuum should let be: by their lowest count in every
  three minutes, because between two vacuums they always grow;
* bytes of a table, and of its indexes, beyond what its rows account for.

A series has grown when it rises beyond chance, and when the growth, by Theil-Sen's slope, is large enough to matter. What one step
explains far better than a rise, and stands still after it, has not (`statistics.shape`). Chance is
judged by Kendall's test on the medians of ten equal pieces: in pieces so long, neighbours are hardly alike any more, and a
minute of trouble moves no median (on the looks themselves a test that allows for their likeness cannot tell a steady rise from
slow noise: ranks say nothing of how small that noise is). All series of a run together give at most one false alarm in
twenty runs (Holm's method). Only the steady part of the run is judged: while its number of
users stood at the highest, and the rate planned for an open workload stood still, without the first fifth, in which pools, caches and the first vacuum find their level.
Sources: Kendall, M. G. (1975), Rank correlation methods;
Holm, S. (1979), A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.steady import Stretch
from analysis.criteria import Criterion, Finding, Verdict
from analysis.evidence import Evidence
from analysis.faults import Faults
from analysis.gauges import NS_PER_S, gauge_table
from analysis.statistics.shape import LEAST_LIKELIER, best_jump
from analysis.statistics.trend import trend

ALPHA = 0.05  # over all series of a run together
LEAST_S = 570.0  # ten minutes of load, less what it takes to start the users
LEAST_LOOKS = 30
PIECES = 10  # for the test against chance

MIB = 1 << 20
SLOT_BYTES = 16 * MIB  # a segment of the log: a slot's place moves by this much at a time
SLOT_SHARE = 0.1  # of the log written meanwhile
CONNECTIONS = 5
CONNECTIONS_SHARE = 0.05  # of max_connections
WAITING = 5
LOCK_WAIT_MS = 1_000.0
OPEN_SHARE = 0.5  # of the time judged: a transaction that is simply left open ages by all of it
VACUUM_S = 180.0  # three of autovacuum's naps
DEAD_ROWS = 1_000
BLOAT_BYTES = 8 * MIB
BLOAT_SHARE = 0.5  # of the size that the rows account for

# Without one of these a pass would be no answer. Each is there for any role.
NEEDED = (
    "connections.used",
    "locks.waiting",
    "wal.bytes",
    "slots",
    "table.chat_messages.rows_dead",
    "table.chat_messages.bytes",
)
HIDDEN = "activity of others"  # in table `left_out`


@dataclass(frozen=True, slots=True)
class Series:
    """Something that should not grow.

    Attributes:
        name: in words, e.g. "Connections".
        values: indexed by ``at_ns``.
        matters: growth over the part judged, in the series' unit, from which on it counts.
        unit: as it stands after a figure: bytes, rows, …
        remark: what a reader wants to know besides.
        full: the figure at which the server refuses, where there is one.
    """

    name: str
    values: pd.Series
    matters: float
    unit: str
    remark: str = ""
    full: float | None = None


@dataclass(frozen=True, slots=True)
class Grown:
    """A series that has grown: how fast, and how much over the part judged."""

    series: Series
    slope_per_s: float
    growth: float


def database(evidence: Evidence, within: Stretch) -> Criterion:
    """Judge the steady part of a soak; a run that is too short for that is told so, and is no part of the outcome."""
    if within.held_s < LEAST_S:
        return _criterion(Verdict.INFO, 0, None, within.too_short)
    gauges = evidence.gauges
    table = gauge_table(gauges["at_ns"].to_numpy(np.int64), gauges["name"], gauges["value"])
    found, judged = grown(table, within)
    findings = tuple(Finding(why=_sentence(one, within), at_ns=within.begin_ns) for one in found)
    missing = _missing(table, within, evidence.left_out)
    if findings:
        return _criterion(Verdict.FAIL, judged, len(findings), missing, findings)
    if missing:
        return _criterion(Verdict.INCONCLUSIVE, judged, 0, missing)
    return _criterion(Verdict.PASS, judged, 0, _not_shown(evidence.left_out))


def grown(table: pd.DataFrame, within: Stretch) -> tuple[list[Grown], int]:
    """Which series have grown within the steady part, and how many were judged.

    Args:
        table: of `analysis.gauges.gauge_table`.
    """
    part = table[(table.index >= within.begin_ns) & (table.index <= within.end_ns)]
    judged = judged_series(part, within)
    chances = [chance_of_rise(_medians(one.values, PIECES)) for one in judged]
    found = []
    for one, significant in zip(judged, holm(np.array(chances), ALPHA), strict=True):
        if significant:
            known = one.values.dropna()
            rising = trend(known.index.to_numpy(np.int64) / NS_PER_S, known.to_numpy(np.float64))
            growth = rising.slope_per_s * within.seconds if rising else 0.0
            if rising and growth >= one.matters and not is_step(known):
                found.append(Grown(one, rising.slope_per_s, growth))
    return found, len(judged)


def is_step(known: pd.Series) -> bool:
    """Whether one step is a far better account of what rose, and after it nothing rises: a pool that grew once is no leak."""
    step = best_jump(known.index.to_numpy(np.int64) / NS_PER_S, known.to_numpy(np.float64))
    if step is None or step.likelier < np.log(LEAST_LIKELIER):
        return False
    rest = known[known.index >= step.at_s * NS_PER_S]
    return chance_of_rise(_medians(rest, PIECES)) > ALPHA


def chance_of_rise(values: NDArray[np.float64]) -> float:
    """How likely independent values without a trend are to rise as these do: Kendall's test, one-sided."""
    count = len(values)
    first, second = np.triu_indices(count, 1)
    s = float(np.sign(values[second] - values[first]).sum())
    _, ties = np.unique(values, return_counts=True)
    variance = (count * (count - 1) * (2 * count + 5) - (ties * (ties - 1) * (2 * ties + 5)).sum()) / 18
    return NormalDist().cdf(-(s - 1) / variance**0.5) if s > 0 else 1.0


def holm(p_values: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """Which hypotheses to reject so that, over all, a false rejection is no more likely than `alpha`."""
    order = np.argsort(p_values, kind="stable")
    bounds = alpha / np.arange(len(p_values), 0, -1)
    passed = np.logical_and.accumulate(p_values[order] <= bounds)
    rejected = np.zeros(len(p_values), np.bool_)
    rejected[order] = passed
    return rejected


def _criterion(
    outcome: Verdict,
    checked: int,
    observed: int | None,
    reason: str | None,
    findings: tuple[Finding, ...] = (),
) -> Criterion:
    examples, every = Faults.of(findings).told()
    return Criterion(
        id="drift.database",
        title="Nothing on the server grows without end",
        target="0",
        observed=observed,
        unit="series",
        outcome=outcome,
        checked=checked,
        examples=examples,
        found=every,
        reason=reason,
    )


def _sentence(one: Grown, within: Stretch) -> str:
    """What grew, how fast, and what a reader wants to know besides."""
    series = one.series
    last = float(series.values.dropna().iloc[-1])
    a_minute = one.slope_per_s * 60
    remark = f" ({series.remark})" if series.remark else ""
    if series.full is not None and last < series.full:
        hours = (series.full - last) / one.slope_per_s / 3600
        remark += f"; at this rate no more are let in after another {hours:,.1f} hours"
    return (
        f"{series.name}: up by {one.growth:,.0f} {series.unit} in {within.seconds / 60:.0f} minutes of steady load, "
        f"{a_minute:,.1f} a minute, to {last:,.0f}{remark}."
    )


def _missing(table: pd.DataFrame, within: Stretch, left_out: pd.DataFrame) -> str | None:
    """Why a pass would be no answer, or None."""
    part = table[(table.index >= within.begin_ns) & (table.index <= within.end_ns)]
    absent = [name for name in NEEDED if name not in part or part[name].notna().sum() < LEAST_LOOKS]
    if not absent:
        return None
    whys = sorted({f"{part}: {why}" for part, why in zip(left_out["part"], left_out["why"], strict=True)})
    said = f" The monitor could not read {'; '.join(whys)}." if whys else ""
    return f"Too few figures of the server to judge by: {', '.join(absent)}.{said}"


def _not_shown(left_out: pd.DataFrame) -> str | None:
    """What a pass leaves open because the role of the monitor may not see it."""
    if not (left_out["part"] == HIDDEN).any():
        return None
    return "How long other roles' transactions are open is not judged: that takes the right pg_monitor."


def _medians(values: pd.Series, pieces: int) -> NDArray[np.float64]:
    """The medians of so many equal pieces of a series."""
    cut = np.array_split(values.dropna().to_numpy(np.float64), pieces)
    return np.array([np.median(piece) for piece in cut])


def judged_series(part: pd.DataFrame, within: Stretch) -> list[Series]:
    """All that is judged and was looked at often enough.

    Args:
        part: of `analysis.gauges.gauge_table`, the steady part alone.
    """
    return [one for one in _series(part, within) if one.values.notna().sum() >= LEAST_LOOKS]


def _series(part: pd.DataFrame, within: Stretch) -> Iterator[Series]:
    names: list[str] = part.columns.tolist()
    for slot in _between(names, "slot.", ".retained_bytes"):
        yield _slot(part, slot, f"Log kept for replication slot {slot}", "retained_bytes")
    for slot in _between(names, "slot.", ".lag_bytes"):  # who reads it comes later and later
        yield _slot(part, slot, f"Not yet read by replication slot {slot}", "lag_bytes")
    if "connections.used" in part:
        most = float(part["connections.most"].max()) if "connections.most" in part else 0.0
        enough = max(CONNECTIONS, CONNECTIONS_SHARE * most)
        remark = f"the server takes {most:,.0f}" if most else ""
        yield Series("Connections", part["connections.used"], enough, "connections", remark, most or None)
    if "locks.waiting" in part:
        yield Series("Sessions waiting for a lock", part["locks.waiting"], WAITING, "sessions")
    if "locks.longest_wait_ms" in part:  # few that wait, each for longer
        yield Series("The longest wait for a lock", part["locks.longest_wait_ms"], LOCK_WAIT_MS, "ms")
    if (
        "connections.idle_in_transaction" in part
    ):  # begun, and forgotten: each holds a snapshot, and maybe locks
        yield Series(
            "Sessions idle in a transaction", part["connections.idle_in_transaction"], WAITING, "sessions"
        )
    if "transactions.oldest_s" in part:
        yield Series(
            "The oldest transaction",
            part["transactions.oldest_s"],
            OPEN_SHARE * within.seconds,
            "s",
            "while it is open, no vacuum takes away what was deleted since",
        )
    for table in _between(names, "table.", ".rows_dead"):
        yield from _table(part, table)


def _between(names: list[str], prefix: str, suffix: str) -> list[str]:
    """What stands between `prefix` and `suffix` in those names that have both."""
    both = (name for name in names if name.startswith(prefix) and name.endswith(suffix))
    return sorted(name[len(prefix) : len(name) - len(suffix)] for name in both)


def _slot(part: pd.DataFrame, slot: str, name: str, gauge: str) -> Series:
    written = part["wal.bytes"].dropna() if "wal.bytes" in part else pd.Series(dtype=float)
    wal_bytes = float(written.iloc[-1] - written.iloc[0]) if len(written) else 0.0
    active = part.get(f"slot.{slot}.active")
    idle = active is not None and not active.dropna().any()
    return Series(
        name,
        part[f"slot.{slot}.{gauge}"],
        max(SLOT_BYTES, SLOT_SHARE * wal_bytes),
        "bytes",
        f"{wal_bytes:,.0f} bytes of log were written meanwhile"
        + ("; nobody reads this slot" if idle else ""),
    )


def _table(part: pd.DataFrame, table: str) -> Iterator[Series]:
    def gauge(name: str) -> pd.Series:
        return part[column] if (column := f"table.{table}.{name}") in part else pd.Series(dtype=float)

    dead, due = gauge("rows_dead").dropna(), gauge("vacuum_due").dropna()
    if len(dead) and len(due):
        vacuums = gauge("autovacuums").dropna()
        came = int(vacuums.iloc[-1] - vacuums.iloc[0]) if len(vacuums) else 0
        yield Series(
            f"Dead rows of {table}",
            _lowest_lately(dead),
            max(DEAD_ROWS, float(due.iloc[-1])),
            "rows",
            f"autovacuum should come at {due.iloc[-1]:,.0f}, and came {came:,} times",
        )
    live = gauge("rows_live")
    for name, what in (("bytes", "Size of"), ("index_bytes", "Indexes of")):
        size = gauge(name)
        both = pd.DataFrame({"size": size, "live": live}).dropna()
        if len(both):
            first = both.iloc[0]
            accounted = first["size"] * both["live"] / max(first["live"], 1.0)
            yield Series(
                f"{what} {table} beyond its rows",
                both["size"] - accounted,
                max(BLOAT_BYTES, BLOAT_SHARE * float(accounted.iloc[-1])),
                "bytes",
                f"rows account for {accounted.iloc[-1]:,.0f} of {both['size'].iloc[-1]:,.0f} bytes",
            )


def _lowest_lately(values: pd.Series) -> pd.Series:
    """The lowest value of the last `VACUUM_S` at each look from then on."""
    at = pd.to_datetime(values.index.to_numpy(np.int64))
    lowest = pd.Series(values.to_numpy(), index=at).rolling(f"{VACUUM_S:.0f}s").min()
    settled = values.index.to_numpy(np.int64) >= values.index[0] + VACUUM_S * NS_PER_S
    return pd.Series(lowest.to_numpy()[settled], index=values.index[settled])
