"""What is certain of the order in which a message's statuses followed one another.

**Two looks**: as they were taken. **Two events on one subscription**: when their commit times and the order in which
they came agree. Either may mislead alone: the database's wall clock may be set back between two commits, and Realtime
may deliver in another order. **Everything else** is placed on the leader's clock, between what is certain:

* a look that saw a status: its change was committed by then. A status that a look still saw was there when the last
  transaction had ended that was running, with an id, at a look before, or at this one: a commit is in the log, and
  events tell of it, before it is visible to everybody. "At a look" is when its snapshot was asked for: the answer may be late.
* an event: its change was committed by the time at which it came. How early it was committed its commit time tells, by
  the database's clock as the looks measured it. Where that clock was set during the run, nothing is compared by it.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints
from analysis.checks.witnesses import STAGES, WAYS_BACK, WaysBack, Witness, joined, widest
from analysis.clocks import (
    ENDLESS_NS,
    NEVER_NS,
    NOTED_WITHIN_NS,
    Clocks,
    asked_ns,
    database_clock,
    unnoticed_ns,
)
from analysis.record.codes import PollKind, Status

Bounds = Callable[[Ints], tuple[Ints, Ints]]
ByStage = dict[Status, Ints]


class Spans:
    """For each row and status by when at the latest the row first had it, and since when at the earliest it last had it."""

    def __init__(self, account: Account) -> None:
        size = len(account.rows)
        self.first: ByStage = {stage: np.full(size, ENDLESS_NS, np.int64) for stage in STAGES}
        self.last: ByStage = {stage: np.full(size, NEVER_NS, np.int64) for stage in STAGES}

    def heard(self, witness: Witness, bounds: Bounds) -> Self:
        """With all that a witness says; `bounds` gives the latest and the earliest time of entries by their position."""
        for entries in witness.entries():
            by, since = bounds(entries.position)
            for stage in STAGES:
                having = entries.status == stage
                np.minimum.at(self.first[stage], entries.row[having], by[having])
                np.maximum.at(self.last[stage], entries.row[having], since[having])
        return self


def backwards(first: ByStage, last: ByStage) -> WaysBack:
    """Rows that certainly had a lower status after a higher one."""
    return widest([np.flatnonzero(first[high] < last[low]) for high, low in WAYS_BACK])


def by_rank(rank: Ints) -> Bounds:
    """Bounds of what has a place in an order."""
    return lambda position: (rank[position], rank[position])


def on_one_subscription(told: Witness) -> WaysBack:
    """Rows that one subscription showed lower after it had shown them higher, in the order of the commits, too."""
    committed = told.table["committed_us"].to_numpy()
    by_commits = Spans(told.account).heard(told, by_rank(committed))
    suspect = np.zeros(len(told.account.rows), np.bool_)
    suspect[backwards(by_commits.first, by_commits.last).row] = True  # few, as a rule
    position, row, status = joined(entries.only(suspect[entries.row]) for entries in told.entries())
    when, process, socket = (
        told.table[column].to_numpy()[position] for column in ("committed_us", "process", "socket")
    )
    found = []
    for high, low in WAYS_BACK:
        was_high = pd.Series(np.where(status == high, when, ENDLESS_NS))
        soonest = was_high.groupby([row, process, socket]).cummin().to_numpy()
        found.append(row[(status == low) & (soonest < when)])
    return widest(found)


class Leader:
    """Looks and events on the leader's clock.

    Attributes:
        commits_known: the database's clock was not set, so that commit times tell something.
    """

    def __init__(self, account: Account) -> None:
        evidence = account.evidence
        self._account = account
        self._clocks = Clocks.of(evidence)
        self._database = database_clock(evidence.polls)
        self._unnoticed_ns = unnoticed_ns(evidence.polls)
        self.commits_known = self._database is not None
        self._settled = _settled_ns(evidence.polls, evidence.observations, self.commits_known)

    def looks(self, position: Ints) -> tuple[Ints, Ints]:
        """Bounds of the looks at these positions of ``observations``."""
        table = self._account.evidence.observations
        return table["at_ns"].to_numpy()[position], self._settled[table["poll"].to_numpy()[position]]

    def events(self, position: Ints) -> tuple[Ints, Ints]:
        """Bounds of the commits that the events at these positions tell of."""
        table = self._account.evidence.events
        came = self._clocks.moments(
            table["received_ns"].to_numpy()[position], table["clock"].to_numpy()[position]
        )
        if self._database is None:
            return came.latest_ns, np.full(len(position), NEVER_NS)
        committed_ns = table["committed_us"].to_numpy(np.int64)[position] * 1000
        ahead_ns, _ = self._database.bounds(committed_ns)
        since_ns = committed_ns + ahead_ns - self._unnoticed_ns
        # What came before it was committed was committed while the clock was wrong, between two looks.
        return came.latest_ns, np.where(since_ns <= came.latest_ns, since_ns, NEVER_NS)

    def at_the_end(self, spans: Spans) -> None:
        """Add what the last look saw: it saw all rows, also those that had not changed since an earlier one."""
        account = self._account
        polls, observations = account.evidence.polls, account.evidence.observations
        sweeps = polls.loc[polls["kind"] == PollKind.SWEEP, "poll"]
        if account.last_look_ns is None:
            return
        last = int(sweeps.iloc[-1])
        seen = observations["poll"].to_numpy()[account.rows["observation"].to_numpy()]
        for stage in STAGES:
            having = account.stored & (seen <= last) & (account.rows["status"].to_numpy() == stage)
            spans.last[stage][having] = np.maximum(spans.last[stage][having], self._settled[last])


def _settled_ns(polls: pd.DataFrame, observations: pd.DataFrame, clock_steady: bool) -> Ints:
    """For each look by its number until when whatever was committed shows in it, surely; `NEVER_NS`: it knows nothing.

    Args:
        clock_steady: nothing shows that the database's clock was set. What seems to show it may be a look whose answer was late: where
            the record does not tell when it was asked for, nothing is certain then.
    """
    # A monitor that is killed while it writes leaves the rows of a look without the look.
    numbers = (int(table["poll"].max()) + 1 for table in (polls, observations) if len(table))
    settled = np.full(max(numbers, default=0), NEVER_NS, np.int64)
    whole = polls[polls["kind"].to_numpy() != PollKind.FAILED].sort_values("poll", kind="stable")
    number, xmin, next_xid = (whole[column].to_numpy(np.int64) for column in ("poll", "xmin", "next_xid"))
    # All had ended that ran, and had an id, at the last look whose next id is not above this one's xmin.
    place = np.searchsorted(np.maximum.accumulate(next_xid), xmin, side="right") - 1
    place = np.minimum(place, np.arange(len(whole)))
    asked = asked_ns(whole, NOTED_WITHIN_NS)
    if not clock_steady:
        asked = np.where(whole["asked_ns"].to_numpy() == NULL, NEVER_NS, asked)
    settled[number] = np.where(place >= 0, asked[place], NEVER_NS)
    return settled
