"""`seq.missing` and `seq.duplicates`: in every chat each message has a number, and one of its own."""

from collections.abc import Iterator

import numpy as np

from analysis.checks.account import NULL, Account
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples
from analysis.checks.numbering import NO_LOOK, numbers_given
from analysis.criteria import Criterion, Finding, from_findings
from analysis.identifiers import NONE
from analysis.record.codes import ObservedChange

NAMED = ["chat_id", "seq", "message_id", "operation"]


def missing(account: Account) -> Criterion:
    """`seq.missing`: a message of the run that any look saw without a seq, also if it got one later."""
    observations, rows = account.evidence.observations, account.rows
    row = account.row_of_message[observations["message_id"].to_numpy()]
    of_run = rows["operation"].to_numpy() != NONE
    there = observations["change"].to_numpy() != ObservedChange.GONE
    without = np.flatnonzero(there & (observations["seq"].to_numpy() == NULL) & of_run[row])
    faults, first = np.unique(row[without], return_index=True)
    namer = Namer(account)

    def findings() -> Iterator[Finding]:
        for number, position in zip(faults.tolist(), without[first].tolist(), strict=True):
            seq = int(rows["seq"].iloc[number])
            filled = "" if seq == NULL else f" It had seq {seq} later."
            is_stored = "was" if filled or rows["gone"].iloc[number] else "is"
            yield namer.row(
                number,
                f"This message {is_stored} stored without a seq.{filled}",
                at_ns=int(observations["at_ns"].iloc[position]),
            )

    return from_findings(
        "seq.missing",
        "Every message has a seq",
        "messages",
        int(of_run.sum()),
        first_examples(findings()),
        count=len(faults),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )


def duplicates(account: Account) -> Criterion:
    """`seq.duplicates`: a seq that two messages of a chat have, or had one after the other.

    Every seq counts that a look ever saw, so that handing out the seq of a deleted message again is found too; and of
    messages of the run that came and went between two looks the seq that was told to people.
    """
    given = numbers_given(account)
    given = given[(given["poll"] != NO_LOOK) | (given["operation"] != NONE)]
    given = given.drop_duplicates(["chat_id", "seq", "message_id"])
    mine = given[given["operation"] != NONE]
    again = mine[mine["seq"].to_numpy() <= account.baseline[mine["chat_id"].to_numpy()]]
    again = again.drop_duplicates("message_id")
    twice = given[given.duplicated(["chat_id", "seq"], keep=False)]
    twice = twice.assign(mine=twice["operation"] != NONE)
    shared = twice[twice.groupby(["chat_id", "seq"])["mine"].transform("any")].groupby(["chat_id", "seq"])
    namer = Namer(account)

    def finding(chat: int, seq: int, message: int, operation: int, why: str) -> Finding:
        row = int(account.row_of_message[message])
        place = {"chat_id": account.evidence.chats.text(chat), "seq": seq}
        if row != NONE:
            return namer.row(row, why, **place)
        return namer.operation(operation, why, **place)

    def findings() -> Iterator[Finding]:
        for _, group in shared:
            (chat, seq, message, operation), *_ = group[NAMED].to_numpy(np.int64).tolist()
            others = ", ".join(namer.message(other) for other in group["message_id"].tolist()[1:])
            why = f"Seq {seq} of this chat was given to {len(group)} messages: to this one and to {others}."
            yield finding(chat, seq, message, operation, why)
        for chat, seq, message, operation in again[NAMED].to_numpy(np.int64).tolist():
            why = f"Its seq was given again: the chat had come to {account.baseline[chat]} before the run."
            yield finding(chat, seq, message, operation, why)

    return from_findings(
        "seq.duplicates",
        "No seq is given twice",
        "messages",
        mine["message_id"].nunique(),
        first_examples(findings()),
        count=shared.ngroups + len(again),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )
