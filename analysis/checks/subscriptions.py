"""When each participant was subscribed to each chat: what Realtime owed to whom.

A subscription begins with the server's confirmation (``SUBSCRIBED``) and ends when its channel or its socket
does, or when the user is done with the chat after the drain (``FINISHED``).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints, pair
from analysis.record.tables import EventType, SocketEvent

OPEN = -1  # ended_ns of a subscription whose end was not recorded: its process was killed


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All subscriptions of the run, by participation (one person in one chat) and time.

    Attributes:
        table: ``participation``, ``process``, ``socket``, ``clock``, ``began_ns``, ``ended_ns`` (`OPEN`),
            ``newest_seq`` (in the drain the user knew of messages up to this one and waited for them; `NULL` when the
            subscription ended otherwise).
        of_event: for each event the subscription by which it came, -1 if none.
    """

    table: pd.DataFrame
    of_event: Ints


def subscriptions(account: Account) -> Subscriptions:
    """Put the steps of all sockets together."""
    table = _table(account)
    return Subscriptions(table, _of_events(account, table))


def participation_keys(account: Account) -> Ints:
    """One number for each participation, ascending: chat and person."""
    participants = account.evidence.participants
    return np.sort(pair(participants["chat_id"].to_numpy(), participants["user_id"].to_numpy()))


def positions(sorted_keys: Ints, wanted: Ints) -> Ints:
    """Where each of `wanted` stands in `sorted_keys`; -1 when it does not."""
    if not len(sorted_keys):
        return np.full(len(wanted), -1, np.int64)
    place = np.searchsorted(sorted_keys, wanted).clip(max=len(sorted_keys) - 1)
    return np.where(sorted_keys[place] == wanted, place, -1)


def _table(account: Account) -> pd.DataFrame:
    sockets = account.evidence.sockets
    columns = ("process", "clock", "socket", "user_id", "chat_id", "event", "at_ns", "seq")
    begun: list[list[int]] = []
    current: dict[tuple[int, int, int], dict[int, int]] = {}  # socket -> chat -> its subscription
    for process, clock, socket, user, chat, event, at_ns, seq in zip(
        *(sockets[column].tolist() for column in columns), strict=True
    ):
        chats = current.setdefault((process, socket, user), {})
        if event == SocketEvent.SUBSCRIBED:
            chats[chat] = len(begun)
            begun.append([chat, user, process, socket, clock, at_ns, OPEN, NULL])
        elif event in {SocketEvent.UNSUBSCRIBED, SocketEvent.FINISHED}:
            if (number := chats.pop(chat, None)) is not None:
                begun[number][6] = at_ns
                begun[number][7] = seq
        elif event == SocketEvent.CLOSED:
            for number in chats.values():
                begun[number][6] = at_ns
            chats.clear()
    names = ["chat_id", "user_id", "process", "socket", "clock", "began_ns", "ended_ns", "newest_seq"]
    table = pd.DataFrame(np.array(begun, np.int64).reshape(-1, len(names)), columns=names)
    key = pair(table.pop("chat_id").to_numpy(), table.pop("user_id").to_numpy())
    table.insert(0, "participation", positions(participation_keys(account), key))
    table = table[table["participation"] >= 0]
    return table.sort_values(["participation", "began_ns"], kind="stable", ignore_index=True)


def _of_events(account: Account, table: pd.DataFrame) -> Ints:
    """The newest subscription of the same socket and chat that had begun when the event came.

    An event may come before the confirmation that makes it owed; it then counts to that subscription, unless
    an earlier one is there. Only INSERT events are placed.
    """
    events = account.evidence.events
    of_event = np.full(len(events), -1, np.int64)
    inserts = np.flatnonzero(events["type"].to_numpy() == EventType.INSERT)
    key = pair(events["chat_id"].to_numpy()[inserts], events["user_id"].to_numpy()[inserts])
    place = pd.DataFrame(
        {
            "event": inserts,
            "participation": positions(participation_keys(account), key),
            "process": events["process"].to_numpy(np.int64)[inserts],
            "socket": events["socket"].to_numpy(np.int64)[inserts],
            "at_ns": events["received_ns"].to_numpy()[inserts],
        }
    )
    by = ["participation", "process", "socket"]
    starts = table[[*by, "began_ns"]].assign(subscription=np.arange(len(table))).sort_values("began_ns")
    for direction in ("forward", "backward"):
        found = pd.merge_asof(
            place.sort_values("at_ns", kind="stable"),
            starts,
            left_on="at_ns",
            right_on="began_ns",
            by=by,
            direction=direction,
        )
        known = found["subscription"].notna().to_numpy()
        of_event[found["event"].to_numpy()[known]] = found["subscription"].to_numpy()[known].astype(np.int64)
    return of_event
