"""`seq.missing` and `seq.duplicates`: in every chat each message has a number, and one of its own."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account
from analysis.checks.findings import NO_LAST_LOOK, Namer, both
from analysis.criteria import Criterion, Finding
from analysis.faults import from_faults


def missing(account: Account) -> Criterion:
    """`seq.missing`: a message of the run without a seq."""
    stored = account.stored
    faults = np.flatnonzero(stored & (account.rows["seq"].to_numpy() == NULL))
    namer = Namer(account)

    def tell(place: int) -> Iterator[Finding]:
        yield namer.row(int(faults[place]), "This message is stored without a seq.")

    return from_faults(
        "seq.missing",
        "Every message has a seq",
        "messages",
        int(stored.sum()),
        namer.of_rows(faults, tell),
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
    first = account.row_of_message[np.array([messages[0] for messages in shared], np.int64)]

    def given_to_several(place: int) -> Iterator[Finding]:
        seq, messages = shared.index[place][1], shared.iloc[place]
        others = ", ".join(namer.message(message) for message in messages[1:])
        yield namer.row(
            int(first[place]),
            f"Seq {seq} of this chat was given to {len(messages)} messages: to this one and to {others}.",
            seq=int(seq),
        )

    def given_again(place: int) -> Iterator[Finding]:
        newest = account.baseline[rows["chat_id"].iloc[again[place]]]
        yield namer.row(
            int(again[place]), f"Its seq was given again: the chat had come to {newest} before the run."
        )

    return from_faults(
        "seq.duplicates",
        "No seq is given twice",
        "messages",
        int(account.stored.sum()),
        both(namer.of_rows(first, given_to_several), namer.of_rows(again, given_again)),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else None,
    )
