"""The live subscriptions, and which of them a change concerns.

Pure. With a subscription a chat and a user, hundreds stand open at a time; those with an `eq` filter, which is what
a chat uses, are found by the value, so that a change costs as much as it has receivers.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from staging.realtime.binding import Binding
from staging.realtime.changes import Change
from staging.realtime.filters import Comparable, Filter, Operand, comparable, matches

__all__ = ["Condition", "Receiver", "Subscription", "Subscriptions"]


class Receiver(Protocol):
    """Who a subscription belongs to: a channel."""

    def deliver(self, kind: str, ids: tuple[int, ...], data: bytes) -> None:
        """Send an event to the client."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter with its operand and the name of its column's type."""

    filter: Filter
    operand: Operand
    type_name: str

    def holds(self, change: Change) -> bool:
        """Whether the change's row fulfils it."""
        return matches(self.filter, self.operand, self.type_name, change.filterable)


@dataclass(frozen=True, slots=True, eq=False)
class Subscription:
    """One binding of one channel.

    Attributes:
        role, claims: of the token under which rows are shown; claims as JSON.
        conditions: by the oid of each table that the binding names.
    """

    receiver: Receiver
    binding: Binding
    role: str
    claims: str
    conditions: dict[int, tuple[Condition, ...]]


class Subscriptions:
    """All live subscriptions."""

    def __init__(self) -> None:
        self._of_table: dict[int, set[Subscription]] = defaultdict(set)
        # By table, then column and type, then value.
        self._by_value: dict[int, dict[tuple[str, str], dict[Operand, set[Subscription]]]] = defaultdict(dict)
        self._roles: dict[str, int] = defaultdict(int)

    @property
    def roles(self) -> frozenset[str]:
        """The roles that anybody is subscribed as."""
        return frozenset(role for role, count in self._roles.items() if count)

    def add(self, subscription: Subscription) -> None:
        """Make it live."""
        self._roles[subscription.role] += 1
        for oid, conditions in subscription.conditions.items():
            self._bucket(oid, conditions).add(subscription)

    def remove(self, subscription: Subscription) -> None:
        """End it."""
        self._roles[subscription.role] -= 1
        for oid, conditions in subscription.conditions.items():
            self._bucket(oid, conditions).discard(subscription)

    def _bucket(self, oid: int, conditions: tuple[Condition, ...]) -> set[Subscription]:
        for condition in conditions:
            if condition.filter.operator == "eq" and not condition.filter.negate:
                by_value = self._by_value[oid].setdefault((condition.filter.column, condition.type_name), {})
                return by_value.setdefault(condition.operand, set())
        return self._of_table[oid]

    def concerned(self, change: Change) -> list[Subscription]:
        """Those whose event and filters fit the change."""
        oid = change.relation.oid
        return [
            subscription
            for subscription in self._candidates(change)
            if change.kind in subscription.binding.events
            and all(condition.holds(change) for condition in subscription.conditions[oid])
        ]

    def _candidates(self, change: Change) -> Iterator[Subscription]:
        oid = change.relation.oid
        yield from self._of_table.get(oid, ())
        row = change.filterable
        for (column, type_name), by_value in self._by_value.get(oid, {}).items():
            text = row.get(column)
            if text is not None:
                value: Comparable = comparable(type_name, text)
                yield from by_value.get(value, ())
