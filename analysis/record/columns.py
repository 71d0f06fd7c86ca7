"""Python values to Arrow columns, in bulk: what a writer does with the rows it has gathered.

Each column is converted at once by the quickest way that fits all its values. Only when that way refuses
are the values taken one by one: what cannot be converted becomes null and is counted, so that one odd
answer of a server costs a cell and not the rows around it.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pat

_UUID = pa.binary(16)
_NO_UUID = bytes(16)
_HYPHENS = np.array([8, 13, 18, 23])  # columns of the hyphens in a UUID's text
_MICROSECONDS_UTC = pa.timestamp("us", tz="UTC")
_MICROSECONDS_IN_S = 1_000_000


def prepare() -> None:
    """Have pyarrow import what it imports at its first conversion: pandas, 200 ms for which a load would stand still."""
    pa.array([None], pa.null())


def column(values: Sequence[Any], field: pa.Field) -> tuple[pa.Array, int]:
    """The values of one column as an Arrow array, and how many of them did not fit and became null."""
    convert, convert_one = _CONVERTERS.get(field.type, (None, None))
    if convert is None or convert_one is None:
        if pat.is_list(field.type):
            return _list_column(values, field.type)
        convert, convert_one = _plain(field.type)
    try:
        return convert(values), 0
    except (ValueError, TypeError, OverflowError):  # pyarrow's own errors are among these
        return _one_by_one(values, field.type, convert_one)


def _one_by_one(
    values: Sequence[Any], type_: pa.DataType, convert_one: Callable[[Any], Any]
) -> tuple[pa.Array, int]:
    converted: list[Any] = []
    misfits = 0
    for value in values:
        try:
            converted.append(None if value is None else convert_one(value))
        except (ValueError, TypeError, OverflowError):
            converted.append(None)
            misfits += 1
    return pa.array(converted, type_), misfits


def _plain(type_: pa.DataType) -> tuple[Callable[[Sequence[Any]], pa.Array], Callable[[Any], Any]]:
    """For types that need no thought: what Arrow itself accepts."""
    return (lambda values: pa.array(values, type_)), (lambda value: pa.scalar(value, type_).as_py())


def _list_column(values: Sequence[Any], type_: pa.ListType) -> tuple[pa.Array, int]:
    """Lists are converted as one flat column, so that UUIDs in them take the quick way too."""
    no_lists = sum(items is not None and not isinstance(items, list | tuple) for items in values)
    if no_lists:
        values = [items if isinstance(items, list | tuple) else None for items in values]
    lengths = np.fromiter((len(items) if items else 0 for items in values), np.int32, len(values))
    offsets = np.zeros(len(values) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    flat, misfits = column([item for items in values if items for item in items], type_.value_field)
    mask = pa.array([items is None for items in values], pa.bool_())
    return pa.ListArray.from_arrays(pa.array(offsets), flat, type=type_, mask=mask), misfits + no_lists


def _uuids(values: Sequence[Any]) -> pa.Array:
    """UUIDs as 16 bytes or as 36 characters, all alike but for None.

    Raises:
        ValueError: some value is neither, or both kinds are mixed.
    """
    kinds = set(map(type, values))
    if kinds == {type(None)}:
        return pa.nulls(len(values), _UUID)
    validity = None
    if type(None) in kinds:
        kinds.discard(type(None))
        present = np.fromiter((value is not None for value in values), np.bool_, len(values))
        validity = pa.py_buffer(np.packbits(present, bitorder="little"))
        filler = _NO_UUID if kinds == {bytes} else str(uuid.UUID(bytes=_NO_UUID))
        values = [filler if value is None else value for value in values]
    if kinds == {bytes}:
        raw = _joined_bytes(values)
    elif kinds == {str}:
        raw = _parsed_texts(values)
    elif not kinds:
        return pa.array([], _UUID)
    else:
        raise ValueError("expected UUIDs as bytes or as text")
    return pa.Array.from_buffers(_UUID, len(values), [validity, pa.py_buffer(raw)])


def _joined_bytes(values: Sequence[bytes]) -> bytes:
    if set(map(len, values)) != {16}:
        raise ValueError("expected 16 bytes a UUID")
    return b"".join(values)


def _parsed_texts(values: Sequence[str]) -> bytes:
    """The bytes of UUID texts. With the hyphens in place and the sums right, each of them is right."""
    if set(map(len, values)) != {36}:
        raise ValueError("expected 36 characters a UUID")
    text = "".join(values)
    table = np.frombuffer(text.encode("ascii"), np.uint8).reshape(len(values), 36)
    if not (table[:, _HYPHENS] == ord("-")).all():
        raise ValueError("expected hyphens in a UUID")
    digits = text.replace("-", "")
    raw = bytes.fromhex(digits)
    if len(digits) != 32 * len(values) or len(raw) != 16 * len(values):
        raise ValueError("expected 32 hexadecimal digits a UUID")
    return raw


def _one_uuid(value: Any) -> bytes:
    if not isinstance(value, bytes | str):
        raise TypeError("expected a UUID as bytes or as text")
    return uuid.UUID(bytes=value).bytes if isinstance(value, bytes) else uuid.UUID(value).bytes


def _whole_numbers(values: Sequence[Any]) -> pa.Array:
    """Integers, or times as ISO 8601 text, which become microseconds since the Unix epoch."""
    try:
        return pa.array(values, pa.int64())
    except (ValueError, TypeError):
        return pa.array(values, pa.string()).cast(_MICROSECONDS_UTC).cast(pa.int64())


def _one_whole_number(value: Any) -> int:
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("expected a time with its offset")
        whole = moment.replace(microsecond=0)
        return round(whole.timestamp()) * _MICROSECONDS_IN_S + moment.microsecond
    number = int(value)
    if number != value or not -(1 << 63) <= number < 1 << 63:
        raise ValueError("expected a whole number of 64 bits")
    return number


def _texts(values: Sequence[Any]) -> pa.Array:
    return pa.array(values, pa.string())


def _one_text(value: Any) -> str:
    """Text as UTF-8 can hold it: a lone surrogate becomes a question mark."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


_CONVERTERS: dict[pa.DataType, tuple[Callable[[Sequence[Any]], pa.Array], Callable[[Any], Any]]] = {
    _UUID: (_uuids, _one_uuid),
    pa.int64(): (_whole_numbers, _one_whole_number),
    pa.string(): (_texts, _one_text),
}
