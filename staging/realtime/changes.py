"""From pgoutput messages to changes of rows.

Pure. A `Changes` is fed the messages of one replication slot in their order, and answers the rows that changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from staging.realtime.pgoutput import (
    UNCHANGED,
    Begin,
    Delete,
    Insert,
    Relation,
    Row,
    Update,
    decode,
)

__all__ = ["Change", "Changes", "Texts"]

# A row's values as PostgreSQL's text, by column name.
Texts = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Change:
    """One row that was inserted, updated or deleted.

    Attributes:
        kind: INSERT, UPDATE or DELETE.
        committed_at_us: of its transaction, in microseconds of the Unix epoch.
        new: the row afterwards, without large values that an UPDATE did not touch; empty for DELETE.
        old: the replica identity before: the whole row with REPLICA IDENTITY FULL, otherwise the key; empty for INSERT.
    """

    relation: Relation
    kind: str
    committed_at_us: int
    new: Texts
    old: Texts

    @property
    def filterable(self) -> Texts:
        """What a subscription's filter looks at."""
        return self.old if self.kind == "DELETE" else self.new


class Changes:
    """Remembers the relations and the transaction that the messages refer to."""

    def __init__(self) -> None:
        self._relations: dict[int, Relation] = {}
        self._committed_at_us = 0

    def read(self, messages: Iterable[bytes]) -> list[Change]:
        """The changes in these messages. TRUNCATE is none: Supabase never tells of it."""
        changes = []
        for data in messages:
            message = decode(data)
            if isinstance(message, Insert | Update | Delete):
                changes.append(self._change(message))
            elif isinstance(message, Begin):
                self._committed_at_us = message.committed_at_us
            elif isinstance(message, Relation):
                self._relations[message.oid] = message
        return changes

    def _change(self, message: Insert | Update | Delete) -> Change:
        relation = self._relations[message.relation_oid]
        at_us = self._committed_at_us
        if isinstance(message, Insert):
            return Change(relation, "INSERT", at_us, _texts(relation, message.new), {})
        if isinstance(message, Delete):
            old = _texts(relation, message.old) if message.old else _key(relation, message.old_key or ())
            return Change(relation, "DELETE", at_us, {}, old)
        if message.old is not None:
            old = _texts(relation, message.old)
        else:
            # A key that did not change is not written twice.
            old = _key(relation, message.old_key or message.new)
        return Change(relation, "UPDATE", at_us, _texts(relation, message.new), old)


def _texts(relation: Relation, row: Row) -> Texts:
    return {
        column.name: value
        for column, value in zip(relation.columns, row, strict=True)
        if value is not UNCHANGED
    }


def _key(relation: Relation, row: Row) -> Texts:
    return {
        column.name: value
        for column, value in zip(relation.columns, row, strict=True)
        if column.in_identity and value is not UNCHANGED
    }
