"""Rows of any table: as a producer may hand them over, and as they must come back."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.types as pat
from hypothesis import strategies as st

from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES, UUID

TABLES = LOAD_TABLES | DATABASE_TABLES

Cell = tuple[Any, Any]  # as given, as it comes back
Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

ANY_TEXT = st.text(st.characters(categories=["L", "N", "P", "S", "Zs", "Cc", "Co", "Cs"]), max_size=12)
MOMENTS = st.datetimes(
    datetime(1900, 1, 1),  # noqa: DTZ001 - Hypothesis adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


def without_surrogates(text: str) -> str:
    """What UTF-8 can hold of `text`."""
    return "".join("?" if "\ud800" <= letter <= "\udfff" else letter for letter in text)


def microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _same(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Cell]:
    return values.map(lambda value: (value, value))


def _whole_numbers(type_: pa.DataType) -> st.SearchStrategy[Cell]:
    bits, signed = type_.bit_width, pat.is_signed_integer(type_)
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return _same(st.integers(low, high))


def cells(type_: pa.DataType) -> st.SearchStrategy[Cell]:
    """Values that fit a column of `type_`, null among them."""
    fitting: st.SearchStrategy[Cell]
    if type_ == UUID:
        ids = st.uuids()
        fitting = ids.map(lambda id_: (id_.bytes, id_.bytes)) | ids.map(lambda id_: (str(id_), id_.bytes))
    elif pat.is_list(type_):
        items = st.lists(cells(type_.value_type), max_size=4)
        fitting = items.map(lambda pairs: ([given for given, _ in pairs], [back for _, back in pairs]))
    elif pat.is_string(type_):
        fitting = ANY_TEXT.map(lambda text: (text, without_surrogates(text)))
    elif pat.is_boolean(type_):
        fitting = _same(st.booleans())
    elif pat.is_floating(type_):
        fitting = _same(st.floats(width=type_.bit_width, allow_nan=False))
    elif type_ == pa.int64():
        times = MOMENTS.map(lambda moment: (moment.isoformat(), microseconds(moment)))
        fitting = _whole_numbers(type_) | times
    else:
        fitting = _whole_numbers(type_)
    return st.just((None, None)) | fitting


def rows(schema: pa.Schema) -> st.SearchStrategy[list[tuple[Row, Row]]]:
    """Rows of a table, each as given and as it comes back."""
    row = st.tuples(*(cells(type_) for type_ in schema.types))
    return st.lists(
        row.map(lambda pairs: (tuple(given for given, _ in pairs), tuple(back for _, back in pairs))),
        max_size=8,
    )


def call(number: int, name: str = "sign-in") -> Row:
    """A row of ``calls`` that `left_ns` tells from others."""
    return (uuid.UUID(int=number).bytes, name, number, number + 1, 0, 200, None)


def numbers(table: pa.Table) -> list[int]:
    """Which calls of `call` are in a table."""
    found: list[int] = table["left_ns"].to_pylist()
    return found


@contextmanager
def new_writer(tables: Mapping[str, pa.Schema]) -> Iterator[RecordWriter]:
    """A writer in a folder of its own; for tests that need one for each example."""
    with TemporaryDirectory() as folder:
        writer = RecordWriter(Path(folder) / "local", tables, ProcessInfo.here("local"))
        try:
            yield writer
        finally:
            writer.close()
