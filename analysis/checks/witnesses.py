"""The two witnesses of a message's status: the monitor's looks, and Realtime's events.

Both are read some entries at a time, so that nine million events take little memory.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.checks.account import NULL, Account, Bools, Ints
from analysis.clocks import Clocks
from analysis.record.codes import EventType, ObservedChange, Status

ENTRIES_AT_ONCE = 500_000

STAGES = (Status.SENT, Status.DELIVERED, Status.READ)
WAYS_BACK = ((Status.READ, Status.SENT), (Status.READ, Status.DELIVERED), (Status.DELIVERED, Status.SENT))


class Entries(NamedTuple):
    """Some of what a witness says of messages of the run."""

    position: Ints  # in the witness's table
    row: Ints  # in `Account.rows`
    status: NDArray[np.int8]

    def only(self, chosen: Bools | Ints) -> "Entries":
        """Those at `chosen`."""
        return Entries(self.position[chosen], self.row[chosen], self.status[chosen])


def joined(parts: Iterable[Entries]) -> Entries:
    """All of them as one."""
    nothing = Entries(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))
    position, row, status = (np.concatenate(column) for column in zip(nothing, *parts, strict=True))
    return Entries(position, row, status)


class WaysBack(NamedTuple):
    """Rows whose status went back, each once, with the widest step: from `high` to `low`."""

    row: Ints
    high: Ints
    low: Ints


@dataclass(frozen=True, slots=True)
class Witness:
    """One table that tells of statuses.

    Attributes:
        kind: its column that says what an entry is, and `other` the kind that tells of no status.
        seen: its column of when an entry was seen, on a monotonic clock.
    """

    account: Account
    table: pd.DataFrame
    kind: str
    other: int
    seen: str

    def entries(self) -> Iterator[Entries]:
        """What it says of messages of the run, in its own order."""
        mine = np.append(self.account.rows["operation"].to_numpy() >= 0, False)
        kind, status = self.table[self.kind].to_numpy(), self.table["status"].to_numpy()
        message = self.table["message_id"].to_numpy()
        for begin in range(0, len(self.table), ENTRIES_AT_ONCE):
            part = slice(begin, begin + ENTRIES_AT_ONCE)
            row = self.account.row_of_message[message[part]]
            wanted = np.flatnonzero(mine[row] & (kind[part] != self.other))
            yield Entries(wanted + begin, row[wanted], status[part][wanted])

    def seen_ns(self, position: Ints) -> Ints:
        """When the entries at `position` were seen, by the run's clock; -1 where that cannot be told (`Clocks.dated`)."""
        at_ns, clock = (self.table[name].to_numpy(np.int64)[position] for name in (self.seen, "clock"))
        return Clocks.of(self.account.evidence).dated(at_ns, clock)

    def last_with(self, status_of_row: Ints) -> Ints:
        """For each row the position of the last entry with the status asked for; `NULL`: none asked, or none there."""
        last = np.full(len(status_of_row), NULL, np.int64)
        for entries in self.entries():
            hit = status_of_row[entries.row] == entries.status
            np.maximum.at(last, entries.row[hit], entries.position[hit])
        return last


def looks(account: Account) -> Witness:
    """The monitor's looks."""
    observations = account.evidence.observations
    return Witness(account, observations, "change", ObservedChange.GONE, "at_ns")


def events(account: Account) -> Witness:
    """Realtime's INSERT and UPDATE events."""
    return Witness(account, account.evidence.events, "type", EventType.DELETE, "received_ns")


def widest(found: list[Ints]) -> WaysBack:
    """For each of `WAYS_BACK` the rows that went it; of a row that went several the first counts."""
    rows = np.concatenate(found)
    way = np.repeat(np.arange(len(WAYS_BACK)), [len(part) for part in found])
    once = np.unique(rows, return_index=True)[1]
    high, low = np.array(WAYS_BACK, np.int64)[way[once]].T
    return WaysBack(rows[once], high, low)
