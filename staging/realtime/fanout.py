"""Hands one change to its receivers: the event is written once for all who see the same of it.

The faults that act on single events (lost, doubled, unordered, phantom, late) act here and in the channel.
"""

import asyncio
from collections import defaultdict

from staging.faults import Faults
from staging.realtime.changes import Change
from staging.realtime.payloads import Facts, change_data, phantom_of
from staging.realtime.subscriptions import Receiver, Subscription

__all__ = ["Fanout"]

# A receiver, with the role and the columns that decide what it sees of a row.
Share = tuple[Receiver, str, tuple[str, ...] | None]


class Fanout:
    """Sends events out."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._delay_s = faults.value("realtime_delay_ms") / 1000

    def deliver(self, change: Change, facts: Facts, subscriptions: list[Subscription]) -> None:
        """Send a change to those of its subscribers who may see it. One frame a channel, whatever its bindings."""
        shares: dict[Share, list[int]] = defaultdict(list)
        for subscription in subscriptions:
            share = (subscription.receiver, subscription.role, subscription.binding.select)
            shares[share].append(subscription.binding.id)
        written: dict[tuple[str, tuple[str, ...] | None], bytes] = {}
        for (receiver, role, select), ids in shares.items():
            data = written.get((role, select))
            if data is None:
                data = written[role, select] = change_data(facts, change, role, select)
            # Identical bindings of one channel share an id, which is told once.
            event = (change.kind, tuple(dict.fromkeys(ids)))
            self._send(receiver, event, data)
            if self._faults.hit("realtime_phantom_rate"):
                self._send(receiver, event, change_data(facts, phantom_of(facts, change), role, select))

    def _send(self, receiver: Receiver, event: tuple[str, tuple[int, ...]], data: bytes) -> None:
        if self._faults.hit("realtime_drop_rate"):
            return
        for _ in range(2 if self._faults.hit("realtime_duplicate_rate") else 1):
            if self._delay_s:
                asyncio.get_running_loop().call_later(self._delay_s, receiver.deliver, *event, data)
            else:
                receiver.deliver(*event, data)
