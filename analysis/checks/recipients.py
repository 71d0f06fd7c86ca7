"""Who of a chat's people was no recipient of a message any more, because they had left the chat before it was sent."""

import numpy as np

from analysis.checks.account import Account
from analysis.checks.departures import Departures
from analysis.checks.moments import MomentsOfRows
from analysis.checks.subscriptions import ENDLESS


def left_before(account: Account) -> dict[str, set[str]]:
    """For the id of each such message the ids of those whom a look had found gone, and no look saw come back."""
    evidence, departures = account.evidence, Departures.of(account)
    gone = np.flatnonzero(departures.out_since_ns != ENDLESS).tolist()
    left_ns = MomentsOfRows.of(account).earliest_left_ns if gone else np.empty(0, np.int64)
    of_message: dict[str, set[str]] = {}
    for number in gone:
        chat, person = divmod(int(departures.keys[number]), 1 << 32)
        who = evidence.people.text(person)
        later = left_ns > departures.out_since_ns[number]
        later &= account.rows["chat_id"].to_numpy() == chat
        for message in account.rows["message_id"].to_numpy()[later].tolist():
            if who is not None and (text := evidence.messages.text(message)) is not None:
                of_message.setdefault(text, set()).add(who)
    return of_message
