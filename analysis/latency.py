"""Latency, exact: how long sends took to be answered, and messages to be delivered. No input or output here.

Every figure is computed from all values of the record, never from rounded, sampled or averaged ones.

* **Average**: the sum of the nanoseconds, an integer, divided once.
* **Percentile**: nearest rank, without interpolation: the smallest measured value that at least that
  share of all values does not exceed. A P95 is thus always a latency that somebody really waited.
* **Target**: strictly below; 500.0 ms misses "< 500 ms".

*Send latency* covers every acknowledged message whose first attempt left after the warm-up: one latency a message, from its
first attempt to its first acknowledgement (`analysis.attempts`). In a closed workload it is the service time (left →
answered). In an open one the response time (due → answered) is judged: it contains the service time, and the time for which
a stalled server held the send up. A time-out of 10 s and a repeat that took 20 ms are one latency above 10 s. What was
sent again after it had been acknowledged adds none.

*Delivery latency* runs from the first moment at which a message left its sender to the moment at which a
recipient's socket gave the INSERT event, for every recipient but the author, whose own echo tells nobody
anything new. Only Realtime counts, only the first copy, and only where both times come from one clock.
What was never delivered has no latency: `realtime.missed` counts that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.attempts import acknowledged
from analysis.record.codes import EventType, Outcome
from analysis.setting_kinds import WARMUP_FOUND
from analysis.settings import Settings, Workload
from analysis.statistics.warmup import find_warmup

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000

# The longest warm-up that is found and left out, the shorter of the two. With a tenth, nine tenths of the run are judged
# whatever is found. A minute after the last user came, connections, caches and plans are there; an app that takes
# longer takes it after every deployment, and people wait for that.
WARMUP_SHARE = 0.1
AFTER_RAMP_S = 60.0

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Targets:
    """What a run is held against. Names and meanings are those of the settings.

    Attributes:
        warmup_s: seconds after the first send that latency leaves out.
        warmup_by_hand: it was set; otherwise it is still to be found (`with_warmup`).
        unsettled: why nothing is left out although the run did not begin as it went on; None = there is no such reason.
    """

    send_avg_ms: float
    send_p95_ms: float
    delivery_p95_ms: float
    errors_share: float
    delivered_within_s: float
    history_query_ms: float
    warmup_s: float
    workload: Workload
    warmup_by_hand: bool = True
    unsettled: str | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Targets":
        """From the masked settings of ``run.json``; one that an older run did not have has its default."""

        def value(name: str) -> Any:
            found = settings.get(name.upper())
            return Settings.model_fields[name].default if found is None else found

        warmup = str(value("chatsoak_warmup_s"))
        return cls(
            send_avg_ms=float(value("chatsoak_target_send_avg_ms")),
            send_p95_ms=float(value("chatsoak_target_send_p95_ms")),
            delivery_p95_ms=float(value("chatsoak_target_delivery_p95_ms")),
            errors_share=float(value("chatsoak_target_errors_share")),
            delivered_within_s=float(value("chatsoak_target_delivered_within_s")),
            history_query_ms=float(value("chatsoak_target_history_query_ms")),
            warmup_s=0.0 if warmup == WARMUP_FOUND else float(warmup),
            warmup_by_hand=warmup != WARMUP_FOUND,
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


def with_warmup(targets: Targets, sends: pd.DataFrame, ramp_s: float = 0.0) -> Targets:
    """`targets` with the end of the run's warm-up, found where it was not set by hand.

    A found one is left out only as long as it may be a warm-up: `WARMUP_SHARE` of the run, or the time that users took to
    arrive and `AFTER_RAMP_S`. What lasts longer may be a fault that ended, and a cut would hide it.

    Args:
        sends: as for `send_latencies`.
        ramp_s: seconds from the first send until all users were there.
    """
    if targets.warmup_by_hand:
        return targets
    sent = send_latencies(sends, targets)
    found = find_warmup(sent.start_ns, sent.latency_ns)
    if not found.steady:
        return replace(
            targets,
            unsettled="Latency was still settling in the second half of the run: nothing is left out as warm-up.",
        )
    if not found.end_s:
        return targets
    run_s = float(np.ptp(sent.start_ns)) / NS_PER_S
    most_s = min(WARMUP_SHARE * run_s, ramp_s + AFTER_RAMP_S)
    if found.end_s > most_s:
        what = (
            f"Latency became steady only after {found.end_s:,.0f} s"
            if found.slower
            else f"Latency was lower in the first {found.end_s:,.0f} s than later"
        )
        return replace(
            targets,
            unsettled=f"{what}, and a warm-up of this run may last {most_s:,.0f} s: nothing is left out.",
        )
    return replace(targets, warmup_s=int(sent.start_ns.min()) / NS_PER_S + found.end_s)


def service_latencies(sends: pd.DataFrame, targets: Targets) -> Latencies:
    """As `send_latencies`, from the moment the first attempt left, whatever the workload."""
    return send_latencies(sends, replace(targets, workload=Workload.CLOSED))


def send_latencies(sends: pd.DataFrame, targets: Targets) -> Latencies:
    """The latency of every acknowledged message; `judged` are those that first left after the warm-up.

    Args:
        sends: columns ``clock`` (number of the clock domain), ``user_id``, ``client_generated_id``, ``due_ns``, ``left_ns``,
            ``answered_ns``, ``outcome``, ``process``, ``axis_ns`` (`left_ns` on the run's time axis).

    Returns:
        In the order of `analysis.attempts.acknowledged`.
    """
    messages = acknowledged(sends)
    began = sends["due_ns" if targets.workload is Workload.OPEN else "left_ns"].to_numpy(np.int64)
    answered = sends["answered_ns"].to_numpy(np.int64)
    return Latencies(
        start_ns=sends["axis_ns"].to_numpy(np.int64)[messages.first],
        latency_ns=answered[messages.answered] - began[messages.first],
        judged=_warm(sends, targets)[messages.first],
        process=sends["process"].to_numpy()[messages.answered],
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
        return NO_LATENCIES, 0
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


NO_LATENCIES = Latencies(
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.int64),
    np.empty(0, dtype=np.bool_),
    np.empty(0, dtype=np.int16),
)
