"""How long somebody was there in a chat: the subscriptions to it that one device had, one after the other.

A device that loses a subscription gets another one, and reads in history what it missed. Between two of its subscriptions nothing
is owed by Realtime, and yet of all that was sent since it had the first each message has to come, by the one way or the other.

A stay begins with the first subscription on a socket on which no join was refused: as long as one of their chats is lacking
people are not online, and when they try again they have missed nothing yet. It ends where they went offline, in a drain
(``FINISHED``, ``GAVE_UP``): who comes later is another device. A drain that left no word of its end is told by the next one:
each device has one, and has begun it when it asks for the newest seq (``DRAINING``).
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.account import Account, Bools, Ints, pair
from analysis.checks.subscriptions import ENDLESS, OPEN, Subscriptions, steps_of
from analysis.record.codes import SocketEvent

_Who = tuple[int, int]  # participation and process


@dataclass(frozen=True, slots=True)
class Stay:
    """Several subscriptions of one device to one chat.

    Attributes:
        first, last: positions in `Subscriptions.table`; the others lie between.
        gave_up_ns: when they gave up to get a further one, by the clock of `last`; None: they did not.
    """

    first: int
    last: int
    gave_up_ns: int | None


def stays(account: Account, subscribed: Subscriptions, told: Ints, asked: Ints) -> dict[int, list[Stay]]:
    """Those of more than one subscription, by participation.

    Args:
        told: positions of the subscriptions that count; of the others not all was written down.
        asked: the participations that are asked about; each may stand there several times.
    """
    keys = subscribed.channels.participations
    drained = _times(steps_of(account, keys, SocketEvent.DRAINING))
    gave_up = _times(subscribed.gave_up)
    partial = _on_partial_sockets(account, subscribed.table)
    told = told[np.isin(subscribed.table["participation"].to_numpy()[told], asked)]
    groups: dict[_Who, list[int]] = {}
    for number, *who in subscribed.table.loc[told, ["participation", "process"]].itertuples():
        groups.setdefault((who[0], who[1]), []).append(number)
    times = [subscribed.table[column].tolist() for column in ("began_ns", "ended_ns", "until_ns")]
    found: dict[int, list[Stay]] = {}
    for of, group in groups.items():
        if len(group) == 1:
            continue
        began, ended, until = ([column[number] for number in group] for column in times)
        devices = _Devices(began, ended, until, drained.get(of, []), gave_up.get(of, []))
        for begin, end in devices.stays():
            online = next((place for place in range(begin, end) if not partial[group[place]]), end)
            if end - online > 1:
                stay = Stay(group[online], group[end - 1], devices.gave_up_ns(end - 1))
                found.setdefault(of[0], []).append(stay)
    return found


class _Devices:
    """The devices that one person had in one process, one after the other, as one chat knows them.

    Args:
        began, ended, until: of `Subscriptions.table` in ns, those to this chat.
        drained: when they asked what to wait for, ascending; `gave_up`: when they gave up.
    """

    def __init__(
        self, began: list[int], ended: list[int], until: list[int], drained: list[int], gave_up: list[int]
    ) -> None:
        self._began = began
        self._lost = [at_ns != ENDLESS for at_ns in until]
        self._drained, self._gave_up = drained, gave_up
        finished = [
            at_ns for at_ns, lost in zip(ended, self._lost, strict=True) if not lost and at_ns != OPEN
        ]
        self._ends = sorted(finished + gave_up)

    def stays(self) -> Iterator[tuple[int, int]]:
        """Where each device's subscriptions begin, and where they end."""
        begin = 0
        for place in range(1, len(self._began)):
            if not self._goes_on(place):
                yield begin, place
                begin = place
        yield begin, len(self._began)

    def gave_up_ns(self, place: int) -> int | None:
        """When they gave up after this subscription, the last one of its device; None: they did not."""
        following = self._began[place + 1] if place + 1 < len(self._began) else ENDLESS
        at_ns = _first(self._gave_up, self._began[place])
        return at_ns if self._lost[place] and at_ns <= following and at_ns != ENDLESS else None

    def _goes_on(self, place: int) -> bool:
        """Whether the device that had the subscription before this one has this one, too."""
        low, high = self._began[place - 1], self._began[place]
        if not self._lost[place - 1] or _first(self._gave_up, low) <= high:
            return False
        in_drain = _first(self._drained, low) <= high
        return not in_drain or _first(self._ends, high) < _first(self._drained, high + 1)


def _first(times: list[int], since_ns: int) -> int:
    """The first of these moments from then on; `ENDLESS`: there is none."""
    place = bisect_left(times, since_ns)
    return times[place] if place < len(times) else ENDLESS


def _times(steps: pd.DataFrame) -> dict[_Who, list[int]]:
    """When each took these steps, which are in order."""
    times: dict[_Who, list[int]] = {}
    columns = (steps[name].tolist() for name in ("participation", "process", "at_ns"))
    for participation, process, at_ns in zip(*columns, strict=True):
        times.setdefault((participation, process), []).append(at_ns)
    return times


def _on_partial_sockets(account: Account, table: pd.DataFrame) -> Bools:
    """Which subscriptions were on a socket that did not get all it asked for: nobody was online by it."""
    sockets = account.evidence.sockets
    refused = sockets[sockets["event"] == SocketEvent.REFUSED]
    of_refused = pair(refused["process"].to_numpy(), refused["socket"].to_numpy())
    partial: Bools = np.isin(pair(table["process"].to_numpy(), table["socket"].to_numpy()), of_refused)
    return partial
