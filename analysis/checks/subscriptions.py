"""When each participant was subscribed to each chat: what Realtime owed to whom.

A subscription begins with the server's confirmation (``SUBSCRIBED``) and ends when its channel or its socket
does, or when the user is done with the chat after the drain (``FINISHED``). Somebody who tried to come back until
the drain was over, and could not, ``GAVE_UP``.

A **channel** is a socket's of one chat; it may be subscribed several times. What it brings between two subscriptions (the
end of the first may be noted as of an earlier moment, such as when a new token was pushed, and the next one brings things
before it is confirmed) may be of either, and proves nothing of either. So may what was read from the socket together with the
confirmation of the next one: all of a read has one time. `FINISHED` ends no channel.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import NEVER, NULL, Account, Ints, pair
from analysis.record.codes import EventType, SocketEvent

OPEN = -1  # ended_ns of a subscription whose end was not recorded: its process was killed
ENDLESS = np.iinfo(np.int64).max  # later than any moment

_ASKED = {SocketEvent.JOINED, SocketEvent.REFUSED, SocketEvent.GAVE_UP}


@dataclass(frozen=True, slots=True)
class Channels:
    """Numbers the channels. Sockets are numbered within a process.

    Attributes:
        participations: as `participation_keys`.
        sockets: process and socket of all that were ever subscribed, ascending.
    """

    participations: Ints
    sockets: Ints

    def numbers(self, users: pd.DataFrame) -> Ints:
        """The channel of each event or step, by its process, socket, person and chat; -1 for one that was never subscribed."""
        participation = positions(
            self.participations, pair(users["chat_id"].to_numpy(), users["user_id"].to_numpy())
        )
        socket = positions(self.sockets, pair(users["process"].to_numpy(), users["socket"].to_numpy()))
        return np.where((participation >= 0) & (socket >= 0), pair(participation, socket), -1)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """All subscriptions of the run, by participation (one person in one chat) and time.

    Attributes:
        table: ``participation``, ``process``, ``socket``, ``clock``, ``began_ns``, ``ended_ns`` (`OPEN`),
            ``newest_seq`` (in the drain the user knew of messages up to this one and waited for them; `NULL` when the
            subscription ended otherwise), ``until_ns`` (when its channel ended; `ENDLESS` if it went on), ``sought_ns``
            (what was stored by then the user had to wait for in the drain; `NEVER` without a drain, or where that is not known).
        inserts: positions of the INSERT events in `Evidence.events`.
        of_insert: for each of them the subscription by which it came, -1 if none. Of what may be of two, the later one.
        after: for what may be of two the earlier one; -1 for everything else.
        gave_up: ``participation``, ``process``, ``clock`` and ``at_ns`` of people who were not online when their drain was over
            though they tried, by participation. Their drain is over before the run is where the number of users falls.
        asked: participations of people who asked to be let in, with or without success, ascending.
        channels: numbers the channels.
        left: channels that ended for good, ascending; ``left_ns``: when.
    """

    table: pd.DataFrame
    inserts: Ints
    of_insert: Ints
    after: Ints
    gave_up: pd.DataFrame
    asked: Ints
    channels: Channels
    left: Ints
    left_ns: Ints

    def ended_for_good(self, events: pd.DataFrame) -> Ints:
        """When the channel of each of these events ended for good; `ENDLESS` if it did not."""
        place = positions(self.left, self.channels.numbers(events))
        return np.where(place >= 0, np.append(self.left_ns, ENDLESS)[place], ENDLESS)


def subscriptions(account: Account) -> Subscriptions:
    """Put the steps of all sockets together."""
    keys = participation_keys(account)
    table, ended = _steps(account)
    channels = Channels(keys, np.unique(pair(table["process"].to_numpy(), table["socket"].to_numpy())))
    key = pair(table.pop("chat_id").to_numpy(), table.pop("user_id").to_numpy())
    table.insert(0, "participation", positions(keys, key))
    table = table[table["participation"] >= 0]
    table = table.sort_values(["participation", "began_ns"], kind="stable", ignore_index=True)
    left = channels.numbers(ended)
    order = np.argsort(left, kind="stable")
    return Subscriptions(
        table,
        *_placed(account, table, channels),
        gave_up=steps_of(account, keys, SocketEvent.GAVE_UP),
        asked=_with_step(account, _ASKED),
        channels=channels,
        left=left[order],
        left_ns=ended["at_ns"].to_numpy()[order],
    )


def steps_of(account: Account, keys: Ints, event: SocketEvent) -> pd.DataFrame:
    """Steps of this kind, with their participation among `keys`, process, clock and time, by participation and time."""
    sockets = account.evidence.sockets
    steps = sockets.loc[sockets["event"] == event, ["process", "clock", "at_ns", "chat_id", "user_id"]]
    key = pair(steps.pop("chat_id").to_numpy(), steps.pop("user_id").to_numpy())
    steps.insert(0, "participation", positions(keys, key))
    steps = steps[steps["participation"] >= 0]
    return steps.sort_values(["participation", "at_ns"], kind="stable", ignore_index=True)


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


def _steps(account: Account) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The subscriptions, and the channels that ended and were not joined again."""
    sockets = account.evidence.sockets
    columns = ("process", "clock", "socket", "user_id", "chat_id", "event", "at_ns", "seq")
    begun: list[list[int]] = []
    current: dict[tuple[int, int, int], dict[int, int]] = {}  # socket -> chat -> its subscription
    ended: dict[tuple[int, int, int, int], int] = {}  # channel -> when
    sought: dict[
        tuple[int, int, int], int
    ] = {}  # process, person and chat -> when they asked for its newest seq
    for process, clock, socket, user, chat, event, at_ns, seq in zip(
        *(sockets[column].tolist() for column in columns), strict=True
    ):
        chats = current.setdefault((process, socket, user), {})
        if event in {SocketEvent.JOINED, SocketEvent.SUBSCRIBED}:
            ended.pop((process, socket, user, chat), None)
        if event == SocketEvent.SUBSCRIBED:
            chats[chat] = len(begun)
            begun.append([chat, user, process, socket, clock, at_ns, OPEN, NULL, ENDLESS, NEVER])
        elif event == SocketEvent.DRAINING:
            sought[process, user, chat] = at_ns
        elif event == SocketEvent.FINISHED:
            if (number := chats.pop(chat, None)) is not None:
                # Earlier versions did not write down when they asked, only that they got no answer.
                not_told = at_ns if seq == NULL else NEVER
                begun[number][6:8] = at_ns, seq
                begun[number][9] = sought.get((process, user, chat), not_told)
        elif event in {SocketEvent.UNSUBSCRIBED, SocketEvent.CLOSED}:
            for one in [chat] if event == SocketEvent.UNSUBSCRIBED else list(chats):
                if (number := chats.pop(one, None)) is not None:
                    begun[number][6:9] = at_ns, NULL, at_ns
                    ended[process, socket, user, one] = at_ns
    names = [
        "chat_id",
        "user_id",
        "process",
        "socket",
        "clock",
        "began_ns",
        "ended_ns",
        "newest_seq",
        "until_ns",
        "sought_ns",
    ]
    table = pd.DataFrame(np.array(begun, np.int64).reshape(-1, len(names)), columns=names)
    names = ["process", "socket", "user_id", "chat_id", "at_ns"]
    rows = [(*channel, at_ns) for channel, at_ns in ended.items()]
    return table, pd.DataFrame(np.array(rows, np.int64).reshape(-1, len(names)), columns=names)


def _with_step(account: Account, events: set[SocketEvent]) -> Ints:
    """Participations with any of these steps, ascending."""
    sockets = account.evidence.sockets
    steps = sockets[sockets["event"].isin([*events])]
    keys = pair(steps["chat_id"].to_numpy(), steps["user_id"].to_numpy())
    places = np.unique(positions(participation_keys(account), keys))
    return places[places >= 0]


def _placed(account: Account, table: pd.DataFrame, channels: Channels) -> tuple[Ints, Ints, Ints]:
    """The INSERT events, for each the subscription of its channel that had begun last before it came, or the next where that had
    ended, or where the next began in the same read; and where both are in question the earlier.

    An event may come before the confirmation that makes it owed; it then counts to that subscription, unless
    an earlier one is there. Nearly every socket joins a chat once, so only the rest has its times compared.
    """
    events = account.evidence.events
    inserts = np.flatnonzero(events["type"].to_numpy() == EventType.INSERT)
    key = pair(
        table["participation"].to_numpy(),
        positions(channels.sockets, pair(table["process"].to_numpy(), table["socket"].to_numpy())),
    )
    order = np.lexsort((table["began_ns"].to_numpy(), key))
    ordered = key[order]
    sought = channels.numbers(events[["process", "socket", "user_id", "chat_id"]].iloc[inserts])
    place = np.searchsorted(ordered, sought)
    found = np.flatnonzero((sought >= 0) & (place < len(ordered)))
    found = found[ordered[place[found]] == sought[found]]
    again = np.append(ordered[1:] == ordered[:-1], False)  # where the next one is of the same channel
    began, until = table["began_ns"].to_numpy()[order], table["until_ns"].to_numpy()[order]
    received = events["received_ns"].to_numpy()
    several = found[again[place[found]]]
    between = several
    while len(several):  # one step for each further subscription of the same channel
        later = again[place[several]]
        later[later] = began[place[several[later]] + 1] < received[inserts[several[later]]]
        several = several[later]
        place[several] += 1
    between = between[again[place[between]]]
    came, here = received[inserts[between]], place[between]
    # The confirmation in the same read may have been before the event or after it.
    between = between[(came > until[here]) | (came == began[here + 1])]
    subscription, after = np.full(len(inserts), -1, np.int64), np.full(len(inserts), -1, np.int64)
    subscription[found] = order[place[found]]
    after[between] = subscription[between]
    subscription[between] = order[place[between] + 1]
    return inserts, subscription, after
