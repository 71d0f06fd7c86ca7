"""Times that people may have spent in a chat, or away from it, by the looks of the monitor: between two of them nobody knows."""

from dataclasses import dataclass

import numpy as np

from analysis.checks.account import Account, Bools, Ints, pair
from analysis.checks.subscriptions import ENDLESS
from analysis.clocks import LOOK_LAG_NS, asked_ns
from analysis.record.codes import PollKind


@dataclass(frozen=True, slots=True)
class Spells:
    """By person and time, on the leader's clock. Those of one person in one chat do not overlap.

    Attributes:
        keys: chat and person of each, ascending; several have the same.
        begin_ns: the last look that did not see it yet was asked for then, and not taken earlier.
        seen_ns: the first look that saw it had been taken by then.
        end_ns: the first look that saw it no more had been taken by then; `ENDLESS` where none did.
    """

    keys: Ints
    begin_ns: Ints
    seen_ns: Ints
    end_ns: Ints

    @classmethod
    def of(cls, account: Account, *, there: bool) -> "Spells":
        """Of everybody: in the chat where they are `there`, otherwise away from one that they had been in.

        A record of an earlier version, which did not look for that, has none.
        """
        seen = account.evidence.memberships.sort_values("at_ns", kind="stable")
        polls = account.evidence.polls
        answered = polls[polls["kind"] != PollKind.FAILED]
        taken = seen["at_ns"].to_numpy(np.int64)
        # A look that failed in the end, and the baseline, left no row that tells when they were asked for.
        untold = taken[~np.isin(taken, answered["at_ns"].to_numpy(np.int64))]
        looks = np.append(answered["at_ns"].to_numpy(np.int64), untold)
        asked = np.append(asked_ns(answered), untold - LOOK_LAG_NS)
        order = np.argsort(looks, kind="stable")
        looks, asked = looks[order], asked[order]
        keys = pair(seen["chat_id"].to_numpy(), seen["user_id"].to_numpy())
        spells: list[list[int]] = []
        current: dict[int, list[int]] = {}
        for key, at_ns, is_there in zip(
            keys.tolist(), seen["at_ns"].tolist(), seen["there"].tolist(), strict=True
        ):
            if is_there != there:
                if (over := current.pop(key, None)) is not None:
                    over[3] = at_ns
            elif key not in current:
                before = int(np.searchsorted(looks, at_ns)) - 1
                begin = int(asked[before]) if before >= 0 else 0
                current[key] = [key, begin, at_ns, ENDLESS]
                spells.append(current[key])
        table = np.array(spells, np.int64).reshape(-1, 4)
        return cls(*table[np.argsort(table[:, 0], kind="stable")].T)

    def touched(self, key: Ints, from_ns: Ints, to_ns: Ints) -> Bools:
        """Which of these people may have been so at some moment between these two."""
        place, end = (np.searchsorted(self.keys, key, side=side) for side in ("left", "right"))
        touched = np.zeros(len(key), np.bool_)
        more = np.flatnonzero(place < end)
        while len(more):  # one step for each further spell of the same person
            here = place[more]
            touched[more] |= (to_ns[more] > self.begin_ns[here]) & (from_ns[more] < self.end_ns[here])
            place[more] += 1
            more = more[place[more] < end[more]]
        return touched
