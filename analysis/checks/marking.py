"""What attempts to mark messages could have changed, and what they did change though their answers do not say so.

A call that marks messages says nothing by its "ok" where no message was left to be marked; and an app whose functions answer
without a count does not say whether any was. There the statuses themselves are asked: one that moved while such a call
was under way, and that no receipt of a participant can have moved, was moved by that call.
"""

import numpy as np
import pandas as pd

from analysis.checks import witnesses
from analysis.checks.account import NEVER, NULL, Account, Bools, Ints, pair
from analysis.checks.last_looks import last_looks_below
from analysis.clocks import ENDLESS_NS, Clocks, Moments
from analysis.identifiers import NONE
from analysis.record.codes import AttemptKind, Guise, MarkKind, ObservedChange, Outcome, Status

# A receipt may take effect after its answer; so long it is taken for the cause.
TAKES_EFFECT_NS = 5_000_000_000

MARKS = (AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ)
WANTED = {
    AttemptKind.MARK_DELIVERED: Status.DELIVERED,
    AttemptKind.MARK_READ: Status.READ,
    AttemptKind.UNREAD: Status.READ,
}
_AS_A_VICTIM = (Guise.ALTERED_TOKEN, Guise.ANOTHER_PERSON)


class Marking:
    """Attempts held against the statuses of the messages in their chats."""

    def __init__(self, account: Account, clocks: Clocks) -> None:
        self._account, self._clocks = account, clocks
        attempts, rows = account.evidence.attempts, account.rows
        self._began = clocks.moments(attempts["left_ns"], attempts["clock"])
        self._ended = clocks.moments(attempts["answered_ns"], attempts["clock"])
        self._chat, self._sender = (rows[column].to_numpy(np.int64) for column in ("chat_id", "sender_id"))
        there = np.flatnonzero(~rows["gone"].to_numpy())
        self._there = there
        every = np.arange(len(rows))
        self._below = {
            wanted: last_looks_below(account, every, wanted)[0] for wanted in (Status.DELIVERED, Status.READ)
        }
        operation = rows["operation"].to_numpy()
        told = rows["acknowledged_ns"].to_numpy(np.int64)
        self._told = clocks.moments(told, np.append(account.operations["clock"].to_numpy(), NONE)[operation])
        self._was_told = told != NEVER
        self._seen = clocks.moments(rows["first_at_ns"], np.full(len(rows), clocks.leader))

    def had_something(self, asked: Ints) -> Bools:
        """Whether these attempts would have marked a message, had they been let: one that was there before they began, and that
        a look after their end still saw unmarked. Nobody marks their own."""
        attempts = self._account.evidence.attempts.iloc[asked]
        chat, user = (attempts[column].to_numpy(np.int64) for column in ("chat_id", "user_id"))
        began, ended = self._began[asked], self._ended[asked].latest_ns
        senders, own = np.zeros(len(asked), np.int64), np.zeros(len(asked), np.bool_)
        here = self._there[np.isin(self._chat[self._there], chat)]
        by_sender = pd.Series(here).groupby(pair(self._chat[here], self._sender[here])).indices
        in_chat = pd.Series(chat).groupby(chat).indices
        for wanted in set(WANTED.values()):
            wants = np.isin(attempts["kind"].to_numpy(), [kind for kind in WANTED if WANTED[kind] is wanted])
            for places in by_sender.values():
                rows = here[places]
                who = np.asarray(in_chat[self._chat[rows[0]]], np.int64)
                who = who[wants[who]]
                some = self._unmarked(rows, wanted, began[who], ended[who])
                senders[who] += some
                own[who] |= some & (user[who] == self._sender[rows[0]])
        # Whose name a victim's is, is not written down; it is not the user's own.
        as_a_victim = np.isin(attempts["guise"].to_numpy(), _AS_A_VICTIM)
        something: Bools = np.where(as_a_victim, own | (senders > 1), senders > own)
        return something

    def _unmarked(self, rows: Ints, wanted: Status, began: Moments, ended_ns: Ints) -> Bools:
        """For each moment whether one of `rows` was there before it, and still unmarked at a look after the end."""
        told, below = self._told[rows], self._below[wanted][rows]
        by_answer = np.where(self._was_told[rows], told.latest_ns, ENDLESS_NS)
        there_ns = np.minimum(by_answer, self._seen.at_ns[rows])
        some = _last_before(there_ns, below, began.earliest_ns) >= ended_ns
        for clock in np.unique(told.clock).tolist():
            its = self._was_told[rows] & (told.clock == clock)
            last = _last_before(told.at_ns[its], below[its], began.at_ns)
            some |= (began.clock == clock) & (last >= ended_ns)
        return some

    def moved(self) -> Ints:
        """For each attempt the first row of `Account.rows` that it certainly marked by the word of its status alone; `NONE`."""
        account = self._account
        attempts = account.evidence.attempts
        kind, got = attempts["kind"].to_numpy(), attempts["got"].to_numpy()
        silent = (attempts["outcome"].to_numpy() == Outcome.OK) & (got == NULL)
        known = self._clocks.known(attempts["clock"])
        moved = np.full(len(attempts), NONE, np.int64)
        for marks in MARKS:
            asked = silent & (kind == marks)
            if not asked.any() or not _all_is_known(account):
                continue
            low, high = self._move(WANTED[marks])
            may_move = np.isin(kind, [marks, AttemptKind.MARK_READ])
            found = np.full(len(attempts), NONE, np.int64)
            for row in self._unexplained(WANTED[marks], low, high)[::-1].tolist():
                near = may_move & self._during(row, int(low[row]), int(high[row]))
                if not near.any():
                    break  # statuses move by themselves here, and nobody's attempt is needed for it
                if not (near & (got > 0)).any():
                    found[near & asked & known] = row
            else:
                moved = np.maximum(moved, found)
        return moved

    def _during(self, row: int, low: int, high: int) -> Bools:
        """Attempts on the row's chat that may have been under way when its status moved."""
        attempts = self._account.evidence.attempts
        meanwhile = (self._began.earliest_ns <= high) & (self._ended.latest_ns >= low)
        during: Bools = meanwhile & (attempts["chat_id"].to_numpy() == self._chat[row])
        return during

    def _move(self, wanted: Status) -> tuple[Ints, Ints]:
        """Between what each row came to have `wanted`, on the leader's clock; `NEVER` and `ENDLESS_NS`: not known, or not at all."""
        account = self._account
        rows, observations, events = account.rows, account.evidence.observations, account.evidence.events
        high = np.full(len(rows), ENDLESS_NS, np.int64)
        status = observations["status"].to_numpy()
        had = (observations["change"].to_numpy() != ObservedChange.GONE) & _has(status, wanted)
        at = account.row_of_message[observations["message_id"].to_numpy()[had]]
        np.minimum.at(high, at, observations["at_ns"].to_numpy()[had])
        received, clock = events["received_ns"].to_numpy(), events["clock"].to_numpy()
        for entries in witnesses.events(account).entries():
            told = entries.only(_has(entries.status, wanted))
            came = self._clocks.moments(received[told.position], clock[told.position])
            np.minimum.at(high, told.row, came.latest_ns)
        operation = rows["operation"].to_numpy()
        left = np.append(account.operations["left_ns"].to_numpy(np.int64), NEVER)[operation]
        left_ns = self._clocks.moments(left, self._told.clock).earliest_ns
        return np.maximum(self._below[wanted], np.where(operation >= 0, left_ns, NEVER)), high

    def _unexplained(self, wanted: Status, low: Ints, high: Ints) -> Ints:
        """Rows whose status moved, it is known when, and by no receipt of a participant."""
        marks = self._account.evidence.marks
        kinds = [MarkKind.READ] if wanted is Status.READ else [MarkKind.DELIVERED, MarkKind.READ]
        marks = marks[marks["kind"].isin(kinds) & (marks["outcome"] != Outcome.FAIL)]
        began = self._clocks.moments(marks["left_ns"], marks["clock"]).earliest_ns
        ended = self._clocks.moments(marks["answered_ns"], marks["clock"]).later(TAKES_EFFECT_NS).latest_ns
        ended = np.where(marks["outcome"] == Outcome.INFO, ENDLESS_NS, ended)
        moved = np.flatnonzero((low > NEVER) & (high != ENDLESS_NS) & (low <= high))
        receipts = np.zeros(
            len(low), np.int64
        )  # that may have moved each row: all of its chat but its sender's
        of_chat = pd.Series(moved).groupby(self._chat[moved])
        of_sender = pd.Series(moved).groupby(pair(self._chat[moved], self._sender[moved]))
        chats = marks["chat_id"].to_numpy(np.int64)
        for sign, rows_of, key in (
            (1, of_chat.indices, chats),
            (-1, of_sender.indices, pair(chats, marks["user_id"].to_numpy())),
        ):
            for one, places in pd.Series(key).groupby(key).indices.items():
                rows = moved[rows_of.get(one, np.empty(0, np.int64))]
                begun = np.searchsorted(np.sort(began[places]), high[rows], side="right")
                over = np.searchsorted(np.sort(ended[places]), low[rows], side="left")
                receipts[rows] += sign * (begun - over)
        return np.asarray(moved[receipts[moved] == 0], np.int64)


def _last_before(at_ns: Ints, until_ns: Ints, moment_ns: Ints) -> Ints:
    """For each moment the largest of `until_ns` of those that lie before it; `NEVER` where none does."""
    order = np.argsort(at_ns, kind="stable")
    last = np.append(NEVER, np.maximum.accumulate(until_ns[order]))
    return np.asarray(last[np.searchsorted(at_ns[order], moment_ns, side="left")], np.int64)


def _has(status: "np.ndarray[tuple[int], np.dtype[np.int8]]", wanted: Status) -> Bools:
    has: Bools = (status >= wanted) & (status <= Status.READ)
    return has


def _all_is_known(account: Account) -> bool:
    """Whether the record has every receipt, and all that looks saw."""
    parts = account.evidence.parts
    known = all(part.process is not None and part.process.closed for part in parts)
    return account.looks_whole and known and not any(part.lost_rows_of("marks") for part in parts)
