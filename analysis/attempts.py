"""Which sends are attempts at one message, and which of them count for its latency. No input or output here.

All sends of one user with one client_generated_id are one message: a first attempt, further ones because there was no
answer, and repeats of what had been acknowledged already. People wait for their message, not for an attempt: from the
first one until the first acknowledgement.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import Ints, pair
from analysis.record.codes import Outcome


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The messages that were acknowledged, in the order in which their first attempts stand in the record.

    Attributes:
        first: of each the position, among the sends, of the first attempt.
        answered: of the attempt that was acknowledged first; mostly the same.
    """

    first: Ints
    answered: Ints


def acknowledged(sends: pd.DataFrame) -> Acknowledged:
    """The acknowledged messages of `sends`: ``user_id``, ``client_generated_id``, ``left_ns``, ``answered_ns``, ``outcome``."""
    client_id = sends["client_generated_id"].to_numpy(np.int64)
    own = -1 - np.arange(len(sends))  # a send without the id stands for itself
    message, _ = pd.factorize(np.where(client_id >= 0, pair(sends["user_id"].to_numpy(), client_id), own))
    ok = np.flatnonzero(sends["outcome"].to_numpy() == Outcome.OK)
    first = _earliest(message, sends["left_ns"].to_numpy(np.int64), np.arange(len(sends)))
    answered = _earliest(message, sends["answered_ns"].to_numpy(np.int64), ok)
    first = first[np.isin(message[first], message[answered])]
    in_record = np.argsort(first, kind="stable")
    return Acknowledged(first[in_record], answered[in_record])


def _earliest(message: Ints, at_ns: Ints, among: Ints) -> Ints:
    """Of the positions in `among` the earliest of each message, by the number of the message."""
    ordered = among[np.lexsort((at_ns[among], message[among]))]
    earliest: Ints = ordered[np.diff(message[ordered], prepend=-1) != 0]
    return earliest
