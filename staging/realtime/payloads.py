"""Writes the `data` of a `postgres_changes` event: what a role may see of a change.

Pure. Follows realtime.apply_rls and the poller of supabase/realtime (lib/realtime/adapters/changes.ex).
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from staging.realtime.changes import Change, Texts
from staging.realtime.values import JsonValue, json_value

__all__ = ["ColumnFacts", "Facts", "change_data", "phantom_of", "refusal"]

MAX_RECORD_BYTES = 1_048_576
# In a record above that, values of up to this length are kept.
KEPT_BYTES = 64

NO_PRIMARY_KEY = "Error 400: Bad Request, no primary key"
UNAUTHORIZED = "Error 401: Unauthorized"
TOO_LARGE = "Error 413: Payload Too Large"


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """`declared_type`: as in SQL, for a cast. `readers`: the roles that may SELECT the column."""

    name: str
    type_name: str
    declared_type: str
    in_primary_key: bool
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the catalogue says of a table: see sql/staging/realtime_relation.sql."""

    has_rls: bool
    columns: tuple[ColumnFacts, ...]

    @property
    def key(self) -> tuple[ColumnFacts, ...]:
        """The primary key's columns."""
        return tuple(column for column in self.columns if column.in_primary_key)


def refusal(facts: Facts, change: Change, role: str) -> str | None:
    """Why nobody of this role is shown the change, if so."""
    if change.kind == "DELETE":
        return None
    if not facts.key:
        return NO_PRIMARY_KEY
    return None if all(role in column.readers for column in facts.key) else UNAUTHORIZED


def change_data(facts: Facts, change: Change, role: str, select: tuple[str, ...] | None) -> bytes:
    """The event's `data`, as JSON, for subscribers of `role` who asked for the columns `select` (None = all)."""
    error = refusal(facts, change, role)
    if error is not None:
        return _written(change, None, [], {"record": {}, "old_record": {}}, [error])
    shown = [
        column
        for column in facts.columns
        if role in column.readers and (select is None or column.name in select or column.in_primary_key)
    ]
    too_large = sum(len(text) for text in (change.new | change.old).values() if text) > MAX_RECORD_BYTES
    records: dict[str, dict[str, JsonValue]] = {}
    if change.kind != "DELETE":
        # A large value that an UPDATE did not touch comes from the old row, if that is known.
        records["record"] = _record(shown, change.old | change.new, too_large)
    if change.kind == "UPDATE":
        records["old_record"] = _record(shown, change.old, too_large)
    if change.kind == "DELETE":
        # Nobody can be asked any more who may see the row, so under row level security only its key is told.
        told = [column for column in shown if column.in_primary_key or not facts.has_rls]
        records["old_record"] = _record(told, change.old, too_large)
    columns = [{"name": column.name, "type": column.type_name} for column in shown]
    return _written(
        change, _timestamp(change.committed_at_us), columns, records, [TOO_LARGE] if too_large else None
    )


def _record(columns: list[ColumnFacts], texts: Texts, too_large: bool) -> dict[str, JsonValue]:
    return {
        column.name: json_value(column.type_name, texts[column.name])
        for column in columns
        if column.name in texts and not (too_large and _is_long(texts[column.name]))
    }


def _is_long(text: str | None) -> bool:
    # A NULL has no length, and so is not kept either.
    return text is None or len(text.encode()) > KEPT_BYTES


def _written(
    change: Change,
    timestamp: str | None,
    columns: list[dict[str, str]],
    records: dict[str, dict[str, JsonValue]],
    errors: list[str] | None,
) -> bytes:
    return orjson.dumps(
        {
            "schema": change.relation.schema,
            "table": change.relation.table,
            "commit_timestamp": timestamp,
            "type": change.kind,
            "columns": columns,
            **records,
            "errors": errors,
        }
    )


def _timestamp(at_us: int) -> str:
    """Milliseconds, cut off and not rounded, as to_char does."""
    seconds, us = divmod(at_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{us // 1000:03d}Z"


def phantom_of(facts: Facts, change: Change) -> Change:
    """The same change of a row that does not exist: its UUIDs of the primary key are fresh."""
    fresh: Texts = {column.name: str(uuid.uuid4()) for column in facts.key if column.type_name == "uuid"}
    return Change(change.relation, change.kind, change.committed_at_us, change.new | fresh, change.old)
