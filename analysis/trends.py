"""The trend of every series of a soak: latencies and the server's gauges, whether they are judged or not. No I/O.

Of each the slope of Theil and Sen with its 95% interval, the p-value of Mann and Kendall (`statistics.trend`), and where it has
a target or a bound and moved beyond chance, when it would get there. What is a step has no forecast. Counters are rates. What the criteria make of them is theirs: `latency_drift`
judges the latencies, `checks.drift` those gauges that must not grow.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.checks.drift import LEAST_LOOKS, LEAST_S, judged_series
from analysis.checks.steady import Stretch
from analysis.evidence import Evidence
from analysis.gauges import NS_PER_S, gauge_table, rates
from analysis.latency import Latencies, Targets
from analysis.latency_drift import rises_of, steps_of
from analysis.statistics.trend import Trend, forecast_crossing_s, trend

_COUNTER = re.compile(
    r"(transactions\.(committed|rolled_back)|tuples\..+|deadlocks|conflicts|blocks\..+|temporary\..+|checkpoints\..+|wal\.bytes"
    r"|table\..+\.(inserted|updated|updated_in_place|deleted|vacuums|autovacuums|analyzes|sequential_scans|index_scans))"
)
CHANCE = 0.05  # two-sided
_NO_SERIES = re.compile(
    r"connections\.most|table\..+\.(vacuumed_at_s|analyzed_at_s|vacuum_due)|slot\..+\.active"
)
_UNITS = {"_ms": "ms", "bytes": "bytes", "_s": "s"}


@dataclass(frozen=True, slots=True)
class SeriesTrend:
    """How a series went.

    Attributes:
        name: in words, or the gauge's own.
        unit: of its values; empty = a number of things.
        found: its trend, in the unit.
        bound: target, or what it must not reach; None = there is none.
        crossing_s: seconds from the end of the part until the trend, going on as it is, is at the bound; 0 = it has been;
            None = never, or there is no bound.
        soonest_s, latest_s: the same by the ends of the slope's 95% interval.
        judged: a criterion looks at it.
        stepped: one step is a better account of it than a rise.
    """

    name: str
    unit: str
    found: Trend
    bound: float | None
    crossing_s: float | None
    soonest_s: float | None
    latest_s: float | None
    judged: bool
    stepped: bool = False

    @property
    def beyond_chance(self) -> bool:
        """Whether it has a trend at all: of series without one, one in twenty seems to."""
        return self.found.p_value <= CHANCE

    @property
    def is_there(self) -> bool:
        """Its middle has passed the bound, whatever it does next."""
        middle_s = (self.found.begin_s + self.found.end_s) / 2
        return self.bound is not None and self.found.at(middle_s) >= self.bound


@dataclass(frozen=True, slots=True)
class Trends:
    """The trends of a soak.

    Attributes:
        minutes: of steady load that they are about.
        rows: latencies first, then the gauges that are judged, then the others by name.
        still: gauges that never moved.
    """

    minutes: float
    rows: tuple[SeriesTrend, ...]
    still: tuple[str, ...]


def trends(
    evidence: Evidence,
    sent: Latencies,
    delivered: Latencies,
    targets: Targets,
    *,
    of_latency: Stretch,
    of_server: Stretch,
) -> Trends | None:
    """All trends of the steady part; None for a run that is too short for drifts to be judged.

    Args:
        of_latency, of_server: the steady part, on the axis of the latencies and by the monitor's clock.
    """
    if of_server.held_s < LEAST_S:
        return None
    table = gauge_table(
        evidence.gauges["at_ns"].to_numpy(np.int64), evidence.gauges["name"], evidence.gauges["value"]
    )
    part = table[(table.index >= of_server.begin_ns) & (table.index <= of_server.end_ns)]
    moving = [name for name in part.columns if part[name].nunique() > 1]
    rises = list(rises_of(sent, delivered, targets, of_latency))
    stepped = [one.name for one, _ in steps_of(rises)]
    return Trends(
        minutes=of_server.held_s / 60,
        rows=(
            *(
                replace(
                    _with_bound(one.name, "ms", one.trend, one.target_ms, judged=True),
                    stepped=one.name in stepped,
                )
                for one in rises
            ),
            *_judged(part, of_server),
            *_others(part[moving]),
        ),
        still=tuple(name for name in part.columns if name not in moving and not _NO_SERIES.fullmatch(name)),
    )


def _judged(part: pd.DataFrame, within: Stretch) -> Iterator[SeriesTrend]:
    for one in judged_series(part, within):
        if (found := _trend_of(one.values)) is not None:
            bound = found.at(found.begin_s) + one.matters if one.full is None else one.full
            yield _with_bound(one.name, one.unit, found, bound, judged=True)


def _others(part: pd.DataFrame) -> Iterator[SeriesTrend]:
    for name in part.columns:
        if _NO_SERIES.fullmatch(name):
            continue
        is_counter = _COUNTER.fullmatch(name) is not None
        values = rates(part[name].dropna()) if is_counter else part[name]
        if (found := _trend_of(values)) is not None:
            unit = next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
            yield _with_bound(name, f"{unit} a second".strip() if is_counter else unit, found, None)


def _trend_of(values: pd.Series) -> Trend | None:
    known = values.dropna()
    if len(known) < LEAST_LOOKS:
        return None
    return trend(known.index.to_numpy(np.int64) / NS_PER_S, known.to_numpy(np.float64))


def _with_bound(
    name: str, unit: str, found: Trend, bound: float | None, *, judged: bool = False
) -> SeriesTrend:
    at_s = None if bound is None else forecast_crossing_s(found, bound)
    crossing_s = None if at_s is None else max(at_s - found.end_s, 0.0)
    soonest_s, latest_s = (
        None if bound is None or slope <= 0 else max(0.0, bound - found.at(found.end_s)) / slope
        for slope in (found.high, found.low)
    )
    return SeriesTrend(name, unit, found, bound, crossing_s, soonest_s, latest_s, judged)
