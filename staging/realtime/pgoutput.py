"""Decodes messages of PostgreSQL's `pgoutput` plugin, protocol version 1: bytes in, values out.

Pure: no socket, no database, no memory of earlier messages (whoever calls keeps the relations by id).
Layout: https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html

Column values are what the type's output function wrote (text), `None` for NULL, or `UNCHANGED` for a large value
that an UPDATE did not touch and that PostgreSQL therefore did not write.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from struct import Struct, error

__all__ = [
    "UNCHANGED",
    "Begin",
    "Commit",
    "Delete",
    "Insert",
    "MalformedMessageError",
    "Message",
    "Relation",
    "RelationColumn",
    "Row",
    "Truncate",
    "Unchanged",
    "Update",
    "decode",
]


class Unchanged(Enum):
    """The type of `UNCHANGED`, so that a type checker can tell it from text."""

    TOAST = "unchanged TOAST value"


UNCHANGED = Unchanged.TOAST

Row = tuple[str | Unchanged | None, ...]

# 2000-01-01T00:00:00Z, the epoch of PostgreSQL's timestamps, in microseconds of the Unix epoch.
POSTGRES_EPOCH_US = 946_684_800_000_000

_BEGIN = Struct(">QqI")
_COMMIT = Struct(">BQQq")
_OID = Struct(">I")
_COUNT = Struct(">H")
_LENGTH = Struct(">i")
_COLUMN_TYPE = Struct(">Ii")
_TRUNCATE = Struct(">IB")


class MalformedMessageError(ValueError):
    """These bytes are no pgoutput message of version 1."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A transaction starts. `committed_at_us`: when it was committed, in microseconds of the Unix epoch."""

    final_lsn: int
    committed_at_us: int
    xid: int


@dataclass(frozen=True, slots=True)
class Commit:
    """The transaction that began last is complete."""

    commit_lsn: int
    end_lsn: int
    committed_at_us: int


@dataclass(frozen=True, slots=True)
class RelationColumn:
    """`in_identity`: part of the replica identity, which with REPLICA IDENTITY FULL is every column."""

    name: str
    type_oid: int
    type_modifier: int
    in_identity: bool


@dataclass(frozen=True, slots=True)
class Relation:
    """A table as it was at this place of the log. `replica_identity`: d(efault), n(othing), f(ull) or i(ndex)."""

    oid: int
    schema: str
    table: str
    replica_identity: str
    columns: tuple[RelationColumn, ...]


@dataclass(frozen=True, slots=True)
class Insert:
    relation_oid: int
    new: Row


@dataclass(frozen=True, slots=True)
class Update:
    """`old` is the whole old row (REPLICA IDENTITY FULL); `old_key` has only the identity's columns, the others
    None, and is there only if one of them changed. At most one of the two is there."""

    relation_oid: int
    new: Row
    old: Row | None = None
    old_key: Row | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Exactly one of `old` (REPLICA IDENTITY FULL) and `old_key` is there."""

    relation_oid: int
    old: Row | None = None
    old_key: Row | None = None


@dataclass(frozen=True, slots=True)
class Truncate:
    relation_oids: tuple[int, ...]
    cascade: bool
    restart_identity: bool


Message = Begin | Commit | Relation | Insert | Update | Delete | Truncate


def decode(data: bytes) -> Message | None:
    """One message. None for those that carry no row: Type, Origin and logical messages.

    Raises:
        MalformedMessageError: an unknown kind, or bytes that are missing or left over.
    """
    try:
        decoder = _DECODERS[data[0]]
    except (IndexError, KeyError):
        raise MalformedMessageError(f"unknown kind {data[:1]!r}") from None
    try:
        message, end = decoder(data)
    except (IndexError, error, UnicodeDecodeError) as cause:
        raise MalformedMessageError(f"cut short or not UTF-8: {data[:40]!r}") from cause
    if end != len(data):
        raise MalformedMessageError(f"{len(data) - end} bytes too many: {data[:40]!r}")
    return message


def _begin(data: bytes) -> tuple[Begin, int]:
    lsn, at_us, xid = _BEGIN.unpack_from(data, 1)
    return Begin(lsn, at_us + POSTGRES_EPOCH_US, xid), 1 + _BEGIN.size


def _commit(data: bytes) -> tuple[Commit, int]:
    _flags, lsn, end_lsn, at_us = _COMMIT.unpack_from(data, 1)
    return Commit(lsn, end_lsn, at_us + POSTGRES_EPOCH_US), 1 + _COMMIT.size


def _without_rows(data: bytes) -> tuple[None, int]:
    return None, len(data)


def _insert(data: bytes) -> tuple[Insert, int]:
    (oid,) = _OID.unpack_from(data, 1)
    _expect(data, 5, b"N")
    new, at = _row(data, 6)
    return Insert(oid, new), at


def _update(data: bytes) -> tuple[Update, int]:
    (oid,) = _OID.unpack_from(data, 1)
    old = old_key = None
    at = 5
    part = data[at : at + 1]
    if part == b"O":
        old, at = _row(data, at + 1)
    elif part == b"K":
        old_key, at = _row(data, at + 1)
    _expect(data, at, b"N")
    new, at = _row(data, at + 1)
    return Update(oid, new, old, old_key), at


def _delete(data: bytes) -> tuple[Delete, int]:
    (oid,) = _OID.unpack_from(data, 1)
    part = data[5:6]
    if part == b"O":
        row, at = _row(data, 6)
        return Delete(oid, old=row), at
    _expect(data, 5, b"K")
    row, at = _row(data, 6)
    return Delete(oid, old_key=row), at


def _truncate(data: bytes) -> tuple[Truncate, int]:
    count, options = _TRUNCATE.unpack_from(data, 1)
    at = 1 + _TRUNCATE.size
    oids = []
    for _ in range(count):
        oids.append(_OID.unpack_from(data, at)[0])
        at += 4
    return Truncate(tuple(oids), bool(options & 1), bool(options & 2)), at


def _relation(data: bytes) -> tuple[Relation, int]:
    (oid,) = _OID.unpack_from(data, 1)
    schema, at = _string(data, 5)
    table, at = _string(data, at)
    identity = chr(data[at])
    (count,) = _COUNT.unpack_from(data, at + 1)
    at += 3
    columns = []
    for _ in range(count):
        flags = data[at]
        name, at = _string(data, at + 1)
        type_oid, modifier = _COLUMN_TYPE.unpack_from(data, at)
        at += _COLUMN_TYPE.size
        columns.append(RelationColumn(name, type_oid, modifier, bool(flags & 1)))
    # An empty schema stands for pg_catalog.
    return Relation(oid, schema or "pg_catalog", table, identity, tuple(columns)), at


def _row(data: bytes, at: int) -> tuple[Row, int]:
    (count,) = _COUNT.unpack_from(data, at)
    at += 2
    values: list[str | Unchanged | None] = []
    for _ in range(count):
        kind = data[at]
        at += 1
        if kind == 0x74:  # t(ext)
            (length,) = _LENGTH.unpack_from(data, at)
            at += 4
            end = at + length
            if length < 0 or end > len(data):
                raise MalformedMessageError(f"a value of {length} bytes, {len(data) - at} are left")
            values.append(data[at:end].decode())
            at = end
        elif kind == 0x6E:  # n(ull)
            values.append(None)
        elif kind == 0x75:  # u(nchanged)
            values.append(UNCHANGED)
        else:
            raise MalformedMessageError(f"unknown kind of value {kind:#x}")
    return tuple(values), at


def _string(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\x00", at)
    if end < 0:
        raise MalformedMessageError("a name without its end")
    return data[at:end].decode(), end + 1


def _expect(data: bytes, at: int, part: bytes) -> None:
    if data[at : at + 1] != part:
        raise MalformedMessageError(f"expected {part!r} at byte {at}, found {data[at : at + 1]!r}")


_DECODERS: dict[int, Callable[[bytes], tuple[Message | None, int]]] = {
    ord("B"): _begin,
    ord("C"): _commit,
    ord("R"): _relation,
    ord("I"): _insert,
    ord("U"): _update,
    ord("D"): _delete,
    ord("T"): _truncate,
    ord("Y"): _without_rows,
    ord("O"): _without_rows,
    ord("M"): _without_rows,
}
