"""Who left a chat while the run went on, or was removed from it, and between which two looks of the monitor.

To somebody who has left nothing is owed any more, and what they are refused is refused rightly. Realtime decides who may see a
change some time after its commit: what was stored shortly before they left may rightly not have reached them. Between the
last look that saw them in the chat and the first that did not, nobody knows; nor between the last that did not and the first
that saw them back. To who came back nothing is owed by Realtime after they had first left; what they ask for themselves is
judged again.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import Account, Bools, Ints, pair
from analysis.checks.owed import CERTAIN_AFTER_NS
from analysis.checks.spells import Spells
from analysis.checks.subscriptions import ENDLESS, participation_keys, positions
from analysis.clocks import Clocks
from analysis.record.codes import NOT_IN_CHAT, Outcome


@dataclass(frozen=True, slots=True)
class Departures:
    """For each participation, by the leader's clock; `ENDLESS`: they never left, as far as the looks show.

    Attributes:
        keys: as of `participation_keys`.
        in_until_ns: the last look that saw them in the chat before they first left it was not taken earlier.
        out_since_ns: they had left by then, and no look saw them come back; `ENDLESS` where one did.
        away: when they, or others, may have been away; several times, where they came back.
    """

    keys: Ints
    in_until_ns: Ints
    out_since_ns: Ints
    away: Spells

    @classmethod
    def of(cls, account: Account) -> "Departures":
        """From the looks; a record of an earlier version, which did not look for that, has no departures."""
        keys, away = participation_keys(account), Spells.of(account, there=False)
        in_until, out_since = (np.full(len(keys), ENDLESS, np.int64) for _ in range(2))
        place = positions(keys, away.keys)
        of_run = place >= 0  # others are no users of the run
        np.minimum.at(in_until, place[of_run], away.begin_ns[of_run])
        for_good = of_run & (away.end_ns == ENDLESS)
        out_since[place[for_good]] = away.seen_ns[for_good]
        return cls(keys, in_until, out_since, away)

    def owed_before(self, participation: Ints, stored_by_ns: Ints) -> Bools:
        """Which of these messages, stored by then, these participants had to get before they left."""
        until = self.in_until_ns[participation]
        before: Bools = (until == ENDLESS) | (stored_by_ns <= until - CERTAIN_AFTER_NS)
        return before

    def perhaps_left(self, requests: pd.DataFrame, clocks: Clocks) -> Bools:
        """Which of these requests, with person and chat, may have been answered while their person was not in the chat."""
        key = pair(requests["chat_id"].to_numpy(), requests["user_id"].to_numpy())
        left, answered = (
            clocks.moments(requests[column], requests["clock"]) for column in ("left_ns", "answered_ns")
        )
        return self.away.touched(key, left.earliest_ns, answered.latest_ns)

    def rightly_refused(self, table: pd.DataFrame, clocks: Clocks) -> Bools:
        """Which requests were refused, as they should be, to people who may have left by then."""
        refused: Bools = table["outcome"].to_numpy() == Outcome.FAIL
        refused &= table["status_code"].isin(NOT_IN_CHAT).to_numpy()
        return refused & self.perhaps_left(table, clocks)
