"""`seq.missing` and `seq.duplicates`: in every chat each message has a number, and one of its own."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account
from analysis.checks.findings import NO_LAST_LOOK, Namer, both
from analysis.checks.numbering import NO_LOOK, numbers_given
from analysis.criteria import Criterion, Finding
from analysis.faults import Faults, from_faults
from analysis.identifiers import NONE

NAMED = ["chat_id", "seq", "message_id", "operation"]


def missing(account: Account) -> Criterion:
    """`seq.missing`: a message of the run that any look saw without a seq, also if it got one later."""
    observations, rows = account.evidence.observations, account.rows
    row = account.row_of_message[observations["message_id"].to_numpy()]
    of_run = rows["operation"].to_numpy() != NONE
    without = np.flatnonzero((observations["seq"].to_numpy() == NULL) & of_run[row])
    faults, first = np.unique(row[without], return_index=True)
    namer = Namer(account)

    position = without[first]
    seen_ns = observations["at_ns"].to_numpy(np.int64)[position]
    filled = rows["seq"].to_numpy(np.int64)[faults] != NULL
    gone = rows["gone"].to_numpy(np.bool_)[faults]

    def tell(place: int) -> Iterator[Finding]:
        number = int(faults[place])
        later = f" It had seq {int(rows['seq'].iloc[number])} later." if filled[place] else ""
        is_stored = "was" if later or gone[place] else "is"
        why = f"This message {is_stored} stored without a seq.{later}"
        yield namer.row(number, why, at_ns=int(seen_ns[place]))

    return from_faults(
        "seq.missing",
        "Every message has a seq",
        "messages",
        int(of_run.sum()),
        namer.of_rows(faults, tell, filled + 2 * gone, seen_ns),
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

    def faults(of_which: pd.DataFrame, tell: Callable[[int], str]) -> Faults:
        """`of_which`: a row for each fault, of the message that is named."""
        row = account.row_of_message[of_which["message_id"].to_numpy(np.int64)]
        operation = of_which["operation"].to_numpy(np.int64)

        def finding(place: int) -> Iterator[Finding]:
            one = of_which.iloc[place]
            where = {"chat_id": account.evidence.chats.text(one["chat_id"]), "seq": int(one["seq"])}
            if row[place] != NONE:
                yield namer.row(int(row[place]), tell(place), **where)
            else:
                yield namer.operation(int(operation[place]), tell(place), **where)

        by_row, by_operation = namer.of_rows(row, finding), namer.of_operations(operation, finding)
        return Faults(
            at_ns=np.where(row != NONE, by_row.at_ns, by_operation.at_ns),
            chat=of_which["chat_id"].to_numpy(np.int64),
            kind=np.zeros(len(row), np.int64),
            tell=finding,
        )

    heads = shared.head(1).sort_values(["chat_id", "seq"])
    messages = shared["message_id"].agg(list)

    def given_to_several(place: int) -> str:
        one = heads.iloc[place]
        _, *others = messages.loc[(one["chat_id"], one["seq"])]
        named = ", ".join(namer.message(other) for other in others)
        count = len(others) + 1
        return f"Seq {one['seq']} of this chat was given to {count} messages: to this one and to {named}."

    def given_again(place: int) -> str:
        newest = account.baseline[int(again["chat_id"].iloc[place])]
        return f"Its seq was given again: the chat had come to {newest} before the run."

    return from_faults(
        "seq.duplicates",
        "No seq is given twice",
        "messages",
        mine["message_id"].nunique(),
        both(faults(heads, given_to_several), faults(again, given_again)),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )
