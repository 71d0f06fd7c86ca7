"""The figures that runs are compared by, taken from a verdict. No input or output here.

Latencies, errors and the history query have the interval that the judge gave them. A rate has the one of a Poisson count, which takes sends as
independent.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import sqrt

from analysis.history.stored import StoredCriterion, StoredVerdict
from analysis.statistics.intervals import SURE_S, Z95

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of one run.

    Attributes:
        ci95: None where it is not known.
        at_least: the run was too short, or measured too little, for an interval that holds the truth as often as it says: it may have to be wider.
        too_few: it is the second of these two.
        level_moved: within the run, by a step or a drift: its interval is so wide that it hides what changed.
    """

    value: float
    ci95: Interval | None = None
    at_least: bool = False
    too_few: bool = False
    level_moved: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that every run may have.

    Attributes:
        id: its name in JSON.
        label: its name where there is little room.
        unit: ms, %, …
        worse: 1 where a higher figure is worse, -1 where a lower one is.
        least: a change smaller than this, in `unit`, is too little to matter, however sure it is.
        of: takes it from a verdict; None where the run does not have it.
    """

    id: str
    label: str
    title: str
    unit: str
    worse: int
    least: float
    of: Callable[[StoredVerdict], Figure | None]


def figures(verdict: StoredVerdict) -> dict[str, Figure]:
    """All figures that `verdict` has, by the ids of `MEASURES` and in their order."""
    taken = {measure.id: measure.of(verdict) for measure in MEASURES}
    return {name: figure for name, figure in taken.items() if figure is not None}


def _observed(criterion_id: str) -> Callable[[StoredVerdict], Figure | None]:
    def take(verdict: StoredVerdict) -> Figure | None:
        criterion = verdict.criterion(criterion_id)
        if criterion is None or criterion.observed is None:
            return None
        return _figure(verdict, criterion, criterion.observed, criterion.ci95, TOO_FEW)

    return take


def _fact(criterion_id: str, fact: str) -> Callable[[StoredVerdict], Figure | None]:
    def take(verdict: StoredVerdict) -> Figure | None:
        criterion = verdict.criterion(criterion_id)
        if criterion is None or fact not in criterion.facts:
            return None
        within = (criterion.intervals or {}).get(fact)
        return _figure(verdict, criterion, criterion.facts[fact], within, fact.removesuffix("ms") + TOO_FEW)

    return take


def _figure(
    verdict: StoredVerdict, criterion: StoredCriterion, value: float, within: Interval | None, too_few: str
) -> Figure:
    stepped = verdict.criterion(STEPS_BESIDE.get(criterion.id, criterion.id))
    return Figure(
        value,
        within,
        at_least=SHORT_RUN in criterion.facts or too_few in criterion.facts,
        too_few=SHORT_RUN not in criterion.facts and too_few in criterion.facts,
        level_moved=LEVEL_MOVED in criterion.facts or (stepped is not None and STEPS in stepped.facts),
    )


def _throughput(verdict: StoredVerdict) -> Figure | None:
    seconds = verdict.load.seconds if verdict.load else None
    acknowledged = verdict.counts.get("ok")
    if not seconds or acknowledged is None:
        return None
    around = Z95 * sqrt(acknowledged)
    within = (max(0.0, acknowledged - around) / seconds, (acknowledged + around) / seconds)
    return Figure(acknowledged / seconds, within, seconds < SURE_S)


# Facts of a criterion: its interval is a least width, for one reason or the other; its level moved; its windows show steps.
SHORT_RUN = "short_run"
TOO_FEW = "too_few"
LEVEL_MOVED = "level_moved"
STEPS = "steps"
STEPS_BESIDE = {"latency.send.avg": "latency.send.p95"}  # steps are looked for in P95
LEAST_MS = 1.0
MEASURES = (
    Measure(
        "send.avg", "Send average", "Average send latency", "ms", 1, LEAST_MS, _observed("latency.send.avg")
    ),
    Measure(
        "send.p50", "Send P50", "P50 of send latency", "ms", 1, LEAST_MS, _fact("latency.send.p95", "p50_ms")
    ),
    Measure("send.p95", "Send P95", "P95 of send latency", "ms", 1, LEAST_MS, _observed("latency.send.p95")),
    Measure(
        "send.p99", "Send P99", "P99 of send latency", "ms", 1, LEAST_MS, _fact("latency.send.p95", "p99_ms")
    ),
    Measure(
        "delivery.p50",
        "Delivery P50",
        "P50 of delivery latency",
        "ms",
        1,
        LEAST_MS,
        _fact("latency.delivery.p95", "p50_ms"),
    ),
    Measure(
        "delivery.p95",
        "Delivery P95",
        "P95 of delivery latency",
        "ms",
        1,
        LEAST_MS,
        _observed("latency.delivery.p95"),
    ),
    Measure("errors", "Errors", "Share of sends not acknowledged", "%", 1, 0.05, _observed("errors.send")),
    Measure("throughput", "Sends/s", "Acknowledged sends a second", "/s", -1, 0.1, _throughput),
    Measure(
        "history.query",
        "History query",
        "Time of the history query",
        "ms",
        1,
        LEAST_MS,
        _observed("plan.history"),
    ),
)
BY_ID: Mapping[str, Measure] = {measure.id: measure for measure in MEASURES}
