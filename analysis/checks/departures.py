"""Who left a chat while the run went on, or was removed from it, and between which two looks of the monitor.

To somebody who has left nothing is owed any more, and what they are refused is refused rightly. Realtime decides who may see a
change some time after its commit: what was stored shortly before they left may rightly not have reached them. Between the
last look that saw them in the chat and the first that did not, nobody knows. Who came back is not judged after they had left.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import Account, Bools, Ints, pair
from analysis.checks.last_looks import LOOK_LAG_NS
from analysis.checks.owed import CERTAIN_AFTER_NS
from analysis.checks.subscriptions import ENDLESS, participation_keys, positions
from analysis.clocks import Clocks
from analysis.identifiers import NONE
from analysis.record.codes import NOT_IN_CHAT, Outcome, PollKind


@dataclass(frozen=True, slots=True)
class Departures:
    """For each participation, by the leader's clock; `ENDLESS`: they never left, as far as the looks show.

    Attributes:
        keys: as of `participation_keys`.
        in_until_ns: the last look that saw them in the chat was not taken earlier.
        out_since_ns: they had left by then; `ENDLESS` as well where they came back.
    """

    keys: Ints
    in_until_ns: Ints
    out_since_ns: Ints

    @classmethod
    def of(cls, account: Account) -> "Departures":
        """From the looks; a record of an earlier version, which did not look for that, has no departures."""
        keys = participation_keys(account)
        in_until, out_since = (np.full(len(keys), ENDLESS, np.int64) for _ in range(2))
        seen = account.evidence.memberships.sort_values("at_ns", kind="stable")
        polls = account.evidence.polls
        answered = polls.loc[polls["kind"] != PollKind.FAILED, "at_ns"].to_numpy(np.int64)
        looks = np.sort(np.append(answered, seen["at_ns"].to_numpy(np.int64)))
        place = positions(keys, pair(seen["chat_id"].to_numpy(), seen["user_id"].to_numpy()))
        for number, at_ns, there in zip(
            place.tolist(), seen["at_ns"].tolist(), seen["there"].tolist(), strict=True
        ):
            if number == NONE:
                continue  # somebody who is no user of the run
            if there:
                out_since[number] = ENDLESS
            elif in_until[number] == ENDLESS:
                before = int(np.searchsorted(looks, at_ns)) - 1
                in_until[number] = int(looks[before]) - LOOK_LAG_NS if before >= 0 else 0
                out_since[number] = at_ns
        return cls(keys, in_until, out_since)

    def owed_before(self, participation: Ints, stored_by_ns: Ints) -> Bools:
        """Which of these messages, stored by then, these participants had to get before they left."""
        until = self.in_until_ns[participation]
        before: Bools = (until == ENDLESS) | (stored_by_ns <= until - CERTAIN_AFTER_NS)
        return before

    def perhaps_left(self, table: pd.DataFrame, clocks: Clocks, column: str) -> Bools:
        """Which rows of this table, with person and chat, are of somebody who may have left by the time in `column`."""
        place = positions(self.keys, pair(table["chat_id"].to_numpy(), table["user_id"].to_numpy()))
        until = np.append(self.in_until_ns, ENDLESS)[place]
        left: Bools = clocks.moments(table[column], table["clock"]).latest_ns > until
        left &= until != ENDLESS
        return left

    def rightly_refused(self, table: pd.DataFrame, clocks: Clocks) -> Bools:
        """Which requests were refused, as they should be, to people who may have left by then."""
        refused: Bools = table["outcome"].to_numpy() == Outcome.FAIL
        refused &= table["status_code"].isin(NOT_IN_CHAT).to_numpy()
        return refused & self.perhaps_left(table, clocks, "answered_ns")
