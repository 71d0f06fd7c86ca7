"""The steady part of a run: where the load stood still, so that what moves is the server's doing.

In a closed workload the load is the users. In an open one it is the rate that was planned as well, of which users who are
not there leave out their part: both have to stand still.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis.evidence import Evidence
from analysis.rates import RateCurve

NS_PER_S = 1_000_000_000
STEADY_SHARE = 0.95  # of the most users; and of the highest planned rate of the stretch
SETTLING_SHARE = 0.2  # of the stretch, at its begin
BUCKET_S = 5
LOAD = "load"  # the phase with which the load, and the planned rate, begin
STOPPING = "stopping"  # the phase that ends the load


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time by the monitor's clock.

    Attributes:
        held_s: how long the load stood still in all, with the time it took to settle.
        moving: the planned rate moves in the run, so that the stretch is shorter than the users' own.
    """

    begin_ns: int
    end_ns: int
    held_s: float
    moving: bool = False

    @property
    def too_short(self) -> str:
        """Why no drift is judged in it, in a sentence."""
        held = f"The load stood still for {self.held_s / 60:.1f} minutes"
        because = ", because the planned arrival rate moves (CHATSOAK_ARRIVAL_RATE)" if self.moving else ""
        return f"{held}{because}: too short to judge a drift, which takes ten."

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end_ns - self.begin_ns) / NS_PER_S

    @property
    def whole(self) -> "Stretch":
        """The stretch with the time that it took to settle."""
        return replace(self, begin_ns=self.end_ns - round(self.held_s * NS_PER_S))


def steady_part(evidence: Evidence, planned: RateCurve | None = None) -> Stretch:
    """The longest stretch of the load in which the number of users stood at its highest, without its first fifth.

    With a `planned` rate also that had to stand still; it counts from the begin of the load.

    Load processes whose clock the monitor does not share cannot be placed; where there are no others, the whole time
    between the monitor's first look and the end of the load counts.
    """
    clock = evidence.database.clock
    generator = evidence.generator[evidence.generator["clock"] == clock]
    ends = [int(phase["at_ns"]) for phase in evidence.run.phases if phase["name"] == STOPPING]
    looks = evidence.polls["at_ns"].to_numpy(np.int64)
    if not len(looks):
        return Stretch(0, 0, 0.0)
    load_ends_ns = min([*ends, int(looks.max())])
    full = _at_most_users(generator[generator["at_ns"] <= load_ends_ns]) or [
        (int(looks.min()), max(load_ends_ns, int(looks.min())))
    ]
    begin_ns, end_ns = max(full, key=_length)
    moving = False
    if planned is not None:
        loads = [int(phase["at_ns"]) for phase in evidence.run.phases if phase["name"] == LOAD]
        origin_ns = min(loads, default=begin_ns)
        flat = max(
            (one for part in full for one in _flat(planned, origin_ns, *part)), key=_length, default=(0, 0)
        )
        moving = _length(flat) < _length((begin_ns, end_ns))
        begin_ns, end_ns = flat
    held_ns = end_ns - begin_ns
    return Stretch(begin_ns + round(SETTLING_SHARE * held_ns), end_ns, held_ns / NS_PER_S, moving)


def _length(stretch: tuple[int, int]) -> int:
    return stretch[1] - stretch[0]


def _flat(planned: RateCurve, origin_ns: int, begin_ns: int, end_ns: int) -> Iterator[tuple[int, int]]:
    """The longest stretches of this one over which the rate is above 0 and stays within `STEADY_SHARE` of its highest."""
    at_ns = np.append(np.arange(begin_ns, end_ns, BUCKET_S * NS_PER_S), end_ns)
    rates = [planned.at(max((int(at) - origin_ns) / NS_PER_S, 0.0)) for at in at_ns]
    first = 0
    lows: deque[int] = (
        deque()
    )  # places whose rate no later one undercuts: the first has the lowest of the stretch
    highs: deque[int] = deque()
    for last, rate in enumerate(rates):
        while lows and rates[lows[-1]] >= rate:
            lows.pop()
        while highs and rates[highs[-1]] <= rate:
            highs.pop()
        lows.append(last)
        highs.append(last)
        while lows and (rates[lows[0]] <= 0 or rates[lows[0]] < STEADY_SHARE * rates[highs[0]]):
            first += 1
            for places in (lows, highs):
                if places and places[0] < first:
                    places.popleft()
        if first <= last:
            yield int(at_ns[first]), int(at_ns[last])


def _at_most_users(generator: pd.DataFrame) -> list[tuple[int, int]]:
    """Each stretch, from when to when; none where nobody told of users."""
    if not len(generator):
        return []
    bucket = generator["at_ns"].to_numpy(np.int64) // (BUCKET_S * NS_PER_S)
    told = pd.DataFrame(
        {"bucket": bucket, "process": generator["process"].to_numpy(), "users": generator["users"].to_numpy()}
    )
    by_process = told.pivot_table(index="bucket", columns="process", values="users", aggfunc="max").ffill()
    users = by_process.sum(axis=1)
    if users.max() <= 0:
        return []
    steady = (users >= STEADY_SHARE * users.max()).to_numpy()
    changes = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]])))
    begins, ends = changes[::2], changes[1::2] - 1
    buckets = users.index.to_numpy(np.int64)
    newest_ns = int(generator["at_ns"].max())
    return [
        (
            int(buckets[begin]) * BUCKET_S * NS_PER_S,
            min((int(buckets[end]) + 1) * BUCKET_S * NS_PER_S, newest_ns),
        )
        for begin, end in zip(begins, ends, strict=True)
    ]
