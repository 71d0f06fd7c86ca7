"""What `get_latest_seq` told in the drain, against what was stored by then.

The drain rests on that function of the app's migrations: whoever waits for the newest message has to know which it is. Users
who know better by the answers to sends, or by a page of history, wait for that; but that many others were told the truth is no
longer to be taken for granted.
"""

import numpy as np

from analysis.checks.account import NEVER, NULL, Account
from analysis.clocks import Clocks
from analysis.record.codes import SocketEvent


def told_too_little(account: Account) -> str | None:
    """The sentence about answers below the seq of a message that had been acknowledged, and is stored still."""
    rows, sockets = account.rows, account.evidence.sockets
    acknowledged = rows["acknowledged_ns"].to_numpy(np.int64)
    stays = account.stored & ~rows["deleted"].to_numpy(np.bool_) & (acknowledged != NEVER)
    row = np.flatnonzero(stays & (rows["seq"].to_numpy() != NULL))
    row = row[np.lexsort((rows["seq"].to_numpy()[row], rows["chat_id"].to_numpy()[row]))]
    seq = rows["seq"].to_numpy(np.int64)[row]
    of_chat = np.searchsorted(rows["chat_id"].to_numpy()[row], np.arange(len(account.evidence.chats) + 1))
    clocks = Clocks.of(account.evidence)
    clock = account.operations["clock"].to_numpy()[rows["operation"].to_numpy()[row]]
    known = clocks.moments(acknowledged[row], clock)

    asked = sockets[(sockets["event"] == SocketEvent.DRAINING) & (sockets["seq"] != NULL)]
    asked_at = clocks.moments(asked["at_ns"], asked["clock"])
    wrong: list[tuple[int, int, int]] = []  # chat, the answer, the newest seq that was there
    for number, (chat, answer) in enumerate(zip(asked["chat_id"], asked["seq"], strict=True)):
        begin, end = of_chat[chat : chat + 2]
        above = slice(begin + int(np.searchsorted(seq[begin:end], answer, side="right")), end)
        there = np.flatnonzero(known[above].before(asked_at[number : number + 1]))
        if len(there):
            wrong.append((chat, answer, int(seq[above][there[-1]])))
    if not wrong:
        return None
    chat, answer, newest = wrong[0]
    told = f"that the newest seq is {answer:,}" if answer else "of no message"
    return (
        f"`get_latest_seq` told {len(wrong):,} of {len(asked):,} times of less than was stored: e.g. {told} in chat "
        f"{account.evidence.chats.text(chat)}, where seq {newest:,} had been acknowledged before. By it users know in the drain what to wait "
        "for, so that nobody knows whether they waited long enough."
    )
