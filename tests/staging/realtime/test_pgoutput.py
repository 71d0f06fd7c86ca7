"""pgoutput messages, written byte by byte from the protocol's documentation."""

import contextlib
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from staging.realtime.changes import Changes
from staging.realtime.pgoutput import (
    UNCHANGED,
    Begin,
    Commit,
    Delete,
    Insert,
    MalformedMessageError,
    Relation,
    RelationColumn,
    Truncate,
    Update,
    decode,
)

# 2026-11-23T16:00:00.123456Z, in microseconds since 2000-01-01 and since 1970-01-01.
COMMITTED_PG_US = 848_678_400_123_456
COMMITTED_US = 1_795_363_200_123_456


def text(value: str) -> bytes:
    data = value.encode()
    return b"t" + pack(">i", len(data)) + data


NULL = b"n"
TOAST = b"u"


def row(*values: bytes) -> bytes:
    return pack(">H", len(values)) + b"".join(values)


def column(name: str, oid: int, *, key: bool = False, modifier: int = -1) -> bytes:
    return bytes([key]) + name.encode() + b"\0" + pack(">Ii", oid, modifier)


RELATION = (
    b"R" + pack(">I", 16400) + b"public\0chat_messages\0f" + pack(">H", 2)
    + column("id", 2950, key=True) + column("message_text", 25, key=True)
)  # fmt: skip
KEY_RELATION = (
    b"R" + pack(">I", 16401) + b"public\0notes\0d" + pack(">H", 3)
    + column("id", 23, key=True) + column("body", 25) + column("mark", 1043, modifier=14)
)  # fmt: skip
BEGIN = b"B" + pack(">QqI", 0x1A2B3C, COMMITTED_PG_US, 771)
COMMIT = b"C" + pack(">BQQq", 0, 0x1A2B3C, 0x1A2B60, COMMITTED_PG_US)


def test_begin_and_commit() -> None:
    assert decode(BEGIN) == Begin(0x1A2B3C, COMMITTED_US, 771)
    assert decode(COMMIT) == Commit(0x1A2B3C, 0x1A2B60, COMMITTED_US)


def test_relation() -> None:
    assert decode(KEY_RELATION) == Relation(
        16401,
        "public",
        "notes",
        "d",
        (
            RelationColumn("id", 23, -1, True),
            RelationColumn("body", 25, -1, False),
            RelationColumn("mark", 1043, 14, False),
        ),
    )


def test_an_empty_schema_is_pg_catalog() -> None:
    message = decode(b"R" + pack(">I", 1) + b"\0t\0n" + pack(">H", 0))
    assert message == Relation(1, "pg_catalog", "t", "n", ())


def test_insert() -> None:
    data = b"I" + pack(">I", 16400) + b"N" + row(text("a"), text("שלום 👋"), NULL, text(""))
    assert decode(data) == Insert(16400, ("a", "שלום 👋", None, ""))


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (b"", {}),
        (b"K" + row(text("1"), NULL), {"old_key": ("1", None)}),
        (b"O" + row(text("1"), text("old")), {"old": ("1", "old")}),
    ],
    ids=["key unchanged", "key changed", "identity full"],
)
def test_update(before: bytes, expected: dict[str, tuple[str | None, ...]]) -> None:
    data = b"U" + pack(">I", 7) + before + b"N" + row(text("2"), TOAST)
    assert decode(data) == Update(7, ("2", UNCHANGED), **expected)


def test_delete_by_key_and_by_whole_row() -> None:
    assert decode(b"D" + pack(">I", 7) + b"K" + row(text("1"), NULL)) == Delete(7, old_key=("1", None))
    assert decode(b"D" + pack(">I", 7) + b"O" + row(text("1"), text("x"))) == Delete(7, old=("1", "x"))


def test_truncate() -> None:
    assert decode(b"T" + pack(">IBII", 2, 3, 7, 8)) == Truncate((7, 8), cascade=True, restart_identity=True)
    assert decode(b"T" + pack(">IBI", 1, 0, 7)) == Truncate((7,), cascade=False, restart_identity=False)


@pytest.mark.parametrize(
    "data", [b"Y" + pack(">I", 600) + b"public\0mood\0", b"O" + pack(">Q", 1) + b"node\0"]
)
def test_messages_without_rows_are_passed_over(data: bytes) -> None:
    assert decode(data) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Z",
        b"I" + pack(">I", 7) + b"X" + row(),
        b"I" + pack(">I", 7) + b"N" + row(b"x"),
        b"I" + pack(">I", 7) + b"N" + row(b"t" + pack(">i", 5) + b"abc"),
        b"I" + pack(">I", 7) + b"N" + row(b"t" + pack(">i", -5) + b"abc"),
        b"I" + pack(">I", 7) + b"N" + row(b"t" + pack(">i", 1) + b"\xff"),
        BEGIN[:-1],
        BEGIN + b"\0",
        RELATION[:30],
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedMessageError):
        decode(data)


@given(st.binary(max_size=60))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(MalformedMessageError):
        decode(data)


def test_changes_of_a_table_with_its_whole_row_as_identity() -> None:
    changes = Changes().read(
        [
            RELATION,
            BEGIN,
            b"I" + pack(">I", 16400) + b"N" + row(text("a"), text("new")),
            b"U" + pack(">I", 16400) + b"O" + row(text("a"), text("big")) + b"N" + row(text("a"), TOAST),
            b"D" + pack(">I", 16400) + b"O" + row(text("a"), NULL),
            COMMIT,
        ]
    )
    assert [change.kind for change in changes] == ["INSERT", "UPDATE", "DELETE"]
    assert {change.committed_at_us for change in changes} == {COMMITTED_US}
    inserted, updated, deleted = changes
    assert (inserted.new, inserted.old) == ({"id": "a", "message_text": "new"}, {})
    assert (updated.new, updated.old) == ({"id": "a"}, {"id": "a", "message_text": "big"})
    assert (deleted.new, deleted.old) == ({}, {"id": "a", "message_text": None})
    assert deleted.filterable == deleted.old


def test_changes_of_a_table_with_its_key_as_identity() -> None:
    reader = Changes()
    reader.read([KEY_RELATION])
    unchanged, moved, deleted = reader.read(
        [
            BEGIN,
            b"U" + pack(">I", 16401) + b"N" + row(text("1"), text("b"), NULL),
            b"U"
            + pack(">I", 16401)
            + b"K"
            + row(text("1"), NULL, NULL)
            + b"N"
            + row(text("2"), text("b"), NULL),
            b"D" + pack(">I", 16401) + b"K" + row(text("2"), NULL, NULL),
            b"T" + pack(">IBI", 1, 0, 16401),
            COMMIT,
        ]
    )
    assert (unchanged.new, unchanged.old) == ({"id": "1", "body": "b", "mark": None}, {"id": "1"})
    assert (moved.new["id"], moved.old) == ("2", {"id": "1"})
    assert (deleted.new, deleted.old) == ({}, {"id": "2"})
