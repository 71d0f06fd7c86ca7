"""Where latency changed its level, and what happened then. No input or output here.

Windows of the whole run, warm-up and all, are searched for steps (`statistics.steps`): their P95 of send and of delivery
latency. A step of less than a tenth is not told, and a run of fewer than `LEAST_WINDOWS` is too short to be said to have none. What
lies near a step in time is named beside it; that it was the cause is not said.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.gauges import gauge_table
from analysis.latency import NS_PER_S, Ints, Latencies
from analysis.record.codes import SocketEvent
from analysis.statistics.steps import find_steps
from analysis.statistics.windows import PLENTY, Windows, windows

PIECES = 120  # windows of a run, where that makes them neither shorter nor longer than these, nor too poor in values
WIDTHS_S = (5.0, 60.0)
MATTERS = 0.10  # of the level before
FALSE_ALARM = 0.025  # for each of the two series
NEAR_S = 15.0  # and never less than a window
# In so many, latency that doubles at half time is found in 8 runs of 10; in 24 windows in 4 of 10.
LEAST_WINDOWS = 30
STORM = 3  # sockets that close within a second or two
STORM_SHARE = 0.2  # of all that were ever open


@dataclass(frozen=True, slots=True)
class Shift:
    """A step of a latency.

    Attributes:
        series: "sends" or "deliveries".
        at_s: begin of the first window on the new level, on the timeline's axis.
        before_ms, after_ms: the median P95 of the windows before and after.
        p_value: how likely a run without a step shows one as clear.
        near: what happened at that time, in words; empty = nothing is known.
        reach_s: within so many seconds of it.
    """

    series: str
    at_s: float
    before_ms: float
    after_ms: float
    p_value: float
    near: str
    reach_s: float


@dataclass(frozen=True, slots=True)
class Search:
    """In what steps of a latency were looked for.

    Attributes:
        windows: how many there were with enough latencies.
        width_s: their length.
    """

    windows: int
    width_s: float

    @property
    def is_too_short(self) -> bool:
        """Even a large step might not have shown."""
        return self.windows < LEAST_WINDOWS


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened at a time of the timeline's axis."""

    what: str
    at_s: float


def cut(latencies: Latencies) -> Windows:
    """The windows in which steps are looked for: those that have enough latencies."""
    count = len(latencies.start_ns)
    span_s = int(np.ptp(latencies.start_ns)) / NS_PER_S if count else 0.0
    enough_s = PLENTY * span_s / max(1, count)
    width_s = max(enough_s, float(np.clip(span_s / PIECES, *WIDTHS_S)))
    return windows(latencies.start_ns, latencies.latency_ns, width_s).telling


def searched(cuts: Mapping[str, Windows]) -> dict[str, Search]:
    """How much there was to look at, by series."""
    return {series: Search(len(one.figures), one.width_s) for series, one in cuts.items()}


def shifts(
    cuts: Mapping[str, Windows],
    happenings: Iterable[Happening],
    often: Mapping[str, NDArray[np.float64]] = MappingProxyType({}),
) -> tuple[Shift, ...]:
    """The steps of each latency, in the order of time.

    Args:
        cuts: the windows of each, by series: "sends", "deliveries".
        often: what happened, perhaps millions of times, and when, in order: findings.
    """
    known = list(happenings)
    found = [shift for series, one in cuts.items() for shift in _of(series, one, known, often)]
    return tuple(sorted(found, key=lambda shift: (shift.at_s, shift.series)))


def happenings(
    evidence: Evidence,
    *,
    sockets_ns: Ints,
    gauges_ns: Ints,
    phases: Iterable[tuple[str, float]],
    changes: Iterable[tuple[str, float]],
    restarts_s: Iterable[float],
) -> list[Happening]:
    """What may lie near a step, but for findings.

    Args:
        sockets_ns, gauges_ns: times of the rows of `evidence.sockets` and `evidence.gauges` on the timeline's axis.
        phases: name and begin in seconds.
        changes: what the load did, in words, and when.
        restarts_s: when PostgreSQL went away.
    """
    return [
        *(Happening(f"phase {name}", at_s) for name, at_s in phases),
        *(Happening(what, at_s) for what, at_s in changes),
        *(Happening("a restart of PostgreSQL", at_s) for at_s in restarts_s),
        *_of_the_server(evidence, gauges_ns),
        *_storms(evidence, sockets_ns),
    ]


def _of(
    series: str,
    cut: Windows,
    known: list[Happening],
    often: Mapping[str, NDArray[np.float64]],
) -> Iterator[Shift]:
    reach_s = max(NEAR_S, cut.width_s)
    begin_s = cut.figures.index.to_numpy(np.float64)
    for step in find_steps(cut.figures["p95_ms"].to_numpy(), times=begin_s, false_alarm=FALSE_ALARM):
        if abs(step.change) >= MATTERS:
            nearest = [
                Happening(what, float(at_s[np.abs(at_s - step.at).argmin()]))
                for what, at_s in often.items()
                if len(at_s)
            ]
            near = _near([*known, *nearest], step.at, reach_s)
            yield Shift(series, step.at, step.before, step.after, step.p_value, near, reach_s)


def _near(known: list[Happening], at_s: float, reach_s: float) -> str:
    """What happened within `reach_s`, the nearest first, each kind once."""
    close = sorted((abs(one.at_s - at_s), one.what) for one in known if abs(one.at_s - at_s) <= reach_s)
    return ", ".join(dict.fromkeys(what for _, what in close))


def _of_the_server(evidence: Evidence, gauges_ns: Ints) -> Iterator[Happening]:
    """Checkpoints and autovacuums: counters that grew between two looks."""
    table = gauge_table(gauges_ns, evidence.gauges["name"], evidence.gauges["value"])
    for column in table.columns:
        if column in {"checkpoints.timed", "checkpoints.requested"}:
            what = "a checkpoint"
        elif column.startswith("table.") and column.endswith(".autovacuums"):
            what = f"an autovacuum of {column.removeprefix('table.').removesuffix('.autovacuums')}"
        else:
            continue
        counter = table[column].dropna()
        grew = np.flatnonzero(np.diff(counter.to_numpy(np.float64)) > 0) + 1
        times_s = counter.index.to_numpy(np.int64) / NS_PER_S
        yield from (Happening(what, float(times_s[place])) for place in grew)


def _storms(evidence: Evidence, sockets_ns: Ints) -> Iterator[Happening]:
    """Seconds in which many sockets closed."""
    events = evidence.sockets["event"].to_numpy()
    opened = int((events == SocketEvent.CONNECTED).sum())
    second, counts = np.unique(sockets_ns[events == SocketEvent.CLOSED] // NS_PER_S, return_counts=True)
    many = counts >= max(STORM, STORM_SHARE * opened)
    for at_s, count in zip(second[many].tolist(), counts[many].tolist(), strict=True):
        yield Happening(f"{count} sockets closed at once", float(at_s))
