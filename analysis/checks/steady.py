"""The steady part of a run: where the load stood still, so that what moves is the server's doing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.evidence import Evidence

NS_PER_S = 1_000_000_000
STEADY_SHARE = 0.95  # of the most users
SETTLING_SHARE = 0.2  # of the stretch, at its begin
BUCKET_S = 5
STOPPING = "stopping"  # the phase that ends the load


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time by the monitor's clock.

    Attributes:
        held_s: how long the load stood still in all, with the time it took to settle.
    """

    begin_ns: int
    end_ns: int
    held_s: float

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end_ns - self.begin_ns) / NS_PER_S

    @property
    def whole(self) -> "Stretch":
        """The stretch with the time that it took to settle."""
        return Stretch(self.end_ns - round(self.held_s * NS_PER_S), self.end_ns, self.held_s)


def steady_part(evidence: Evidence) -> Stretch:
    """The longest stretch of the load in which the number of users stood at its highest, without its first fifth.

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
    begin_ns, end_ns = _longest_at_most_users(generator[generator["at_ns"] <= load_ends_ns])
    if end_ns == 0:
        begin_ns, end_ns = int(looks.min()), load_ends_ns
    held_ns = max(end_ns - begin_ns, 0)
    return Stretch(begin_ns + round(SETTLING_SHARE * held_ns), end_ns, held_ns / NS_PER_S)


def _longest_at_most_users(generator: pd.DataFrame) -> tuple[int, int]:
    """From when to when; (0, 0) where nobody told of users."""
    if not len(generator):
        return 0, 0
    bucket = generator["at_ns"].to_numpy(np.int64) // (BUCKET_S * NS_PER_S)
    told = pd.DataFrame(
        {"bucket": bucket, "process": generator["process"].to_numpy(), "users": generator["users"].to_numpy()}
    )
    by_process = told.pivot_table(index="bucket", columns="process", values="users", aggfunc="max").ffill()
    users = by_process.sum(axis=1)
    if users.max() <= 0:
        return 0, 0
    steady = (users >= STEADY_SHARE * users.max()).to_numpy()
    changes = np.flatnonzero(np.diff(np.concatenate([[False], steady, [False]])))
    begins, ends = changes[::2], changes[1::2] - 1
    buckets = users.index.to_numpy(np.int64)
    longest = int(np.argmax(buckets[ends] - buckets[begins]))
    return (
        int(buckets[begins[longest]]) * BUCKET_S * NS_PER_S,
        min((int(buckets[ends[longest]]) + 1) * BUCKET_S * NS_PER_S, int(generator["at_ns"].max())),
    )
