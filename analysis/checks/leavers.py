"""What people could still do in a chat that they had left for good: write into it, and mark its messages."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import Account, Bools, Ints, pair
from analysis.checks.departures import Departures
from analysis.checks.findings import Namer, both, known_time
from analysis.checks.subscriptions import ENDLESS, positions
from analysis.clocks import NEVER_NS, Clocks, asked_ns
from analysis.criteria import Finding
from analysis.faults import Faults
from analysis.identifiers import NONE
from analysis.record.codes import MarkKind, Outcome, PollKind


@dataclass(frozen=True, slots=True)
class Leavers:
    """What they were let do though a look had found them gone, and no look saw them come back.

    Attributes:
        operations: messages that had not left their sender before, were acknowledged, and are or were stored.
        marks: positions in `Evidence.marks` of receipts that marked something.
    """

    operations: Ints
    marks: Ints

    @classmethod
    def of(cls, account: Account, clocks: Clocks) -> "Leavers":
        """Of several machines' clocks what is certain counts."""
        if not account.looks_whole:  # nobody knows who came back
            return cls(np.empty(0, np.int64), np.empty(0, np.int64))
        departures, operations, marks = Departures.of(account), account.operations, account.evidence.marks
        acknowledged = (operations["outcome"] == Outcome.OK).to_numpy() & (account.row_of_operation() != NONE)
        marked = ((marks["outcome"] == Outcome.OK) & (marks["updated_count"] > 0)).to_numpy()
        polls = account.evidence.polls
        whole = polls[polls["kind"] != PollKind.FAILED]
        last_look = asked_ns(whole).max(initial=NEVER_NS)
        answered = clocks.moments(marks["answered_ns"], marks["clock"])
        # Later nobody saw whether they were back.
        marked = marked & (answered.latest_ns <= last_look)
        return cls(
            np.flatnonzero(acknowledged & _gone(departures, operations, clocks)),
            np.flatnonzero(marked & _gone(departures, marks, clocks)),
        )

    def faults(self, account: Account, clocks: Clocks) -> Faults:
        """A finding for each."""
        namer, evidence = Namer(account), account.evidence
        marks = evidence.marks.iloc[self.marks]
        at_ns = clocks.dated(marks["left_ns"], marks["clock"])
        kind = 2 * marks["kind"].to_numpy(np.int64) + (marks["updated_count"].to_numpy() == 1)

        def sent(place: int) -> Iterator[Finding]:
            number = int(self.operations[place])
            who = namer.person(int(account.operations["user_id"].iloc[number]))
            yield namer.operation(
                number, f"{who} sent this message after they had left the chat, and it is stored."
            )

        def marked(place: int) -> Iterator[Finding]:
            mark = marks.iloc[place]
            status = "read" if mark["kind"] == MarkKind.READ else "delivered"
            count = int(mark["updated_count"])
            what = "1 message" if count == 1 else f"{count:,} messages"
            yield Finding(
                f"{namer.person(int(mark['user_id']))} marked {what} as {status} after they had left the chat.",
                chat_id=evidence.chats.text(int(mark["chat_id"])),
                sender_id=evidence.people.text(int(mark["user_id"])),
                at_ns=known_time(int(at_ns[place])),
            )

        return both(
            namer.of_operations(self.operations, sent),
            Faults(at_ns, marks["chat_id"].to_numpy(np.int64), kind, marked),
        )


def _gone(departures: Departures, requests: pd.DataFrame, clocks: Clocks) -> Bools:
    """Which of these requests certainly left after their person had left the chat for good."""
    place = positions(departures.keys, pair(requests["chat_id"].to_numpy(), requests["user_id"].to_numpy()))
    left = clocks.moments(requests["left_ns"], requests["clock"])
    gone: Bools = left.earliest_ns > np.append(departures.out_since_ns, ENDLESS)[place]
    return gone
