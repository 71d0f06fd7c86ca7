"""`seq.*`: in every chat the messages are numbered densely, uniquely and in the order in which they happened."""

from collections.abc import Iterator

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

    return from_findings(
        "seq.duplicates",
        "No seq is given twice",
        "messages",
        int(account.stored.sum()),
        first_examples(findings()),
        count=len(shared),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def gaps(account: Account) -> Criterion:
    """`seq.gaps`: a number between a chat's baseline and its newest message that no message ever had.

    A message that was there and was deleted leaves no gap: its number was given (`messages.lost` has it), and
    so does one that an answer, an event or a page of history told of. A number may be missing because the
    transaction that holds it has not ended yet: as long as a chat has no more missing numbers than sends
    whose fate is open, they are counted as open and fail nothing.
    """
    evidence, rows = account.evidence, account.rows
    newest = _newest(account)
    given = _given(account)
    baseline = dict(
        zip(evidence.baseline["chat_id"].tolist(), evidence.baseline["seq"].tolist(), strict=True)
    )
    unresolved = (account.operations["outcome"] == Outcome.INFO) & (account.operations["rows"] == 0)
    open_sends = account.operations.loc[unresolved, "chat_id"].value_counts()
    mine = rows["operation"].to_numpy() >= 0
    faults: list[tuple[int, int, int]] = []
    still_open = 0
    checked = 0
    for chat, last in newest.items():
        numbers = given.get(chat, np.empty(0, np.int64))
        first = baseline.get(chat, int(numbers.min()) - 1 if len(numbers) else 0) + 1
        numbers = numbers[(numbers >= first) & (numbers <= last)]
        checked += len(numbers)
        holes = np.setdiff1d(np.arange(first, last + 1), numbers, assume_unique=True)
        may_come = int(open_sends.get(chat, 0))
        if len(holes) <= may_come:
            still_open += len(holes)
        else:
            faults += [(chat, int(hole), may_come) for hole in holes.tolist()]

    def findings() -> Iterator[Finding]:
        for chat, hole, may_come in faults:
            above = np.flatnonzero(
                mine & (rows["chat_id"].to_numpy() == chat) & (rows["seq"].to_numpy() > hole)
            )
            next_row = rows.iloc[above[np.argmin(rows["seq"].to_numpy()[above])]] if len(above) else None
            why = f"No message of this chat ever had seq {hole}, though it goes on to {newest[chat]}."
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


def _newest(account: Account) -> dict[int, int]:
    """For each chat with messages of the run the highest seq that the monitor saw."""
    rows = account.rows
    numbered = rows[(rows["seq"] != NULL) & ~rows["before"]]
    of_run = numbered.loc[numbered["operation"] >= 0, "chat_id"].unique()
    newest = numbered[numbered["chat_id"].isin(of_run)].groupby("chat_id", as_index=False)["seq"].max()
    return dict(zip(newest["chat_id"].tolist(), newest["seq"].tolist(), strict=True))


def _given(account: Account) -> dict[int, Ints]:
    """For each chat all numbers that were ever given, by the word of anybody who saw them, ascending."""
    evidence = account.evidence
    pages = evidence.pages
    on_pages = evidence.page_rows
    answered = evidence.sends[evidence.sends["outcome"] == Outcome.OK]
    sources = [
        (evidence.observations["chat_id"].to_numpy(), evidence.observations["seq"].to_numpy()),
        (answered["chat_id"].to_numpy(), answered["seq"].to_numpy()),
        (evidence.events["chat_id"].to_numpy(), evidence.events["seq"].to_numpy()),
        (pages["chat_id"].to_numpy()[on_pages["page"].to_numpy()], on_pages["seq"].to_numpy()),
    ]
    keys = [
        np.unique(pair(chat[known], seq[known]))
        for chat, seq in sources
        for known in [(chat >= 0) & (seq >= 0) & (seq < 1 << 32)]
    ]
    joined = np.unique(np.concatenate(keys))
    chats, seqs = joined >> 32, joined & 0xFFFFFFFF
    starts = np.flatnonzero(np.diff(chats, prepend=-1))
    return {int(chats[begin]): part for begin, part in zip(starts, np.split(seqs, starts[1:]), strict=False)}


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
