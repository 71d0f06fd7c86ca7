"""When each message left its sender, and by when it was stored for certain: by the clocks that can tell."""

from dataclasses import dataclass

import numpy as np

from analysis.checks.account import NEVER, Account, Bools, Ints
from analysis.checks.subscriptions import ENDLESS, positions
from analysis.clocks import Clocks, Moments


@dataclass(frozen=True, slots=True)
class MomentsOfRows:
    """For each of `Account.rows`. A moment that nobody knows is `NEVER` or `ENDLESS`, and so before or after all others.

    Attributes:
        clocks: which clocks can be compared.
        clock: of its sender; -1 for rows of other people.
        left_ns: when it left, by `clock`.
        acknowledged_ns: an ok answer told of it by then, by `clock`.
        earliest_left_ns: it left then or later, by the leader's clock.
        stored_by_ns: it was stored by then, by the leader's clock: an ok answer had told of it, or the look that saw it first was over.
    """

    clocks: Clocks
    clock: Ints
    left_ns: Ints
    acknowledged_ns: Ints
    earliest_left_ns: Ints
    stored_by_ns: Ints

    @classmethod
    def of(cls, account: Account) -> "MomentsOfRows":
        rows, operations, clocks = account.rows, account.operations, Clocks.of(account.evidence)
        operation = rows["operation"].to_numpy()
        mine = operation >= 0

        def of_operation(column: str) -> Ints:
            values = np.full(len(rows), NEVER, np.int64)
            values[mine] = operations[column].to_numpy(np.int64)[operation[mine]]
            return values

        clock, left = of_operation("clock"), of_operation("left_ns")
        told = rows["acknowledged_ns"].to_numpy(np.int64)
        acknowledged = np.where(told == NEVER, ENDLESS, told)
        known = clocks.known(clock)
        earliest_left, stored_by = np.full(len(rows), NEVER, np.int64), np.full(len(rows), ENDLESS, np.int64)
        earliest_left[known] = clocks.bounds(left[known], clock[known])[0]
        told_of = known & (acknowledged != ENDLESS)
        stored_by[told_of] = clocks.bounds(acknowledged[told_of], clock[told_of])[1]
        if account.monitor_clock == clocks.leader:
            stored_by = np.minimum(stored_by, _seen_by(account))
        return cls(clocks, clock, left, acknowledged, earliest_left, stored_by)

    def told_by(self, clock: int, rows: Ints) -> Ints:
        """When each of `rows` had been acknowledged by `clock` itself; `ENDLESS` for those of other clocks."""
        return np.where(self.clock[rows] == clock, self.acknowledged_ns[rows], ENDLESS)

    def stored_before(self, moment: Moments, rows: Ints) -> Bools:
        """Which of `rows` had been stored for certain before `moment`, a single one."""
        stored: Bools = self.told_by(int(moment.clock[0]), rows) < moment.at_ns
        return stored | (self.stored_by_ns[rows] < moment.earliest_ns)


def _seen_by(account: Account) -> Ints:
    """When the look that first saw each row was over."""
    polls = account.evidence.polls
    over_ns = polls["at_ns"].to_numpy() + (polls["duration_ms"].to_numpy() * 1e6).astype(np.int64)
    number = polls["poll"].to_numpy(np.int64)
    order = np.argsort(number, kind="stable")
    place = positions(number[order], account.rows["first_poll"].to_numpy(np.int64))
    return np.where(place >= 0, np.append(over_ns[order], ENDLESS)[place], ENDLESS)
