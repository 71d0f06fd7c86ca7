"""Times of several machines on one clock, each with the bounds between which it certainly lies: pure, vectorised.

Every load process on another machine measures, again and again, how far the leader's monotonic clock is ahead of its
own (table ``clocks``): it asks, the leader answers with its time, and that moment lies between question and
answer. So the offset is known to half of the round trip; the quickest of several is kept.
Source: F. Cristian, Probabilistic clock synchronization, Distributed Computing 3 (1989), 146-158.

Between two measurements the clocks may drift apart (`DRIFT`). An offset is therefore certain only within bounds that
widen with the distance to the measurements around it, and that all of them together narrow. Measurements that
contradict one another show that a clock drifted faster than that; nothing is compared with it then.

The database's wall clock is one more such clock: each look of the monitor measures it. Measurements that contradict
one another show that it was set while the run went on.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.evidence import Evidence
from analysis.frames import NULL
from analysis.record.codes import PollKind

# Two clocks drift apart by at most one part in so many: NTP lets each run faster or slower by at most 500 ppm.
# Source: RFC 5905, MAXFREQ; adjtimex(2).
DRIFT = 1000

# A look's time is noted when its snapshot is there, in a record that does not tell when it was asked for: a round trip after it was
# taken.
LOOK_LAG_NS = 100_000_000

# A look's time is noted within this of its snapshot, unless its answer is held up (`asked_ns`). The database's clock may be set
# by less without any look noticing.
NOTED_WITHIN_NS = 500_000_000

NEVER_NS, ENDLESS_NS = -1, np.iinfo(np.int64).max

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Offset:
    """How far the leader's clock is ahead of another one: bounds at the moments of the measurements, ascending."""

    at_ns: Ints
    least_ns: Ints
    most_ns: Ints

    @classmethod
    def of(cls, at_ns: Ints, offset_ns: Ints, error_ns: Ints) -> "Offset | None":
        """From measurements; None when there are none, or when they contradict one another."""
        error_ns = error_ns + _drift(
            error_ns
        )  # the leader looked at its clock up to that long before or after `at_ns`
        order = np.argsort(at_ns, kind="stable")
        at, least, most = at_ns[order], (offset_ns - error_ns)[order], (offset_ns + error_ns)[order]
        # Each bound holds at every other measurement, too, widened by the drift until then.
        drifted = _drift(at - at[0]) if len(at) else at
        for forwards in (slice(None), slice(None, None, -1)):
            way = np.abs(drifted - drifted[forwards][:1])[forwards]
            most[forwards] = np.minimum.accumulate(most[forwards] - way) + way
            least[forwards] = np.maximum.accumulate(least[forwards] + way) - way
        return cls(at, least, most) if len(at) and bool((least <= most).all()) else None

    def bounds(self, at_ns: Ints) -> tuple[Ints, Ints]:
        """Least and most that the offset may be at these times."""
        after = np.searchsorted(self.at_ns, at_ns).clip(max=len(self.at_ns) - 1)
        before = (after - 1).clip(min=0)
        least, most = (
            tuple(
                values[place] + sign * _drift(np.abs(at_ns - self.at_ns[place])) for place in (before, after)
            )
            for values, sign in ((self.least_ns, -1), (self.most_ns, 1))
        )
        return np.maximum(*least), np.minimum(*most)


@dataclass(frozen=True, slots=True)
class Moments:
    """Times as they were noted, and between what they certainly lie on the leader's clock.

    Attributes:
        earliest_ns, latest_ns: `NEVER_NS` and `ENDLESS_NS` where the clock is not known.
    """

    at_ns: Ints
    clock: Ints
    earliest_ns: Ints
    latest_ns: Ints

    def __getitem__(self, chosen: "slice | Ints | Bools") -> "Moments":
        return Moments(
            self.at_ns[chosen], self.clock[chosen], self.earliest_ns[chosen], self.latest_ns[chosen]
        )

    def before(self, other: "Moments") -> Bools:
        """Which of them certainly lie before those of `other`; of either there may be a single one."""
        certainly: Bools = np.where(
            self.clock == other.clock, self.at_ns < other.at_ns, self.latest_ns < other.earliest_ns
        )
        return certainly

    def since(self, other: "Moments") -> Bools:
        """Which of them certainly lie at those of `other` or later; of either there may be a single one."""
        certainly: Bools = np.where(
            self.clock == other.clock, self.at_ns >= other.at_ns, self.earliest_ns >= other.latest_ns
        )
        return certainly

    def later(self, by_ns: int) -> "Moments":
        """The moments so much later; sooner, where it is negative."""
        return Moments(
            self.at_ns + by_ns,
            self.clock,
            np.where(self.earliest_ns == NEVER_NS, NEVER_NS, self.earliest_ns + by_ns),
            np.where(self.latest_ns == ENDLESS_NS, ENDLESS_NS, self.latest_ns + by_ns),
        )


@dataclass(frozen=True, slots=True)
class Clocks:
    """The clocks of a run that can be compared: the leader's, and those with a measured offset to it."""

    leader: int
    offsets: dict[int, Offset]  # by number of the clock domain

    @classmethod
    def of(cls, evidence: Evidence) -> "Clocks":
        """From the record. Load processes of one machine have one clock, and measure it together."""
        database, measured = evidence.database, evidence.clocks
        # Without a word of the monitor, the first load process speaks for the machine that led the run.
        leader = database.clock if database.process or not evidence.parts else evidence.parts[0].clock
        domain = database.process.info.clock_domain if database.process else None
        theirs = measured[(measured["leader"] == domain).to_numpy()]
        offsets = {}
        for clock in np.unique(theirs["clock"].to_numpy(np.int64)).tolist():
            rows = theirs[theirs["clock"] == clock]
            columns = (rows[column].to_numpy(np.int64) for column in ("at_ns", "offset_ns", "error_ns"))
            offset = Offset.of(*columns)
            if offset is not None and clock != leader:
                offsets[clock] = offset
        return cls(leader, offsets)

    def known(self, clock: "pd.Series[int] | Ints") -> Bools:
        """Which of these clocks can be compared."""
        return np.isin(np.asarray(clock), [self.leader, *self.offsets])

    def bounds(self, at_ns: Ints, clock: Ints) -> tuple[Ints, Ints]:
        """Earliest and latest moment on the leader's clock that these times may be. All clocks are `known`."""
        earliest, latest = at_ns.copy(), at_ns.copy()
        for number, offset in self.offsets.items():
            its = np.flatnonzero(clock == number)
            least, most = offset.bounds(at_ns[its])
            earliest[its] += least
            latest[its] += most
        return earliest, latest

    def moments(self, at_ns: "pd.Series[int] | Ints", clock: "pd.Series[int] | Ints") -> Moments:
        """These times, of any clocks."""
        at, of = np.asarray(at_ns, np.int64), np.asarray(clock, np.int64)
        known = self.known(of)
        earliest, latest = self.bounds(at, of)
        return Moments(at, of, np.where(known, earliest, NEVER_NS), np.where(known, latest, ENDLESS_NS))

    def dated(self, at_ns: "pd.Series[int] | Ints", clock: "pd.Series[int] | Ints") -> Ints:
        """These times by the leader's clock, as near as is known, for people; `NEVER_NS` where the clock was never compared."""
        at, of = np.asarray(at_ns, np.int64), np.asarray(clock, np.int64)
        earliest, latest = self.bounds(at, of)
        return np.where(self.known(of), earliest + (latest - earliest) // 2, NEVER_NS)


def asked_ns(polls: pd.DataFrame, within_ns: int = LOOK_LAG_NS) -> Ints:
    """For each look the moment at which its snapshot was asked for, by the monitor's clock: it was not taken earlier.

    The answer may be held up on its way, so that ``at_ns``, when it was there, may be much later than the snapshot.

    Args:
        within_ns: so long before ``at_ns`` the snapshots are taken to be, at most, of a look whose record does not tell, because
            an earlier version wrote it.
    """
    at_ns, told = (polls[column].to_numpy(np.int64) for column in ("at_ns", "asked_ns"))
    return np.where(told == NULL, at_ns - within_ns, told)


def database_clock(polls: pd.DataFrame) -> Offset | None:
    """How far the leader's clock is ahead of the database's wall clock, in ns; None when that one was set meanwhile.

    Its bounds are those of what the looks noticed: allow for `unnoticed_ns` more.
    """
    looked = polls[polls["kind"].to_numpy() != PollKind.FAILED]
    database_ns = looked["database_us"].to_numpy(np.int64) * 1000
    at_ns = looked["at_ns"].to_numpy(np.int64)
    # A look that was noted late measures worse; one that was noted sooner no better, or else the smallest step of the clock would
    # leave all commit times unused.
    half = np.maximum(at_ns - asked_ns(looked, NOTED_WITHIN_NS), NOTED_WITHIN_NS) // 2
    return Offset.of(database_ns, at_ns - half - database_ns, half)


def unnoticed_ns(polls: pd.DataFrame) -> int:
    """How far off `database_clock` may be, at most, if the database's clock was set once since the first look and none noticed.

    A look tells the clock as well as its answer was prompt, and of the time before it was set the first look tells in any case, of
    the time after it the last: so these two say it, whatever the others may be like. A clock that is set forth and back between
    two looks shows nowhere.
    """
    looked = polls[polls["kind"].to_numpy() != PollKind.FAILED].sort_values("poll", kind="stable")
    if not len(looked):
        return NOTED_WITHIN_NS
    late_ns = looked["at_ns"].to_numpy(np.int64) - asked_ns(looked, NOTED_WITHIN_NS)
    return max(NOTED_WITHIN_NS, int(late_ns[0]), int(late_ns[-1]))


def _drift(duration_ns: Ints) -> Ints:
    """The most by which two clocks drift apart in this time."""
    return -(-duration_ns // DRIFT)
