"""What Realtime owed to each participant, as far as the clocks of sender, recipient and monitor can tell for certain.

Two moments are compared as they are where they are by one clock, and by the bounds of both on the leader's clock where those
are known (`analysis.clocks`). Where sender and recipient have no clock in common, what the subscription itself brought takes
the place of the recipient's times: it was there when it brought a message that had been stored before this one left, and
still there when it brought one that left after this one was stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from analysis.checks.account import NEVER, NULL, Account, Bools, Ints
from analysis.checks.moments import MomentsOfRows
from analysis.checks.stays import Stay
from analysis.checks.subscriptions import ENDLESS, OPEN, Subscriptions

CERTAIN_AFTER_NS = 10_000_000_000  # ten times the delivery target: far beyond any healthy delivery


@dataclass(frozen=True, slots=True)
class Brought:
    """What the events of each subscription tell of it. On the leader's clock where a name says so.

    Attributes:
        alive_ns: its end, or where that was not recorded the last event that it brought.
        last_left_ns: by subscription and clock, when the last that it brought had left its sender; `NEVER`: nothing came.
        last_left_on_leader_ns: the same, the earliest that it may be.
        first_stored_ns: by subscription and clock, by when the first that it brought had been stored; `ENDLESS`: nothing.
        first_stored_on_leader_ns: the same, the latest that it may be.
    """

    alive_ns: Ints
    last_left_ns: Ints
    last_left_on_leader_ns: Ints
    first_stored_ns: Ints
    first_stored_on_leader_ns: Ints

    @classmethod
    def of(cls, account: Account, moments: MomentsOfRows, subscribed: Subscriptions) -> "Brought":
        events, table = account.evidence.events, subscribed.table
        row = account.row_of_message[events["message_id"].to_numpy()[subscribed.inserts]]
        known = (subscribed.of_insert >= 0) & (subscribed.after < 0) & (row >= 0)
        number, row = subscribed.of_insert[known], row[known]
        received = events["received_ns"].to_numpy()[subscribed.inserts[known]]
        began, ended = table["began_ns"].to_numpy(), table["ended_ns"].to_numpy()
        alive = began.copy()
        np.maximum.at(alive, number, received)
        on_leader = np.full(len(table), NEVER, np.int64)
        np.maximum.at(on_leader, number, moments.earliest_left_ns[row])
        clocks = int(moments.clock.max(initial=0)) + 1
        sent = moments.clock[row] >= 0
        cell = number[sent] * clocks + moments.clock[row[sent]]
        last_left = np.full(len(table) * clocks, NEVER, np.int64)
        np.maximum.at(last_left, cell, moments.left_ns[row[sent]])
        # Before the confirmation it brings one thing and may leave out the next; what was read with it may have come before it.
        confirmed = received > began[number]
        first_on_leader = np.full(len(table), ENDLESS, np.int64)
        np.minimum.at(first_on_leader, number[confirmed], moments.stored_by_ns[row[confirmed]])
        first_stored = np.full(len(table) * clocks, ENDLESS, np.int64)
        np.minimum.at(first_stored, cell[confirmed[sent]], moments.acknowledged_ns[row[sent & confirmed]])
        return cls(
            np.where(ended == OPEN, alive, ended),
            last_left.reshape(-1, clocks),
            on_leader,
            first_stored.reshape(-1, clocks),
            first_on_leader,
        )


class Owing:
    """Tells of each participation which messages its subscriptions owed."""

    def __init__(self, account: Account, moments: MomentsOfRows, subscribed: Subscriptions) -> None:
        table = subscribed.table
        self._moments = moments
        self._seq = account.rows["seq"].to_numpy(np.int64)
        self._brought = Brought.of(account, moments, subscribed)
        self._clock = table["clock"].to_numpy(np.int64)
        self._process = table["process"].to_numpy(np.int64)
        self._began = table["began_ns"].to_numpy()
        self._newest = table["newest_seq"].to_numpy()
        self._sought = table["sought_ns"].to_numpy()
        clock, clocks = self._clock, moments.clocks
        known = clocks.known(clock)
        # On the leader's clock: the latest at which each may have begun, and the earliest and latest to which it lasted.
        self._began_on_leader = np.full(len(table), ENDLESS, np.int64)
        self._alive_on_leader, self._over_on_leader = (np.full(len(table), NEVER, np.int64) for _ in range(2))
        self._began_on_leader[known] = clocks.bounds(self._began[known], clock[known])[1]
        self._alive_on_leader[known], self._over_on_leader[known] = clocks.bounds(
            self._brought.alive_ns[known], clock[known]
        )
        drained = known & (self._sought != NEVER)
        self._sought_on_leader = np.full(len(table), NEVER, np.int64)
        self._sought_on_leader[drained] = clocks.bounds(self._sought[drained], clock[drained])[0]

    def owed(self, rows: Ints, subscriptions: Ints) -> tuple[Bools, Bools, Bools]:
        """Which of `rows`, all of one chat, these subscriptions of one participant owed; of which that cannot be told; and for
        which the participant should have waited in the drain, and did not know it.

        Args:
            subscriptions: positions in `Subscriptions.table`.
        """
        owed, open_, unawaited = (np.zeros(len(rows), np.bool_) for _ in range(3))
        for clock in np.unique(self._clock[subscriptions]).tolist():
            local = subscriptions[self._clock[subscriptions] == clock]
            here, placed, apart = self._by_way_of_comparing(rows, clock)
            ways = (
                (here, self._moments.left_ns, self._began, self._brought.alive_ns),
                (placed, self._moments.earliest_left_ns, self._began_on_leader, self._over_on_leader),
            )
            for there, left_ns, began_ns, over_ns in ways:
                group = there[np.argsort(left_ns[rows[there]], kind="stable")]
                left = left_ns[rows[group]]
                first = np.searchsorted(left, began_ns[local])
                end = np.searchsorted(left, over_ns[local], side="right")
                for number, low, high in zip(local.tolist(), first.tolist(), end.tolist(), strict=True):
                    some = group[low:high]
                    if len(some):
                        certain, unknown = self._certain(rows[some], number)
                        owed[some] |= certain
                        open_[some] |= unknown
                        unawaited[some] |= self._sought_in_vain(rows[some], number)
            if len(apart):
                for number in local.tolist():
                    owed[apart] |= self._begun(rows[apart], number) & self._known_stored(rows, apart, number)
                open_[apart] = True
        return owed, open_ & ~owed, unawaited & ~owed

    def begun_before(self, subscriptions: Ints, process: int, at_ns: int) -> int:
        """The one of these that began last in this load process by then; -1 if none did."""
        mine = subscriptions[
            (self._process[subscriptions] == process) & (self._began[subscriptions] <= at_ns)
        ]
        return int(mine[np.argmax(self._began[mine])]) if len(mine) else -1

    def since(self, rows: Ints, number: int) -> Bools:
        """Which left after this subscription began."""
        here, placed, apart = self._by_way_of_comparing(rows, int(self._clock[number]))
        since = np.zeros(len(rows), np.bool_)
        since[here] = self._moments.left_ns[rows[here]] > self._began[number]
        since[placed] = self._moments.earliest_left_ns[rows[placed]] > self._began_on_leader[number]
        since[apart] = self._begun(rows[apart], number)
        return since

    def between(self, rows: Ints, stayed: Iterable[Stay]) -> Bools:
        """Which left after the first of some stay's subscriptions began and, as far as that is known, not after the last, and were
        stored early enough before they went offline to be read by then.

        That is what was stored when they asked, in the drain, what to wait for, or gave up, or what they waited for. Of somebody
        who had no drain: what was stored `CERTAIN_AFTER_NS` before their end.
        """
        found = np.zeros(len(rows), np.bool_)
        for stay in stayed:
            between = self.since(rows, stay.first) & ~self.since(rows, stay.last)
            if between.any():
                found |= between & self._in_time(rows, stay)
        return found

    def _in_time(self, rows: Ints, stay: Stay) -> Bools:
        """Which were stored so early that whoever stayed has to have them."""
        last = stay.last
        seq, alive_ns, sought_ns = self._seq[rows], int(self._brought.alive_ns[last]), int(self._sought[last])
        in_time = self._stored_before(alive_ns - CERTAIN_AFTER_NS, last, rows)
        in_time |= (seq != NULL) & (seq <= self._newest[last]) & self._stored_before(alive_ns, last, rows)
        if sought_ns != NEVER:
            in_time |= self._stored_before(sought_ns, last, rows)
        if stay.gave_up_ns is not None:
            in_time |= self._stored_before(stay.gave_up_ns, last, rows)
        return in_time

    def _stored_before(self, at_ns: int, number: int, rows: Ints) -> Bools:
        """Which were stored by then, by the clock of this subscription."""
        moment = self._moments.clocks.moments(np.array([at_ns]), self._clock[number : number + 1])
        return self._moments.stored_before(moment, rows)

    def _by_way_of_comparing(self, rows: Ints, clock: int) -> tuple[Ints, Ints, Ints]:
        """Positions in `rows` of the messages that left by this clock, by one that can be compared with it, and by others."""
        theirs = self._moments.clock[rows]
        same = theirs == clock
        known = self._moments.clocks.known(theirs) & self._moments.clocks.known(np.array([clock]))
        return np.flatnonzero(same), np.flatnonzero(~same & known), np.flatnonzero(~same & ~known)

    def _certain(self, rows: Ints, number: int) -> tuple[Bools, Bools]:
        """Of messages that left while this subscription was there: which had to come before its end; and of which nobody
        knows, by a clock that can be compared, when they were stored."""
        stored_by = self._moments.told_by(int(self._clock[number]), rows)
        stored_on_leader = self._moments.stored_by_ns[rows]
        alive, alive_on_leader = int(self._brought.alive_ns[number]), int(self._alive_on_leader[number])
        in_time = (stored_by <= alive) | (stored_on_leader <= alive_on_leader)
        long_ago = stored_by <= alive - CERTAIN_AFTER_NS
        long_ago |= stored_on_leader <= alive_on_leader - CERTAIN_AFTER_NS
        seq = self._seq[rows]
        awaited = (seq != NULL) & (seq <= self._newest[number])
        unknown = (stored_by == ENDLESS) & ((stored_on_leader == ENDLESS) | (alive_on_leader == NEVER))
        return in_time & (self._later_came(rows, number) | awaited) | long_ago, unknown

    def _sought_in_vain(self, rows: Ints, number: int) -> Bools:
        """Which had been stored when the user asked what to wait for, and were not named by what they learned."""
        by_own = self._moments.told_by(int(self._clock[number]), rows) <= self._sought[number]
        stored = by_own | (self._moments.stored_by_ns[rows] <= self._sought_on_leader[number])
        seq = self._seq[rows]
        unnamed: Bools = stored & ((seq == NULL) | (seq > self._newest[number]))
        return unnamed

    def _later_came(self, rows: Ints, number: int) -> Bools:
        """Which had been stored when something left that this subscription brought."""
        by_own = self._brought.last_left_ns[number, self._moments.clock[rows]]
        by_leader = self._brought.last_left_on_leader_ns[number]
        came: Bools = by_own > self._moments.acknowledged_ns[rows]
        came |= by_leader > self._moments.stored_by_ns[rows]
        return came

    # Where sender and recipient have no clock in common

    def _begun(self, rows: Ints, number: int) -> Bools:
        """Which left after something had been stored that this subscription brought."""
        by_own = self._brought.first_stored_ns[number, self._moments.clock[rows]]
        by_leader = self._brought.first_stored_on_leader_ns[number]
        begun: Bools = by_own <= self._moments.left_ns[rows]
        begun |= by_leader <= self._moments.earliest_left_ns[rows]
        return begun

    def _known_stored(self, rows: Ints, apart: Ints, number: int) -> Bools:
        """Which of `apart` had been stored when this subscription ended: something came that left later, or the user waited
        for them in the drain, and knew of a message that is the newest of them or left later."""
        some = rows[apart]
        stored = self._later_came(some, number)
        newest = rows[(self._seq[rows] == self._newest[number]) & (self._seq[rows] != NULL)]
        if len(newest) != 1:
            return stored
        moments, one = self._moments, int(newest[0])
        before: Bools = moments.earliest_left_ns[one] > moments.stored_by_ns[some]
        same_clock = moments.clock[some] == moments.clock[one]
        before |= same_clock & (moments.left_ns[one] > moments.acknowledged_ns[some])
        before &= (self._seq[some] != NULL) & (self._seq[some] < self._newest[number])
        before |= some == one
        return stored | before
