"""`status.stuck`: what a recipient said of a message shows in the database soon: that it had arrived, that it was read."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks import witnesses
from analysis.checks.account import NEVER, NULL, Account, Bools, Ints
from analysis.checks.departures import Departures
from analysis.checks.findings import NO_LAST_LOOK, Namer, counted, seconds
from analysis.checks.last_looks import last_looks_below
from analysis.clocks import ENDLESS_NS, LOOK_LAG_NS, Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.identifiers import NONE
from analysis.record.codes import EventType, MarkKind, ObservedChange, Outcome, Status

# Who read a message has it: their word for that asks for `delivered`, too.
SAYS: dict[Status, tuple[MarkKind, ...]] = {
    Status.DELIVERED: (MarkKind.DELIVERED, MarkKind.READ),
    Status.READ: (MarkKind.READ,),
}


def stuck(account: Account, delivered_within_s: float) -> Criterion:
    """`status.stuck`: still `sent` after a recipient's receipt was acknowledged and the target time had passed; or not
    `read` yet, so long after one of them was acknowledged to have read it.

    A fault needs a look at or after the deadline that still saw it so. Where no look came that late, the
    message is counted as open. A message that is stuck at `sent` is told as that, whatever was said of reading it. Times of
    other machines count for what is certain of them (`analysis.clocks`); of those whose clocks were not measured, nothing is.
    """
    clocks = Clocks.of(account.evidence)
    stored = _Stored(account, clocks)
    shown = _first_shown_ns(account, clocks)
    delivered, read = (
        _Followed.up(
            account,
            wanted,
            _first_receipts(account, clocks, stored, kinds),
            shown[wanted],
            delivered_within_s,
        )
        for wanted, kinds in SAYS.items()
    )
    unread = read.late & ~np.isin(read.row, delivered.row[delivered.late])
    row = np.concatenate([delivered.row[delivered.late], read.row[unread]])
    in_order = np.argsort(row, kind="stable")
    row = row[in_order]
    user, answered_ns, seen_ns = (
        np.concatenate([one[delivered.late], other[unread]])[in_order]
        for one, other in zip(delivered.facts, read.facts, strict=True)
    )
    is_unread = np.isin(row, read.row[unread])
    waits = np.union1d(delivered.row[delivered.open], read.row[read.open])
    still_open = len(np.setdiff1d(waits, row))
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        who = int(user[place])
        waited = seconds(int(seen_ns[place]) - int(answered_ns[place]))
        why = f"It was still `sent` {waited} after {namer.person(who)} had acknowledged its delivery."
        if is_unread[place]:
            why = f"It was still not marked as read {waited} after {namer.person(who)} had acknowledged to have read it."
        yield namer.row(
            int(row[place]), why, recipient_id=account.evidence.people.text(who), at_ns=int(seen_ns[place])
        )

    reason = NO_LAST_LOOK if account.last_look_ns is None else None
    if not reason and still_open:
        reason = f"Nothing is known of {counted(still_open, 'message')} acknowledged too shortly before the last look."
    marks = account.evidence.marks
    if not reason and len(marks) and not clocks.known(marks["clock"]).any():
        reason = "All receipts are from machines whose clocks could not be held against the monitor's."
    return from_faults(
        "status.stuck",
        f"A message is delivered, and read, within {delivered_within_s:g} s of its receipts",
        "messages",
        len(delivered.row),
        namer.of_rows(row, tell, is_unread.astype(np.int64), at_ns=seen_ns),
        inconclusive=reason,
        facts={"open": still_open},
    )


@dataclass(frozen=True, slots=True)
class _Followed:
    """What became of the messages of which somebody said that they have a status: an entry for each.

    Attributes:
        user, answered_ns: whose word was acknowledged first, and by when.
        seen_ns: when the last look was asked for that surely saw the message without the status; -1: none did.
        late: a look after the deadline saw it so.
        open: it never had the status, and no look came late enough.
    """

    row: Ints
    user: Ints
    answered_ns: Ints
    seen_ns: Ints
    late: Bools
    open: Bools

    @classmethod
    def up(
        cls, account: Account, wanted: Status, receipts: pd.DataFrame, shown_ns: Ints, within_s: float
    ) -> "_Followed":
        """Follow the receipts up to their deadline."""
        row, user, answered_ns = (
            receipts[column].to_numpy(np.int64) for column in ("row", "user_id", "answered_ns")
        )
        deadline = answered_ns + round(within_s * 1e9)
        last_look, never = last_looks_below(account, row, wanted)
        shown_in_time = shown_ns[row] <= deadline + LOOK_LAG_NS  # it was read so much later, maybe
        late = account.looks_whole & (last_look >= deadline) & ~shown_in_time
        return cls(row, user, answered_ns, last_look, late, never & ~late & ~shown_in_time)

    @property
    def facts(self) -> tuple[Ints, Ints, Ints]:
        """What a finding tells."""
        return self.user, self.answered_ns, self.seen_ns


def _first_shown_ns(account: Account, clocks: Clocks) -> dict[Status, Ints]:
    """For each row the earliest moment on the monitor's clock at which an event may have shown it delivered (or more), and read.

    `ENDLESS_NS` if none did. A status that goes there and back between two looks was not stuck: `status.regressed` has it.
    """
    shown = {wanted: np.full(len(account.rows), ENDLESS_NS, np.int64) for wanted in SAYS}
    received, clock = (account.evidence.events[column].to_numpy() for column in ("received_ns", "clock"))
    for entries in witnesses.events(account).entries():
        for wanted, first_ns in shown.items():
            told = (entries.status >= wanted) & (entries.status <= Status.READ)
            telling = entries.only(told & clocks.known(clock[entries.position]))
            came = clocks.moments(received[telling.position], clock[telling.position])
            np.minimum.at(first_ns, telling.row, came.earliest_ns)
    return shown


def _first_receipts(
    account: Account, clocks: Clocks, stored: "_Stored", kinds: tuple[MarkKind, ...]
) -> pd.DataFrame:
    """For each message of the run the first acknowledged receipt of a recipient who had it: ``row``, ``user_id``, ``answered_ns``.

    A receipt covers a message when its user knew a seq at least as high, as this or an earlier receipt of theirs of any
    kind tells, and the message was certainly stored when the receipt left: an ok answer or somebody's INSERT event says so. What somebody acknowledged who may have left
    the chat by the answer covers nothing. ``answered_ns`` is the latest moment at
    which it may have been answered, on the monitor's clock.
    """
    marks, rows = account.evidence.marks, account.rows
    good = (marks["outcome"] == Outcome.OK) & (marks["up_to_seq"] != NULL) & clocks.known(marks["clock"])
    # Who is not in the chat marks nothing, whatever the answer is.
    good &= ~Departures.of(account).perhaps_left(marks, clocks)
    of_one = ["chat_id", "user_id", "clock"]
    columns = [*of_one, "kind", "left_ns", "answered_ns", "up_to_seq"]
    marks = marks.loc[good, columns].sort_values("left_ns", kind="stable")
    known_seq = marks.groupby(of_one)["up_to_seq"].cummax()
    marks = marks.assign(known_seq=known_seq)[marks["kind"].isin(kinds)]
    mine = np.flatnonzero(account.stored & (rows["seq"].to_numpy() != NULL) & _stayed(account))
    by_chat = pd.Series(mine).groupby(rows["chat_id"].to_numpy()[mine])
    rows_of_chat: dict[Any, Ints] = {chat: numbers.to_numpy() for chat, numbers in by_chat}
    answered_ns = np.full(len(rows), ENDLESS_NS, np.int64)
    by_whom = np.full(len(rows), NULL, np.int64)
    for _, receipts in marks.groupby(of_one, sort=True):
        chat, user, clock = (int(receipts[column].iloc[0]) for column in of_one)
        of_chat = rows_of_chat.get(chat, np.empty(0, np.int64))
        received = of_chat[rows["sender_id"].to_numpy()[of_chat] != user]
        known = receipts["known_seq"].to_numpy(np.int64)
        # The soonest answer to this receipt or a later one: they may overtake one another.
        answered = clocks.moments(receipts["answered_ns"], receipts["clock"]).latest_ns
        soonest = np.minimum.accumulate(answered[::-1])[::-1]
        left = clocks.moments(receipts["left_ns"], receipts["clock"])
        after = np.minimum(
            np.searchsorted(left.at_ns, stored.noted[clock][received], side="left"),
            np.searchsorted(left.earliest_ns, stored.by_ns[received], side="left"),
        )
        first = np.maximum(np.searchsorted(known, rows["seq"].to_numpy()[received], side="left"), after)
        covered = first < len(receipts)
        received, first = received[covered], first[covered]
        when = soonest[first]
        sooner = when < answered_ns[received]
        answered_ns[received[sooner]] = when[sooner]
        by_whom[received[sooner]] = user
    receipted = np.flatnonzero(by_whom != NULL)
    return pd.DataFrame(
        {"row": receipted, "user_id": by_whom[receipted], "answered_ns": answered_ns[receipted]}
    )


class _Stored:
    """By when each row was certainly stored.

    Attributes:
        by_ns: on the monitor's clock.
        noted: on each clock that can be compared with it, as far as it was noted by that clock itself.
    """

    def __init__(self, account: Account, clocks: Clocks) -> None:
        size = len(account.rows)
        self._clocks = clocks
        self.by_ns = np.full(size, ENDLESS_NS, np.int64)
        self.noted = {
            clock: np.full(size, ENDLESS_NS, np.int64) for clock in (clocks.leader, *clocks.offsets)
        }
        answered = account.rows["acknowledged_ns"].to_numpy()
        told = np.flatnonzero(answered != NEVER)
        operation = account.rows["operation"].to_numpy()[told]
        self._note(told, answered[told], account.operations["clock"].to_numpy()[operation])
        events = account.evidence.events
        kind, received, clock = (events[column].to_numpy() for column in ("type", "received_ns", "clock"))
        for entries in witnesses.events(account).entries():
            shown = entries.only(kind[entries.position] == EventType.INSERT)
            self._note(shown.row, received[shown.position], clock[shown.position])

    def _note(self, row: Ints, at_ns: Ints, clock: Ints) -> None:
        np.minimum.at(self.by_ns, row, self._clocks.moments(at_ns, clock).latest_ns)
        for number, noted in self.noted.items():
            its = clock == number
            np.minimum.at(noted, row[its], at_ns[its])


def _stayed(account: Account) -> Bools:
    """Rows that were in the chat and of the sender that they were sent in and by, whenever a look saw them.

    A receipt is for all of a chat but one's own messages: which of the others' it covered nobody can tell when they changed.
    """
    there = account.evidence.observations["change"].to_numpy() != ObservedChange.GONE
    seen = account.evidence.observations[there]
    row = account.row_of_message[seen["message_id"].to_numpy()]
    stayed = np.ones(len(account.rows), np.bool_)
    for column, of_operation in (("chat_id", "chat_id"), ("sender_id", "user_id")):
        sent = np.append(account.operations[of_operation].to_numpy(np.int64), NONE)
        meant = sent[account.rows["operation"].to_numpy()]
        stayed[row[seen[column].to_numpy() != meant[row]]] = False
    return stayed
