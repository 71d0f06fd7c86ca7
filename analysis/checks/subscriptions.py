"""When each participant was subscribed to each chat: what Realtime owed to whom.

A subscription begins with the server's confirmation (``SUBSCRIBED``) and ends when its channel or its socket
does, or when the user is done with the chat after the drain (``FINISHED``). Somebody who tried to come back until
the drain was over, and could not, ``GAVE_UP``.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import NULL, Account, Ints, pair
from analysis.record.codes import EventType, SocketEvent

OPEN = -1  # ended_ns of a subscription whose end was not recorded: its process was killed


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All subscriptions of the run, by participation (one person in one chat) and time.

    Attributes:
        table: ``participation``, ``process``, ``socket``, ``clock``, ``began_ns``, ``ended_ns`` (`OPEN`),
            ``newest_seq`` (in the drain the user knew of messages up to this one and waited for them; `NULL` when the
            subscription ended otherwise).
        inserts: positions of the INSERT events in `Evidence.events`.
        of_insert: for each of them the subscription by which it came, -1 if none.
        gave_up: participations of people who were not online at the end though they tried, ascending.
    """

    table: pd.DataFrame
    inserts: Ints
    of_insert: Ints
    gave_up: Ints


def subscriptions(account: Account) -> Subscriptions:
    """Put the steps of all sockets together."""
    table = _table(account)
    return Subscriptions(table, *_placed(account, table), _gave_up(account))


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


def _gave_up(account: Account) -> Ints:
    sockets = account.evidence.sockets
    steps = sockets[sockets["event"] == SocketEvent.GAVE_UP]
    keys = pair(steps["chat_id"].to_numpy(), steps["user_id"].to_numpy())
    places = np.unique(positions(participation_keys(account), keys))
    return places[places >= 0]


def _placed(account: Account, table: pd.DataFrame) -> tuple[Ints, Ints]:
    """The INSERT events, and for each the subscription of the same socket and chat that had begun last.

    An event may come before the confirmation that makes it owed; it then counts to that subscription, unless
    an earlier one is there. Nearly every socket joins a chat once, so only the rest has its times compared.
    """
    events = account.evidence.events
    inserts = np.flatnonzero(events["type"].to_numpy() == EventType.INSERT)
    participation = positions(
        participation_keys(account),
        pair(events["chat_id"].to_numpy()[inserts], events["user_id"].to_numpy()[inserts]),
    )
    # Sockets are numbered within a process; process and socket together within the participation.
    socket_of_event = pair(events["process"].to_numpy()[inserts], events["socket"].to_numpy()[inserts])
    socket_of_table = pair(table["process"].to_numpy(), table["socket"].to_numpy())
    sockets = np.unique(socket_of_table)
    key = pair(table["participation"].to_numpy(), positions(sockets, socket_of_table))
    sought = positions(sockets, socket_of_event)
    known = (participation >= 0) & (sought >= 0)
    order = np.lexsort((table["began_ns"].to_numpy(), key))
    ordered = key[order]
    sought = np.where(known, pair(participation, sought), -1)
    first = np.searchsorted(ordered, sought)
    found = known & (first < len(ordered))
    found[found] = ordered[first[found]] == sought[found]
    subscription = np.full(len(inserts), -1, np.int64)
    subscription[found] = order[first[found]]
    again = np.append(ordered[1:] == ordered[:-1], False)  # where the next one is of the same socket and chat
    several = np.flatnonzero(found)
    several = several[again[first[several]]]
    began = table["began_ns"].to_numpy()[order]
    received = events["received_ns"].to_numpy()
    place = first[several]
    while len(several):  # one step for each further subscription of the same socket and chat
        later = again[place]
        later[later] = began[place[later] + 1] <= received[inserts[several[later]]]
        several, place = several[later], place[later] + 1
        subscription[several] = order[place]
    return inserts, subscription
