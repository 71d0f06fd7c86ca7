"""`seq.missing` and `seq.duplicates`: in every chat each message has a number, and one of its own."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account
from analysis.checks.findings import NO_LAST_LOOK, Namer, first_examples
from analysis.criteria import Criterion, Finding, from_findings


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
