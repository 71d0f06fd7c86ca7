"""Latency, exact: how long sends took to be answered, and messages to be delivered. No input or output here.

Every figure is computed from all values of the record, never from rounded, sampled or averaged ones.

* **Average**: the sum of the nanoseconds, an integer, divided once.
* **Percentile**: nearest rank, without interpolation: the smallest measured value that at least that
  share of all values does not exceed. A P95 is thus always a latency that somebody really waited.
* **Target**: strictly below; 500.0 ms misses "< 500 ms".

*Send latency* covers every acknowledged send, repeats included, that left after the warm-up. In a closed
workload it is the service time (left → answered). In an open one the response time (due → answered) is
judged: it contains the service time, and the time for which a stalled server held the send up.

*Delivery latency* runs from the first moment at which a message left its sender to the moment at which a
recipient's socket gave the INSERT event, for every recipient but the author, whose own echo tells nobody
anything new. Only Realtime counts, only the first copy, and only where both times come from one clock.
What was never delivered has no latency: `realtime.missed` counts that.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.criteria import MAX_EXAMPLES, Criterion, Finding, Verdict
from analysis.record.tables import EventType, Outcome
from analysis.settings import Settings, Workload
from analysis.statistics.intervals import average_interval, percentile_interval

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Targets:
    """What a run is held against. Names and meanings are those of the settings."""

    send_avg_ms: float
    send_p95_ms: float
    delivery_p95_ms: float
    errors_share: float
    delivered_within_s: float
    history_query_ms: float
    warmup_s: float
    workload: Workload

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Targets":
        """From the masked settings of ``run.json``; one that an older run did not have has its default."""

        def value(name: str) -> Any:
            found = settings.get(name.upper())
            return Settings.model_fields[name].default if found is None else found

        return cls(
            send_avg_ms=float(value("chatsoak_target_send_avg_ms")),
            send_p95_ms=float(value("chatsoak_target_send_p95_ms")),
            delivery_p95_ms=float(value("chatsoak_target_delivery_p95_ms")),
            errors_share=float(value("chatsoak_target_errors_share")),
            delivered_within_s=float(value("chatsoak_target_delivered_within_s")),
            history_query_ms=float(value("chatsoak_target_history_query_ms")),
            warmup_s=float(value("chatsoak_warmup_s")),
            workload=Workload(value("chatsoak_workload")),
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one set of latencies, in milliseconds."""

    count: int
    avg_ms: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latencies with the time at which each began. `judged` tells which ones the targets apply to.

    `start_ns` is on the run's time axis (0 = its first send); both are in nanoseconds. `process` is the number of
    the load process that saw the end.
    """

    start_ns: Ints
    latency_ns: Ints
    judged: Bools
    process: Ints

    def after_warmup(self) -> Ints:
        """The latencies that the targets apply to, in the record's order."""
        return self.latency_ns[self.judged]


def nearest_rank(values: Ints, percent: int) -> int:
    """The smallest of `values` that at least `percent` per cent of them do not exceed.

    Raises:
        ValueError: there are no values, and no data has no percentile.
    """
    if len(values) == 0:
        raise ValueError("a percentile of no values was asked for")
    rank = max(1, -(-len(values) * percent // 100))
    return int(np.partition(values, rank - 1)[rank - 1])


def average_ms(values: Ints) -> float:
    """The mean of `values` (nanoseconds) in milliseconds; the sum is exact, the division rounds once."""
    return int(values.sum()) / (len(values) * NS_PER_MS)


def summarize(latency_ns: Ints) -> Summary | None:
    """The figures of `latency_ns`, or None when it is empty."""
    if len(latency_ns) == 0:
        return None
    ranked = np.sort(latency_ns)
    p50, p95, p99 = (int(ranked[max(1, -(-len(ranked) * p // 100)) - 1]) for p in (50, 95, 99))
    return Summary(
        count=len(ranked),
        avg_ms=average_ms(ranked),
        p50_ms=p50 / NS_PER_MS,
        p95_ms=p95 / NS_PER_MS,
        p99_ms=p99 / NS_PER_MS,
        max_ms=int(ranked[-1]) / NS_PER_MS,
    )


def send_latencies(sends: pd.DataFrame, targets: Targets) -> Latencies:
    """The latency of every acknowledged send; `judged` are those that left after the warm-up.

    Args:
        sends: columns ``clock`` (number of the clock domain), ``due_ns``, ``left_ns``, ``answered_ns``,
            ``outcome``, ``axis_ns`` (`left_ns` on the run's time axis).
    """
    began = sends["due_ns"] if targets.workload is Workload.OPEN else sends["left_ns"]
    acknowledged = sends["outcome"].to_numpy() == Outcome.OK
    return Latencies(
        start_ns=sends["axis_ns"].to_numpy(np.int64)[acknowledged],
        latency_ns=(sends["answered_ns"] - began).to_numpy(np.int64)[acknowledged],
        judged=_warm(sends, targets)[acknowledged],
        process=sends["process"].to_numpy()[acknowledged],
    )


def delivery_latencies(sends: pd.DataFrame, events: pd.DataFrame, targets: Targets) -> tuple[Latencies, int]:
    """The latency of every first realtime delivery to somebody else than the author.

    Args:
        sends: as for `send_latencies`, with ``message`` (code of the stored message; -1 = none known).
        events: columns ``clock``, ``user_id``, ``message_id``, ``sender_id``, ``type``, ``received_ns``.

    Returns:
        The latencies, and how many deliveries were left out because sender and recipient have no clock in common.
    """
    sent = pd.DataFrame(
        {
            "message": sends["message"].to_numpy(),
            "left_ns": sends["left_ns"].to_numpy(),
            "axis_ns": sends["axis_ns"].to_numpy(),
            "clock": sends["clock"].to_numpy(),
            "warm": _warm(sends, targets),
        }
    )
    # A refused attempt stored nothing: the message began to travel with the first one that may have.
    may_be_stored = (sends["outcome"].to_numpy() != Outcome.FAIL) & (sent["message"].to_numpy() >= 0)
    sent = sent[may_be_stored].sort_values("left_ns", kind="stable")
    sent = sent.drop_duplicates("message").sort_values("message")

    wanted = (events["type"].to_numpy() == EventType.INSERT) & (
        events["user_id"].to_numpy() != events["sender_id"].to_numpy()
    )
    message = events["message_id"].to_numpy()[wanted].astype(np.int64)
    known = sent["message"].to_numpy(np.int64)
    if len(known) == 0:
        return _NO_LATENCIES, 0
    place = np.searchsorted(known, message).clip(max=len(known) - 1)
    ours = known[place] == message
    place = place[ours]
    receiver = events["user_id"].to_numpy()[wanted][ours].astype(np.int64)
    received_ns = events["received_ns"].to_numpy(np.int64)[wanted][ours]
    clock = events["clock"].to_numpy()[wanted][ours]
    process = events["process"].to_numpy()[wanted][ours]

    first = _first_of_each(place * (int(receiver.max(initial=0)) + 1) + receiver, received_ns)
    place, received_ns, clock, process = place[first], received_ns[first], clock[first], process[first]
    comparable = sent["clock"].to_numpy()[place] == clock
    place, received_ns, process = place[comparable], received_ns[comparable], process[comparable]
    latencies = Latencies(
        start_ns=sent["axis_ns"].to_numpy(np.int64)[place],
        latency_ns=received_ns - sent["left_ns"].to_numpy(np.int64)[place],
        judged=sent["warm"].to_numpy(np.bool_)[place],
        process=process,
    )
    return latencies, int((~comparable).sum())


def send_criteria(latencies: Latencies, targets: Targets) -> list[Criterion]:
    """`latency.send.avg` and `latency.send.p95`."""
    kind = "response time, due to answered" if targets.workload is Workload.OPEN else "service time"
    nothing = _nothing("send was acknowledged", latencies, targets)
    return [
        _below(
            "latency.send.avg",
            f"Average send latency ({kind})",
            target_ms=targets.send_avg_ms,
            percent=None,
            latencies=latencies,
            nothing=nothing,
        ),
        _below(
            "latency.send.p95",
            f"P95 of send latency ({kind})",
            target_ms=targets.send_p95_ms,
            percent=95,
            latencies=latencies,
            nothing=nothing,
        ),
    ]


def delivery_criterion(latencies: Latencies, across_clocks: int, targets: Targets) -> Criterion:
    """`latency.delivery.p95`; `across_clocks` deliveries could not be timed."""
    nothing = _nothing("message was delivered to somebody else", latencies, targets)
    if across_clocks:
        nothing += f" {across_clocks:,} deliveries went to machines whose clocks cannot be compared."
    return _below(
        "latency.delivery.p95",
        "P95 of delivery latency, send to the recipient's Realtime event",
        target_ms=targets.delivery_p95_ms,
        percent=95,
        latencies=latencies,
        nothing=nothing,
        facts={"across_clocks": across_clocks} if across_clocks else {},
    )


def errors_criterion(sends: pd.DataFrame, findings: list[Finding], targets: Targets) -> Criterion:
    """`errors.send`: the share of all sends, warm-up included, that the server did not acknowledge.

    Args:
        findings: the first of those sends, named.
    """
    outcomes = sends["outcome"].to_numpy()
    count, bad = len(outcomes), int((outcomes != Outcome.OK).sum())
    if count == 0:
        outcome, reason = Verdict.INCONCLUSIVE, "Nothing was sent."
    else:
        outcome = Verdict.PASS if bad / count <= targets.errors_share else Verdict.FAIL
        reason = None
    return Criterion(
        id="errors.send",
        title="Share of sends that were not acknowledged",
        target=f"≤ {targets.errors_share * 100:g}%",
        observed=100 * bad / count if count else None,
        unit="%",
        outcome=outcome,
        checked=count,
        examples=tuple(findings[:MAX_EXAMPLES]),
        reason=reason,
        facts={
            "not_ok": bad,
            "refused": int((outcomes == Outcome.FAIL).sum()),
            "unknown": int((outcomes == Outcome.INFO).sum()),
        },
    )


def _below(
    id: str,  # noqa: A002 - the name in verdict.json
    title: str,
    *,
    target_ms: float,
    percent: int | None,
    latencies: Latencies,
    nothing: str,
    facts: dict[str, float | int] | None = None,
) -> Criterion:
    """A criterion on a percentile of the judged `latencies`, or on their average where `percent` is None."""
    judged_ns = latencies.after_warmup()
    start_ns = latencies.start_ns[latencies.judged]
    figures = summarize(judged_ns)
    observed: float | None = None
    outcome = Verdict.INCONCLUSIVE
    if figures is not None:
        observed = figures.avg_ms if percent is None else nearest_rank(judged_ns, percent) / NS_PER_MS
        outcome = Verdict.PASS if observed < target_ms else Verdict.FAIL
    shown: dict[str, float | int] = dict(facts or {})
    if figures is not None and percent is not None:
        shown |= {
            "avg_ms": figures.avg_ms,
            "p50_ms": figures.p50_ms,
            "p95_ms": figures.p95_ms,
            "p99_ms": figures.p99_ms,
            "max_ms": figures.max_ms,
        }
    return Criterion(
        id=id,
        title=title,
        target=f"< {target_ms:g} ms",
        observed=observed,
        unit="ms",
        outcome=outcome,
        checked=figures.count if figures else 0,
        ci95=(
            average_interval(start_ns, judged_ns)
            if percent is None
            else percentile_interval(start_ns, judged_ns, percent)
        ),
        reason=None if figures else nothing,
        facts=shown,
    )


def _nothing(what: str, latencies: Latencies, targets: Targets) -> str:
    if in_warmup := len(latencies.latency_ns):
        return (
            f"No {what} after the warm-up: all {in_warmup:,} fall in its {targets.warmup_s:g} s "
            "(CHATSOAK_WARMUP_S). Run longer, or warm up shorter."
        )
    return f"No {what}."


def _warm(sends: pd.DataFrame, targets: Targets) -> Bools:
    """Which sends left after the warm-up; each clock domain counts it from its own first send."""
    left_ns = sends["left_ns"].to_numpy(np.int64)
    clock = sends["clock"].to_numpy()
    warm = np.zeros(len(left_ns), dtype=np.bool_)
    for domain in np.unique(clock):
        of_domain = clock == domain
        end_ns = int(left_ns[of_domain].min()) + round(targets.warmup_s * NS_PER_S)
        warm |= of_domain & (left_ns >= end_ns)
    return warm


def _first_of_each(key: Ints, at_ns: Ints) -> Ints:
    """Positions of the earliest entry of every key."""
    order = np.lexsort((at_ns, key))
    ranked = key[order]
    return order[np.concatenate(([True], ranked[1:] != ranked[:-1]))] if len(order) else order


_NO_LATENCIES = Latencies(
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.bool_),
    np.empty(0, dtype=np.int16),
)
