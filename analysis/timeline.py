"""What happened when: everything that a report draws, on one axis, from the evidence. No input or output here.

The axis counts seconds since the run's first send.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis import series
from analysis.checks.restarts import restarts
from analysis.checks.steady import STEADY_SHARE
from analysis.criteria import Criterion
from analysis.evidence import Evidence
from analysis.latency import NO_LATENCIES, NS_PER_S, Ints, Latencies, Targets
from analysis.load import planned_rate
from analysis.load_changes import Moment, load_changes
from analysis.record.codes import EventType, Outcome, PollKind
from analysis.series import Floats, Histogram
from analysis.shifts import Search, Shift, cut, happenings, searched, shifts


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Places the clocks of a run on one axis: nanoseconds since its first send.

    Monotonic clocks of two machines share no origin, so each clock domain has its own, found by the hosts'
    wall clocks. That is good enough to draw with, and is never used to compute a latency.
    """

    origin_ns: Mapping[int, int]  # clock domain -> its monotonic time at the run's first send

    @classmethod
    def of(cls, evidence: Evidence) -> "TimeAxis":
        """The axis that begins at the earliest of the first sends; empty when nothing was sent."""
        first = evidence.sends.groupby("clock")["left_ns"].min()
        first_ns = dict(zip(first.index.tolist(), first.tolist(), strict=True))
        ahead_ns: dict[int, int] = {}  # how far a domain's wall clock is ahead of its monotonic one
        for part in (*evidence.parts, evidence.database):
            if part.process is not None:
                info = part.process.info
                ahead_ns.setdefault(part.clock, info.wall_us * 1000 - info.monotonic_ns)
        placed = [first_ns[clock] + ahead_ns[clock] for clock in first_ns if clock in ahead_ns]
        by_wall = {clock: min(placed) - ahead for clock, ahead in ahead_ns.items()} if placed else {}
        return cls(first_ns | by_wall)

    def place_column(self, frame: pd.DataFrame, column: str) -> Ints:
        """The monotonic times in `column` on the axis, by each row's ``clock``."""
        at_ns = frame[column].to_numpy(np.int64)
        clocks = frame["clock"].to_numpy()
        placed = np.zeros(len(at_ns), dtype=np.int64)
        for clock in np.unique(clocks):
            of_clock = clocks == clock
            placed[of_clock] = at_ns[of_clock] - self.origin_ns.get(int(clock), 0)
        return placed

    def origin_of(self, evidence: Evidence) -> int | None:
        """The axis's begin by the clock of the host that led the run, where the monitor ran too."""
        clocks = (evidence.database.clock, *(part.clock for part in evidence.parts))
        return next((self.origin_ns[clock] for clock in clocks if clock in self.origin_ns), None)


class Occurrences(NamedTuple):
    """When the findings of a criterion were seen: the different times, in order, and how many at each."""

    at_s: Floats
    findings: Ints


@dataclass(frozen=True, slots=True)
class Timeline:
    """Every series that a report draws. Frames are indexed by the bucket's begin in seconds."""

    width_s: int
    begin_s: float
    end_s: float
    warmup_s: float
    phases: tuple[tuple[str, float], ...]  # name, begin in seconds
    coarse_s: int  # width of the `_coarse` buckets, of which there are few enough to read
    sends: pd.DataFrame  # count, avg_ms, p50_ms, p95_ms, p99_ms, max_ms
    sends_coarse: pd.DataFrame
    deliveries: pd.DataFrame  # the same columns
    deliveries_coarse: pd.DataFrame
    service: pd.DataFrame  # the same of service time, where `sends` is of response time; else empty
    service_coarse: pd.DataFrame
    rates: pd.DataFrame  # ok, not_ok, delivered: each a second, and with _low and _high the extremes
    rates_coarse: pd.DataFrame
    rate_part_s: int  # over how many seconds each of these extremes is
    users: pd.DataFrame  # users (the most), low
    users_coarse: pd.DataFrame
    send_histogram: Histogram | None
    delivery_histogram: Histogram | None
    occurrences: Mapping[
        str, Occurrences
    ]  # by criterion; findings whose time is not known are not among them
    occurrences_coarse: pd.DataFrame  # a column for each criterion
    polls: pd.DataFrame  # duration_ms (longest), failed
    polls_coarse: pd.DataFrame
    restarts: tuple[tuple[float, float], ...]  # of PostgreSQL: the last look before, the first after, in s
    steps: tuple[Shift, ...] = ()
    searched: Mapping[str, Search] = field(default_factory=dict)  # for steps, by series
    load_changes: tuple[Moment, ...] = ()  # where the load moved to another level

    @property
    def most_users(self) -> int:
        """The most Locust users at one time; 0 = not recorded."""
        return int(self.users["users"].max()) if len(self.users) else 0


def build(
    evidence: Evidence,
    axis: TimeAxis,
    *,
    targets: Targets,
    sent: Latencies,
    service: Latencies | None,
    delivered: Latencies,
    criteria: Iterable[Criterion],
) -> Timeline:
    """The timeline of a run.

    Args:
        sent: of every acknowledged message.
        service: their service times, where `sent` has response times.
        delivered: of every timed delivery.
        criteria: whose findings are placed in time, where their time is known.
    """
    sends, events, generator = evidence.sends, evidence.events, evidence.generator
    left_ns = axis.place_column(sends, "left_ns")
    inserts = events["type"].to_numpy() == EventType.INSERT
    received_ns = axis.place_column(events, "received_ns")[inserts]
    told_ns = axis.place_column(generator, "at_ns")
    polled_ns = axis.place_column(evidence.polls, "at_ns")

    span = [times for times in (left_ns, received_ns, told_ns) if len(times)]
    begin_s = min((int(times.min()) for times in span), default=0) / NS_PER_S
    end_s = max((int(times.max()) for times in [*span, polled_ns] if len(times)), default=NS_PER_S) / NS_PER_S
    width_s = series.bucket_width_s(end_s - begin_s)
    coarse_s = series.bucket_width_s(end_s - begin_s, series.MOST_ROWS)

    ok = sends["outcome"].to_numpy() == Outcome.OK
    happened = {"ok": left_ns[ok], "not_ok": left_ns[~ok], "delivered": received_ns}
    part_s = series.part_s(width_s)
    failed = evidence.polls["kind"] == PollKind.FAILED
    took_ms = evidence.polls["duration_ms"].where(~failed)
    origin_ns = axis.origin_of(evidence)
    phases = tuple(
        (str(phase["name"]), (int(phase["at_ns"]) - origin_ns) / NS_PER_S)
        for phase in evidence.run.phases
        if origin_ns is not None
    )
    occurrences = {
        criterion.id: Occurrences((criterion.found.at_ns - origin_ns) / NS_PER_S, criterion.found.at_count)
        for criterion in criteria
        if len(criterion.found.at_ns) and origin_ns is not None
    }
    away = _away(evidence, axis)
    changes = _load_changes(evidence, axis, dict(phases))
    known = happenings(
        evidence,
        sockets_ns=axis.place_column(evidence.sockets, "at_ns"),
        gauges_ns=axis.place_column(evidence.gauges, "at_ns"),
        phases=phases,
        changes=changes,
        restarts_s=(before_s for before_s, _ in away),
    )
    cuts = {"sends": cut(sent), "deliveries": cut(delivered)}
    return Timeline(
        width_s=width_s,
        begin_s=begin_s,
        end_s=max(end_s, begin_s + 1),
        warmup_s=targets.warmup_s,
        phases=phases,
        coarse_s=coarse_s,
        sends=series.latency_series(sent, width_s),
        sends_coarse=series.latency_series(sent, coarse_s),
        deliveries=series.latency_series(delivered, width_s),
        deliveries_coarse=series.latency_series(delivered, coarse_s),
        service=series.latency_series(service or NO_LATENCIES, width_s),
        service_coarse=series.latency_series(service or NO_LATENCIES, coarse_s),
        rates=series.rate_series(happened, width_s, part_s),
        rates_coarse=series.rate_series(happened, coarse_s, part_s),
        rate_part_s=part_s,
        users=series.users_series(generator["process"], told_ns, generator["users"], width_s),
        users_coarse=series.users_series(generator["process"], told_ns, generator["users"], coarse_s),
        send_histogram=series.histogram(sent.after_warmup()),
        delivery_histogram=series.histogram(delivered.after_warmup()),
        occurrences=occurrences,
        occurrences_coarse=series.count_series(occurrences, coarse_s),
        polls=series.poll_series(polled_ns, took_ms, failed, width_s),
        polls_coarse=series.poll_series(polled_ns, took_ms, failed, coarse_s),
        restarts=away,
        load_changes=changes,
        searched=searched(cuts),
        steps=shifts(
            cuts,
            known,
            {f"finding of {name}": seen.at_s for name, seen in occurrences.items()},
        ),
    )


def ramp_s(evidence: Evidence, axis: TimeAxis) -> float:
    """Seconds from the first send until nearly as many users were there as ever; 0 where no load process told of any."""
    told = evidence.generator
    users = series.users_series(told["process"], axis.place_column(told, "at_ns"), told["users"], 1)["users"]
    if not len(users):
        return 0.0
    return max(0.0, float(users.index[int((users >= STEADY_SHARE * users.max()).argmax())]))


def _load_changes(evidence: Evidence, axis: TimeAxis, begin_s: Mapping[str, float]) -> tuple[Moment, ...]:
    told = evidence.generator
    users = series.users_series(told["process"], axis.place_column(told, "at_ns"), told["users"], 1)["users"]
    return load_changes(
        planned_rate(evidence.run.settings),
        begin_s.get("load", 0.0),
        users,
        begin_s.get("stopping", float("inf")),
    )


def _away(evidence: Evidence, axis: TimeAxis) -> tuple[tuple[float, float], ...]:
    """Between which looks PostgreSQL went away and came back, in seconds."""
    origin_ns = axis.origin_of(evidence)
    if origin_ns is None:
        return ()
    seen = restarts(evidence.polls)
    return tuple(
        ((before - origin_ns) / NS_PER_S, (after - origin_ns) / NS_PER_S)
        for before, after in zip(seen.before_ns.tolist(), seen.after_ns.tolist(), strict=True)
    )
