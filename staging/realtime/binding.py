"""What a client asks for when it joins a channel: the join payload, and each entry of `postgres_changes`.

Pure. Follows lib/realtime_web/channels/payloads and lib/extensions/postgres_cdc_rls/subscriptions.ex of
supabase/realtime, in what is accepted and in the words of what is not.
"""

import zlib
from dataclasses import dataclass

import orjson

from staging.realtime.filters import Filter, FilterError, parse_filters

__all__ = ["ALL_EVENTS", "Binding", "BindingError", "JoinConfig", "parse_binding", "parse_join"]

ALL_EVENTS = frozenset({"INSERT", "UPDATE", "DELETE"})

ANY = "*"

# Ids are hashes of the entry, in the range of Erlang's phash2; Supabase's own may be 0, which clients ignore.
ID_LIMIT = 2**27 - 1


class BindingError(ValueError):
    """An entry that cannot be subscribed to. The message is what Supabase's `system` error says."""


@dataclass(frozen=True, slots=True)
class JoinConfig:
    """The join's `config`. `entries`: of `postgres_changes`, as the client wrote them."""

    ack: bool
    self_broadcast: bool
    presence: bool
    private: bool
    replication_ready: bool
    entries: tuple[dict[str, object], ...]

    def reply(self) -> dict[str, object]:
        """The `response` of the join's reply: the entries in the same order, each with its id."""
        return {"postgres_changes": [{**entry, "id": binding_id(entry)} for entry in self.entries]}


@dataclass(frozen=True, slots=True)
class Binding:
    """One subscription to changes.

    Attributes:
        events: of INSERT, UPDATE, DELETE.
        schema, table: `*` stands for all.
        select: the columns wanted beside the primary key; None = all.
    """

    id: int
    events: frozenset[str]
    schema: str
    table: str
    filters: tuple[Filter, ...] = ()
    select: tuple[str, ...] | None = None

    def described(self) -> str:
        """The parameters as Supabase lists them in an error."""
        event = next(iter(self.events)) if len(self.events) == 1 else ANY
        filters = ", ".join(
            f"{{{_quoted(f.column)}, {_quoted(f.operator)}, {_quoted(f.value)}, {str(f.negate).lower()}}}"
            for f in self.filters
        )
        select = "nil" if self.select is None else "[" + ", ".join(map(_quoted, self.select)) + "]"
        return f"event: {event}, schema: {self.schema}, table: {self.table}, filters: [{filters}], select: {select}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def binding_id(entry: dict[str, object]) -> int:
    """The same for identical entries, and never 0."""
    canonical = orjson.dumps(entry, option=orjson.OPT_SORT_KEYS)
    return zlib.crc32(canonical) % ID_LIMIT + 1


def parse_join(payload: object) -> JoinConfig:
    """The join's payload. What is badly typed counts as not given, as Supabase has it."""
    config = _object(_object(payload).get("config"))
    broadcast = _object(config.get("broadcast"))
    entries = config.get("postgres_changes")
    return JoinConfig(
        ack=_flag(broadcast.get("ack")),
        self_broadcast=_flag(broadcast.get("self")),
        presence=_flag(_object(config.get("presence")).get("enabled")),
        private=_flag(config.get("private")),
        replication_ready=bool(broadcast.get("replication_ready")),
        entries=tuple(entry for entry in entries if isinstance(entry, dict))
        if isinstance(entries, list)
        else (),
    )


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _flag(value: object) -> bool:
    return value is True or value == "true"


def parse_binding(asked: dict[str, object]) -> Binding:
    """One entry of `postgres_changes`.

    Raises:
        BindingError: no schema and table where they are needed, or a filter that cannot be parsed.
    """
    event = str(asked.get("event")).upper()
    select = _select(asked)
    schema, table, condition = (asked.get(key) for key in ("schema", "table", "filter"))
    filters: tuple[Filter, ...] = ()
    if isinstance(schema, str) and isinstance(table, str) and isinstance(condition, str):
        try:
            filters = tuple(parse_filters(condition))
        except FilterError as error:
            raise BindingError(f"Error parsing `filter` params: {error}") from error
    elif "filter" in asked or (schema is None and table is None) or not _texts_or_absent(asked):
        raise BindingError(
            "No subscription params provided. Please provide at least a `schema` or `table` to subscribe to: "
            + orjson.dumps(asked).decode()
        )
    binding = Binding(
        id=binding_id(asked),
        events=frozenset({event}) if event in ALL_EVENTS else ALL_EVENTS,
        schema=schema if isinstance(schema, str) else "public",
        table=table if isinstance(table, str) else ANY,
        filters=filters,
        select=select,
    )
    if binding.select is not None and ANY in (binding.schema, binding.table):
        raise BindingError(
            "Column selection is not supported for wildcard subscriptions. "
            "Provide an explicit schema and table name."
        )
    return binding


def _texts_or_absent(asked: dict[str, object]) -> bool:
    return all(isinstance(asked[key], str) for key in ("schema", "table") if key in asked)


def _select(asked: dict[str, object]) -> tuple[str, ...] | None:
    select = asked.get("select")
    if isinstance(select, str):
        raise BindingError(
            "Error parsing `select` params: expected a list of column name strings, "
            'e.g. select: ["col1", "col2"]'
        )
    columns = (
        tuple(column for column in select if isinstance(column, str)) if isinstance(select, list) else ()
    )
    return columns or None
