"""`status.*`: a message's status goes sent → delivered → read, in time, and never back.

Two witnesses: the monitor's looks at the rows, and Realtime's UPDATE events, which also show what happened
between two looks. Each is judged by its own order; the two are compared only at the very end, since a look
and an event of the same moment may come in either order. Only messages of the run are judged.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples, seconds, status_word
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.tables import UNSETTLED_A_POLL, EventType, ObservedChange, Outcome, PollKind, Status

LOOK_LAG_NS = (
    100_000_000  # a look's time is noted when its snapshot is there, a round trip after it was taken
)
SETTLED_US = (
    1_000_000  # an event this much older than the last look must show in it: far above any commit lag
)


def invalid(account: Account) -> Criterion:
    """`status.invalid`: NULL or an unknown text, at any time; or a new message that is not `sent`."""
    observed, told = _observed(account), _told(account)
    strange = [Status.NULL, Status.OTHER]
    bad_rows = observed[observed["status"].isin(strange)].drop_duplicates("row")
    events = told[told["status"].isin(strange) | (told["insert"] & (told["status"] != Status.SENT))]
    bad_events = events[~events["row"].isin(bad_rows["row"])].drop_duplicates("row")
    texts = account.evidence.observations["status_text"]
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for row, status, observation, at_ns in _tuples(bad_rows, "row", "status", "observation", "at_ns"):
            text = texts.iloc[observation]
            shown = f"`{text}`" if isinstance(text, str) else status_word(status)
            yield namer.row(
                row, f"Its status is {shown}, which is none of sent, delivered and read.", at_ns=at_ns
            )
        for row, status, insert in _tuples(bad_events, "row", "status", "insert"):
            what = "was inserted with" if insert else "was shown by an event with"
            yield namer.row(row, f"It {what} the status {status_word(status)}.")

    return from_findings(
        "status.invalid",
        "Every status is one of sent, delivered and read",
        "messages",
        _checked(account),
        first_examples(findings()),
        count=len(bad_rows) + len(bad_events),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
        facts={"looks": len(observed), "events": len(told)},
    )


def regressed(account: Account) -> Criterion:
    """`status.regressed`: a status that went back, as the looks, the UPDATE events or the end of the run show."""
    observed, told = _observed(account), _told(account)
    steps = [
        _steps_back(observed.sort_values(["row", "observation"], kind="stable"), "was seen to go back"),
        # Events of one message in one millisecond get the benefit of the doubt: the lower status first.
        _steps_back(told.sort_values(["row", "committed_us", "status"], kind="stable"), "was set back"),
        _back_at_the_end(account, observed, told),
    ]
    faults = pd.concat(steps, ignore_index=True).drop_duplicates("row")
    namer = Namer(account)
    return from_findings(
        "status.regressed",
        "No status goes back",
        "messages",
        _checked(account),
        first_examples(
            namer.row(
                row,
                f"Its status {how}, from {status_word(before)} to {status_word(after)}.",
                at_ns=at_ns,
            )
            for row, how, before, after, at_ns in _tuples(faults, "row", "how", "before", "after", "at_ns")
        ),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def stuck(account: Account, delivered_within_s: float) -> Criterion:
    """`status.stuck`: still `sent` after a recipient's receipt was acknowledged and the target time had passed.

    A fault needs a look at or after the deadline that still saw `sent`. Where no look came that late, the
    message is counted as open. Receipts and looks are compared only on one clock.
    """
    receipts = _first_receipts(account)
    row = receipts["row"].to_numpy(np.int64)
    deadline = receipts["answered_ns"].to_numpy(np.int64) + round(delivered_within_s * 1e9) + LOOK_LAG_NS
    last_sent_look, never = _last_looks_at_sent(account, row)
    late = last_sent_look >= deadline
    still_open = int((never & ~late).sum())
    faults = np.flatnonzero(late)
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for number in faults.tolist():
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
    return from_findings(
        "status.stuck",
        f"A message is delivered within {delivered_within_s:g} s of its receipt",
        "messages",
        len(receipts),
        first_examples(findings()),
        count=len(faults),
        inconclusive=reason,
        facts={"open": still_open},
    )


def _checked(account: Account) -> int:
    return int((account.rows["operation"].to_numpy() >= 0).sum())


def _observed(account: Account) -> pd.DataFrame:
    """Looks at messages of the run: ``row``, ``status``, ``at_ns``, ``observation``; in the order of the looks."""
    observations = account.evidence.observations
    row = account.row_of_message[observations["message_id"].to_numpy()]
    wanted = _of_run(account, row) & (observations["change"].to_numpy() != ObservedChange.GONE)
    return pd.DataFrame(
        {
            "row": row[wanted],
            "status": observations["status"].to_numpy()[wanted],
            "at_ns": observations["at_ns"].to_numpy()[wanted],
            "observation": np.flatnonzero(wanted),
        }
    )


def _told(account: Account) -> pd.DataFrame:
    """What INSERT and UPDATE events told of messages of the run, each change once, whoever received it."""
    events = account.evidence.events
    row = account.row_of_message[events["message_id"].to_numpy()]
    wanted = _of_run(account, row) & (events["type"].to_numpy() != EventType.DELETE)
    told = pd.DataFrame(
        {
            "row": row[wanted],
            "status": events["status"].to_numpy()[wanted],
            "insert": events["type"].to_numpy()[wanted] == EventType.INSERT,
            "committed_us": events["committed_us"].to_numpy()[wanted],
            "at_ns": events["received_ns"].to_numpy()[wanted],
        }
    )
    return told.drop_duplicates(["row", "status", "insert", "committed_us"], ignore_index=True)


def _of_run(account: Account, row: Ints) -> Bools:
    mine: Bools = np.append(account.rows["operation"].to_numpy(), NULL)[row] >= 0
    return mine


def _steps_back(changes: pd.DataFrame, how: str) -> pd.DataFrame:
    """Where a row's status is lower than the highest before it; `changes` are sorted by row and time."""
    valid = changes[changes["status"].isin([Status.SENT, Status.DELIVERED, Status.READ])]
    highest = valid.groupby("row")["status"].cummax().to_numpy()
    back = highest > valid["status"].to_numpy()
    return pd.DataFrame(
        {
            "row": valid["row"].to_numpy()[back],
            "how": how,
            "before": highest[back],
            "after": valid["status"].to_numpy()[back],
            "at_ns": valid["at_ns"].to_numpy()[back],
        }
    ).drop_duplicates("row")


def _back_at_the_end(account: Account, observed: pd.DataFrame, told: pd.DataFrame) -> pd.DataFrame:
    """Rows whose last observed status is below one that an event told of, long before the last look."""
    polls = account.evidence.polls
    sweeps = polls.loc[polls["kind"] == PollKind.SWEEP, "database_us"]
    if not len(sweeps):
        return _steps_back(observed.iloc[:0], "had gone back at the end")
    final = observed.drop_duplicates("row", keep="last")
    old = told[told["committed_us"] < int(sweeps.iloc[-1]) - SETTLED_US].sort_values("status", kind="stable")
    highest = old[old["status"] <= Status.READ].drop_duplicates("row", keep="last")
    stages = pd.concat([highest[["row", "status", "at_ns"]], final[["row", "status", "at_ns"]]])
    present = ~account.rows["gone"].to_numpy()[stages["row"].to_numpy()]
    return _steps_back(stages[present].sort_values("row", kind="stable"), "had gone back at the end")


def _last_looks_at_sent(account: Account, row: Ints) -> tuple[Ints, Bools]:
    """For each of `row` the time of a look that surely still saw it before it was delivered, and whether it never was.

    The looks record changes only. A row that was not delivered yet at some look was as before at every look
    at it until then; but a poll looks at a limited number of rows, in turn, so that with many of them the last
    look at this one may lie some polls back. The last sweep looks at all. -1: no look saw it before.
    """
    polls, observations = account.evidence.polls, account.evidence.observations
    polls = polls[polls["kind"] != PollKind.FAILED].sort_values("poll", kind="stable")
    if not len(polls):
        return np.full(len(row), NULL, np.int64), np.ones(len(row), np.bool_)
    number, taken = polls["poll"].to_numpy(np.int64), polls["at_ns"].to_numpy(np.int64)
    status, message = observations["status"], observations["message_id"].to_numpy()
    poll_of = observations["poll"].to_numpy(np.int64)

    delivered = np.full(len(account.rows), np.iinfo(np.int64).max, np.int64)
    there = (observations["change"] != ObservedChange.GONE) & status.isin([Status.DELIVERED, Status.READ])
    at = account.row_of_message[message[there]]
    np.minimum.at(delivered, at, poll_of[there])

    settled = np.full(len(account.rows), np.iinfo(np.int64).max, np.int64)
    stays_read = account.rows["status"].to_numpy() == Status.READ
    read = (observations["change"] != ObservedChange.GONE) & (status == Status.READ)
    np.minimum.at(settled, account.row_of_message[message[read]], poll_of[read])
    first = account.rows["first_poll"].to_numpy(np.int64)
    unsettled = np.searchsorted(np.sort(first), number, side="right") - np.searchsorted(
        np.sort(settled[stays_read]), number, side="right"
    )
    turn = np.maximum(1, -(-unsettled // UNSETTLED_A_POLL))  # polls until every such row had its turn
    turn[polls["kind"].to_numpy() == PollKind.SWEEP] = 1

    before = np.searchsorted(number, delivered[row], side="left") - 1
    surely = before - turn[before.clip(min=0)] + 1
    saw = (before >= 0) & (surely >= 0)
    surely = np.where(saw, surely, 0)
    saw &= number[surely] >= first[row]
    return np.where(saw, taken[surely], NULL), delivered[row] == np.iinfo(np.int64).max


def _first_receipts(account: Account) -> pd.DataFrame:
    """For each message of the run the first acknowledged receipt of a recipient who had it: ``row``, ``user_id``, ``answered_ns``.

    A receipt covers a message when its user knew a seq at least as high, and the message was certainly stored
    when the receipt left: an ok answer or somebody's INSERT event says so, on the receipt's clock.
    """
    marks = account.evidence.marks
    rows, operations, events = account.rows, account.operations, account.evidence.events
    good = (
        (marks["outcome"] == Outcome.OK)
        & (marks["up_to_seq"] != NULL)
        & (marks["clock"] == account.monitor_clock)
    )
    marks = marks[good].sort_values("left_ns", kind="stable")
    operation = rows["operation"].to_numpy()
    stored_by = np.full(len(rows) + 1, np.iinfo(np.int64).max, np.int64)
    mine = np.flatnonzero((operation >= 0) & (rows["seq"].to_numpy() != NULL) & ~rows["gone"].to_numpy())
    answered = operations["acknowledged_ns"].to_numpy()[operation[mine]]
    comparable = (answered != NULL) & (
        operations["clock"].to_numpy()[operation[mine]] == account.monitor_clock
    )
    stored_by[mine[comparable]] = answered[comparable]
    shown = (events["type"].to_numpy() == EventType.INSERT) & (
        events["clock"].to_numpy() == account.monitor_clock
    )
    np.minimum.at(
        stored_by,
        account.row_of_message[events["message_id"].to_numpy()[shown]],
        events["received_ns"].to_numpy()[shown],
    )
    mine = mine[stored_by[mine] != np.iinfo(np.int64).max]
    by_chat = pd.Series(mine).groupby(rows["chat_id"].to_numpy()[mine])
    rows_of_chat = {chat: numbers.to_numpy() for chat, numbers in by_chat}
    answered_ns = np.full(len(rows), np.iinfo(np.int64).max, np.int64)
    by_whom = np.full(len(rows), NULL, np.int64)
    for _, receipts in marks.groupby(["chat_id", "user_id"], sort=True):
        chat, user = int(receipts["chat_id"].iloc[0]), int(receipts["user_id"].iloc[0])
        of_chat = rows_of_chat.get(chat, np.empty(0, np.int64))
        received = of_chat[rows["sender_id"].to_numpy()[of_chat] != user]
        known = np.maximum.accumulate(receipts["up_to_seq"].to_numpy())
        first = np.maximum(
            np.searchsorted(known, rows["seq"].to_numpy()[received], side="left"),
            np.searchsorted(receipts["left_ns"].to_numpy(), stored_by[received], side="left"),
        )
        covered = first < len(receipts)
        received, first = received[covered], first[covered]
        when = receipts["answered_ns"].to_numpy()[first]
        sooner = when < answered_ns[received]
        answered_ns[received[sooner]] = when[sooner]
        by_whom[received[sooner]] = user
    receipted = np.flatnonzero(by_whom != NULL)
    return pd.DataFrame(
        {"row": receipted, "user_id": by_whom[receipted], "answered_ns": answered_ns[receipted]}
    )


def _tuples(frame: pd.DataFrame, *columns: str) -> Iterator[tuple[Any, ...]]:
    return zip(*(frame[column].tolist() for column in columns), strict=True)
