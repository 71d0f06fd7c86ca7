"""`seq.*`: in every chat the messages are numbered densely, uniquely and in the order in which they happened."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.checks.account import NEVER, NULL, Account, Bools, Ints, pair
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples, seconds
from analysis.criteria import Criterion, Finding, from_findings
from analysis.record.tables import Outcome


def missing(account: Account) -> Criterion:
    """`seq.missing`: a message of the run without a seq."""
    stored = account.stored
    faults = np.flatnonzero(stored & (account.rows["seq"].to_numpy() == NULL))
    namer = Namer(account)
    return from_findings(
        "seq.missing",
        "Every message has a seq",
        "messages",
        int(stored.sum()),
        first_examples(namer.row(row, "This message is stored without a seq.") for row in faults.tolist()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def duplicates(account: Account) -> Criterion:
    """`seq.duplicates`: a seq that two messages of a chat have, or had one after the other.

    Every seq that any look saw counts, so that handing out the seq of a deleted message again is found too.
    """
    observations = account.evidence.observations
    seen = pd.DataFrame(
        {
            "chat_id": observations["chat_id"].to_numpy(),
            "seq": observations["seq"].to_numpy(),
            "message_id": observations["message_id"].to_numpy(),
        }
    )
    rows = account.row_of_message[seen["message_id"].to_numpy()]
    seen = seen[(seen["seq"].to_numpy() != NULL) & ~account.rows["before"].to_numpy()[rows]].drop_duplicates()
    seen["mine"] = (
        account.rows["operation"].to_numpy()[account.row_of_message[seen["message_id"].to_numpy()]] >= 0
    )
    twice = seen[seen.duplicated(["chat_id", "seq"], keep=False)]
    groups = twice.groupby(["chat_id", "seq"], sort=True).filter(lambda group: group["mine"].any())
    rows = account.rows
    again = np.flatnonzero(
        account.stored
        & (rows["seq"].to_numpy() != NULL)
        & (rows["seq"].to_numpy() <= account.baseline[rows["chat_id"].to_numpy()])
    )
    namer = Namer(account)
    shared = groups.groupby(["chat_id", "seq"], sort=True)["message_id"].agg(list)

    def findings() -> Iterator[Finding]:
        for (_, seq), messages in shared.items():
            others = ", ".join(namer.message(message) for message in messages[1:])
            yield namer.row(
                int(account.row_of_message[messages[0]]),
                f"Seq {seq} of this chat was given to {len(messages)} messages: to this one and to {others}.",
                seq=int(seq),
            )
        for row in again.tolist():
            newest = account.baseline[rows["chat_id"].iloc[row]]
            yield namer.row(row, f"Its seq was given again: the chat had come to {newest} before the run.")

    return from_findings(
        "seq.duplicates",
        "No seq is given twice",
        "messages",
        int(account.stored.sum()),
        first_examples(findings()),
        count=len(shared) + len(again),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def gaps(account: Account) -> Criterion:
    """`seq.gaps`: a number between a chat's baseline and its newest message that no message ever had.

    A message that was there and was deleted leaves no gap: its number was given (`messages.lost` has it), and
    so does one that an answer, an event or a page of history told of. A number may be missing because the
    transaction that holds it has not ended yet: as long as a chat has no more missing numbers than sends
    whose fate is open, they are counted as open and fail nothing. Without a last look all of them are open.
    """
    evidence, rows = account.evidence, account.rows
    newest = _newest(account)
    baseline = dict(
        zip(evidence.baseline["chat_id"].tolist(), evidence.baseline["seq"].tolist(), strict=True)
    )
    unresolved = (account.operations["outcome"] == Outcome.INFO) & (account.operations["rows"] == 0)
    open_sends = account.operations.loc[unresolved, "chat_id"].value_counts()
    mine = rows["operation"].to_numpy() >= 0
    first = {chat: baseline.get(chat, newest[chat].lowest - 1) + 1 for chat in newest}
    # Only where the rows alone leave holes does anybody else's word have to be heard.
    doubtful = [chat for chat, seen in newest.items() if seen.distinct < seen.highest - first[chat] + 1]
    given = _given(account, np.array(doubtful, np.int64))
    faults: list[tuple[int, int, int]] = []
    still_open = 0
    for chat, numbers in given.items():
        holes = np.setdiff1d(np.arange(first[chat], newest[chat].highest + 1), numbers)
        may_come = int(open_sends.get(chat, 0))
        if len(holes) <= may_come or account.last_look_ns is None:
            still_open += len(holes)
        else:
            faults += [(chat, hole, may_come) for hole in holes.tolist()]
    checked = sum(seen.highest - first[chat] + 1 for chat, seen in newest.items())

    def findings() -> Iterator[Finding]:
        for chat, hole, may_come in faults:
            above = np.flatnonzero(
                mine & (rows["chat_id"].to_numpy() == chat) & (rows["seq"].to_numpy() > hole)
            )
            next_row = rows.iloc[above[np.argmin(rows["seq"].to_numpy()[above])]] if len(above) else None
            why = f"No message of this chat ever had seq {hole}, though it goes on to {newest[chat].highest}."
            if may_come:
                why += f" {may_come} sends of the chat without an answer cannot explain all of its missing numbers."
            yield Finding(
                why=why,
                chat_id=evidence.chats.text(chat),
                seq=hole,
                at_ns=None if next_row is None else int(next_row["first_at_ns"]),
            )

    reason = NO_LAST_LOOK if account.last_look_ns is None else None
    if not reason and still_open:
        reason = (
            f"{still_open} missing numbers may still be filled by sends whose transactions had not ended."
        )
    if not reason and set(newest) - set(baseline):
        reason = (
            f"{len(set(newest) - set(baseline))} chats have no baseline: gaps at their beginning do not show."
        )
    return from_findings(
        "seq.gaps",
        "No seq is left out",
        "numbers",
        checked,
        first_examples(findings()),
        count=len(faults),
        inconclusive=reason,
        facts={"open": still_open},
    )


class _Seen(NamedTuple):
    """What the monitor saw of a chat's numbers above the baseline."""

    lowest: int
    highest: int
    distinct: int


def _newest(account: Account) -> dict[int, _Seen]:
    """For each chat with messages of the run the numbers that its rows have."""
    rows = account.rows
    above = rows["seq"].to_numpy() > account.baseline[rows["chat_id"].to_numpy()]
    numbered = rows.loc[above & (rows["seq"].to_numpy() != NULL), ["chat_id", "seq", "operation"]]
    of_run = numbered.loc[numbered["operation"] >= 0, "chat_id"].unique()
    by_chat = numbered[numbered["chat_id"].isin(of_run)].groupby("chat_id")["seq"]
    seen = by_chat.agg(["min", "max", "nunique"]).reset_index()
    return {
        chat: _Seen(lowest, highest, distinct)
        for chat, lowest, highest, distinct in zip(
            *(seen[column].tolist() for column in ("chat_id", "min", "max", "nunique")), strict=True
        )
    }


def _given(account: Account, chats: Ints) -> dict[int, Ints]:
    """For each of `chats` all numbers that were ever given, by the word of anybody who saw them, ascending."""
    evidence = account.evidence
    asked = np.zeros(len(evidence.chats) + 1, np.bool_)  # the last is for the code -1
    asked[chats] = True
    pages, on_pages = evidence.pages, evidence.page_rows
    answered = evidence.sends["outcome"].to_numpy() == Outcome.OK
    sources = [
        (evidence.observations["chat_id"].to_numpy(), evidence.observations["seq"].to_numpy()),
        (evidence.sends["chat_id"].to_numpy()[answered], evidence.sends["seq"].to_numpy()[answered]),
        (evidence.events["chat_id"].to_numpy(), evidence.events["seq"].to_numpy()),
        (pages["chat_id"].to_numpy()[on_pages["page"].to_numpy()], on_pages["seq"].to_numpy()),
    ]
    keys = [
        np.unique(pair(chat[known], seq[known]))
        for chat, seq in sources
        for known in [asked[chat] & (seq != NULL)]
    ]
    joined = np.unique(np.concatenate(keys))
    bounds = np.searchsorted(joined, chats << 32)
    ends = np.searchsorted(joined, (chats + 1) << 32)
    return {
        int(chat): joined[begin:end] & 0xFFFFFFFF
        for chat, begin, end in zip(chats.tolist(), bounds.tolist(), ends.tolist(), strict=True)
    }


def order(account: Account) -> Criterion:
    """`seq.order`: in one chat, a message acknowledged before another was sent has the smaller seq.

    Compared are messages whose times come from one clock. In O(n log n): for each message the highest seq
    that had been acknowledged in its chat when it left; with one sort by time, and a running maximum.
    """
    timed = _numbered_operations(account)
    acknowledged = timed[timed["acknowledged_ns"] != NEVER].sort_values("acknowledged_ns", kind="stable")
    group = ["chat_id", "clock"]
    highest = acknowledged.assign(highest=acknowledged.groupby(group)["seq"].cummax())
    left = timed.sort_values("left_ns", kind="stable")
    met = pd.merge_asof(
        left,
        highest[[*group, "acknowledged_ns", "highest"]].rename(columns={"acknowledged_ns": "until_ns"}),
        left_on="left_ns",
        right_on="until_ns",
        by=group,
        allow_exact_matches=False,
    )
    faults = met[met["highest"] > met["seq"]]
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        columns = ("operation", "chat_id", "clock", "left_ns", "seq", "message_id", "highest")
        for number, chat, clock, left_ns, seq, message, above in zip(
            *(faults[column].tolist() for column in columns), strict=True
        ):
            alike: Bools = (
                (acknowledged["chat_id"] == chat)
                & (acknowledged["clock"] == clock)
                & (acknowledged["seq"] == above)
            ).to_numpy()
            earlier = acknowledged[alike].iloc[0]
            yield namer.operation(
                number,
                f"It was sent {seconds(left_ns - earlier['acknowledged_ns'])} after message "
                f"{namer.message(earlier['message_id'])} (seq {above:.0f}) had been acknowledged, "
                f"yet its seq is the smaller one: {seq}.",
                seq=seq,
                message_id=account.evidence.messages.text(message),
            )

    return from_findings(
        "seq.order",
        "A later message has a higher seq",
        "messages",
        len(timed),
        first_examples(findings()),
        count=len(faults),
    )


def _numbered_operations(account: Account) -> pd.DataFrame:
    """Messages with a seq, as stored or else as answered, and the times between which they happened."""
    operations, rows = account.operations, account.rows
    mine = np.flatnonzero(rows["operation"].to_numpy() >= 0)
    row = np.full(len(operations), -1, np.int64)
    told = rows["acknowledged_ns"].to_numpy()[mine] != NEVER
    mine = np.concatenate([mine[~told], mine[told]])  # of several copies the one that the answer meant
    row[rows["operation"].to_numpy()[mine]] = mine
    stored_seq = np.append(rows["seq"].to_numpy(), NULL)[row]
    stored_id = np.append(rows["message_id"].to_numpy(), NULL)[row]
    answered = operations["outcome"].to_numpy() == Outcome.OK
    timed = pd.DataFrame(
        {
            "operation": np.arange(len(operations)),
            "chat_id": operations["chat_id"].to_numpy(),
            "clock": operations["clock"].to_numpy(),
            "left_ns": operations["left_ns"].to_numpy(),
            "acknowledged_ns": operations["acknowledged_ns"].to_numpy(),
            "seq": np.where(stored_seq != NULL, stored_seq, np.where(answered, operations["seq"], NULL)),
            "message_id": np.where(row >= 0, stored_id, operations["message_id"]),
        }
    )
    return timed[timed["seq"] != NULL]
