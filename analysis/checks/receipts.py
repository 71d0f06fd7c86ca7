"""`status.stuck`: a message is delivered in the database soon after a recipient said that it had arrived."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks import witnesses
from analysis.checks.account import NEVER, NULL, Account, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, seconds
from analysis.checks.last_looks import LOOK_LAG_NS, last_looks_below
from analysis.clocks import ENDLESS_NS, Clocks
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults
from analysis.record.codes import EventType, Outcome, Status


def stuck(account: Account, delivered_within_s: float) -> Criterion:
    """`status.stuck`: still `sent` after a recipient's receipt was acknowledged and the target time had passed.

    A fault needs a look at or after the deadline that still saw `sent`. Where no look came that late, the
    message is counted as open. Times of other machines count for what is certain of them (`analysis.clocks`); of those
    whose clocks were not measured, nothing is.
    """
    clocks = Clocks.of(account.evidence)
    receipts = _first_receipts(account, clocks)
    row = receipts["row"].to_numpy(np.int64)
    deadline = receipts["answered_ns"].to_numpy(np.int64) + round(delivered_within_s * 1e9) + LOOK_LAG_NS
    last_sent_look, never = last_looks_below(account, row, Status.DELIVERED)
    shown_in_time = _shown_delivered_ns(account, clocks)[row] <= deadline
    late = account.looks_whole & (last_sent_look >= deadline) & ~shown_in_time
    still_open = int((never & ~late & ~shown_in_time).sum())
    faults = np.flatnonzero(late)
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        number = faults[place]
        receipt = receipts.iloc[number]
        who = int(receipt["user_id"])
        waited = seconds(int(last_sent_look[number]) - int(receipt["answered_ns"]))
        yield namer.row(
            int(row[number]),
            f"It was still `sent` {waited} after {namer.person(who)} had acknowledged its delivery.",
            recipient_id=account.evidence.people.text(who),
            at_ns=int(last_sent_look[number]),
        )

    reason = NO_LAST_LOOK if account.last_look_ns is None else None
    if not reason and still_open:
        reason = f"{still_open:,} messages were acknowledged too shortly before the last look to tell."
    marks = account.evidence.marks
    if not reason and len(marks) and not clocks.known(marks["clock"]).any():
        reason = "All receipts are from machines whose clocks could not be held against the monitor's."
    return from_faults(
        "status.stuck",
        f"A message is delivered within {delivered_within_s:g} s of its receipt",
        "messages",
        len(receipts),
        namer.of_rows(row[faults], tell, at_ns=last_sent_look[faults]),
        inconclusive=reason,
        facts={"open": still_open},
    )


def _shown_delivered_ns(account: Account, clocks: Clocks) -> Ints:
    """For each row the earliest moment on the monitor's clock at which an event may have shown it delivered or read.

    `ENDLESS_NS` if none did. A status that goes there and back between two looks was not stuck: `status.regressed` has it.
    """
    shown = np.full(len(account.rows), ENDLESS_NS, np.int64)
    received, clock = (account.evidence.events[column].to_numpy() for column in ("received_ns", "clock"))
    for entries in witnesses.events(account).entries():
        told = (entries.status == Status.DELIVERED) | (entries.status == Status.READ)
        telling = entries.only(told & clocks.known(clock[entries.position]))
        came = clocks.moments(received[telling.position], clock[telling.position])
        np.minimum.at(shown, telling.row, came.earliest_ns)
    return shown


def _first_receipts(account: Account, clocks: Clocks) -> pd.DataFrame:
    """For each message of the run the first acknowledged receipt of a recipient who had it: ``row``, ``user_id``, ``answered_ns``.

    A receipt covers a message when its user knew a seq at least as high, and the message was certainly stored
    when the receipt left: an ok answer or somebody's INSERT event says so. ``answered_ns`` is the latest moment at
    which it may have been answered, on the monitor's clock.
    """
    marks, rows = account.evidence.marks, account.rows
    good = (marks["outcome"] == Outcome.OK) & (marks["up_to_seq"] != NULL) & clocks.known(marks["clock"])
    columns = ["chat_id", "user_id", "clock", "left_ns", "answered_ns", "up_to_seq"]
    marks = marks.loc[good, columns].sort_values("left_ns", kind="stable")
    stored = _Stored(account, clocks)
    mine = np.flatnonzero(account.stored & (rows["seq"].to_numpy() != NULL))
    by_chat = pd.Series(mine).groupby(rows["chat_id"].to_numpy()[mine])
    rows_of_chat: dict[Any, Ints] = {chat: numbers.to_numpy() for chat, numbers in by_chat}
    answered_ns = np.full(len(rows), ENDLESS_NS, np.int64)
    by_whom = np.full(len(rows), NULL, np.int64)
    for _, receipts in marks.groupby(["chat_id", "user_id", "clock"], sort=True):
        chat, user, clock = (int(receipts[column].iloc[0]) for column in columns[:3])
        of_chat = rows_of_chat.get(chat, np.empty(0, np.int64))
        received = of_chat[rows["sender_id"].to_numpy()[of_chat] != user]
        known = np.maximum.accumulate(receipts["up_to_seq"].to_numpy())
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
