"""When PostgreSQL was not there, and which messages its Realtime events may have got lost of by that.

Realtime reads the changes from a temporary replication slot, which ends with the server, whether that was killed, restarted or
failed over, and with it every change that it had not read; it says nothing of that to its subscribers, who stay
subscribed (the protocol promises at most one delivery). What was stored shortly before, or until a new slot was there, is
in the database and in history, and came to nobody: no word of it tells whether the app is at fault. Shortly is `BEHIND_NS`:
Realtime may be behind by more than the time between two looks.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.checks.owed import CERTAIN_AFTER_NS
from analysis.clocks import asked_ns
from analysis.record.codes import PollKind

BEHIND_NS = CERTAIN_AFTER_NS  # what was stored that long before had been delivered, or never was
BACK_WITHIN_NS = 30_000_000_000  # by then Realtime has found the server again, and made another slot


@dataclass(frozen=True, slots=True)
class Restarts:
    """The restarts of PostgreSQL between the first look and the last.

    Attributes:
        before_ns: when the last look at the server as it was was asked for, of each.
        after_ns: the first look at it as it came back, by the monitor's clock; where it did not, the last that failed.
    """

    before_ns: Ints
    after_ns: Ints

    def around(self, account: Account) -> Bools:
        """Which of `Account.rows` were stored so near to one of them that Realtime may have lost their changes."""
        seen_ns = account.rows["first_at_ns"].to_numpy(np.int64)
        near = np.zeros(len(seen_ns), np.bool_)
        for before, after in zip(self.before_ns.tolist(), self.after_ns.tolist(), strict=True):
            near |= (seen_ns >= before - BEHIND_NS) & (seen_ns <= after + BACK_WITHIN_NS)
        return near


def restarts(polls: pd.DataFrame) -> Restarts:
    """The restarts as the monitor's looks saw them: another start of the server, or of its counters after a crash; and its
    end, where the last look could not reach it any more.

    A record of an earlier version, which did not look for that, has none.

    Args:
        polls: ``Evidence.polls``, of one clock.
    """
    polls = polls.sort_values("at_ns", kind="stable")
    seen = polls[polls["server_us"].to_numpy(np.int64) != NULL]
    since, at_ns = seen["server_us"].to_numpy(np.int64), seen["at_ns"].to_numpy(np.int64)
    asked = asked_ns(seen, 0)
    later = np.flatnonzero(np.diff(since) != 0) + 1
    before, after = asked[later - 1], at_ns[later]
    if len(seen) and polls["kind"].iloc[-1] == PollKind.FAILED:
        before, after = np.append(before, asked[-1]), np.append(after, int(polls["at_ns"].iloc[-1]))
    return Restarts(before, after)
