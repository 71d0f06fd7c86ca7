"""Batches of a record to the columns of a frame, piece by piece, keeping only what a judge needs.

Texts of messages are the bulk of a record; they are hashed as they pass. Ids stay Arrow columns until all
of them have been seen and can be numbered (see `analysis.identifiers`).
"""

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from analysis.identifiers import NONE, Codes
from analysis.record.tables import UUID

NULL = -1  # stands for null in whole numbers: no seq, count or time of a record is negative

_TEXT = "text"  # of a message: hashed; every other text becomes a category


class Gathered:
    """The columns of one table while the record is read."""

    def __init__(self, schema: pa.Schema) -> None:
        self.id_columns = [field.name for field in schema if field.type == UUID]
        self._schema = schema
        self._arrays: dict[str, list[pa.Array]] = {name: [] for name in self.id_columns}
        self._numbers: dict[str, list[NDArray[Any]]] = {"process": [], "clock": []}
        self._lengths: list[NDArray[np.int64]] = []  # of the lists of message ids, pages only

    def add(self, table: pa.Table, process: int, clock: int) -> None:
        """Take in some rows that `process` wrote; nothing of `table` is kept alive."""
        self._number("process", np.full(len(table), process, np.int16))
        self._number("clock", np.full(len(table), clock, np.int16))
        for field in self._schema:
            column = table[field.name].combine_chunks()
            if field.type == UUID:
                self._arrays[field.name].append(column)
            elif pat.is_list(field.type):
                self._add_lists(field, column, table)
            elif field.name == _TEXT:
                self._add_texts(column)
            elif pat.is_string(field.type):
                self._arrays.setdefault(field.name, []).append(column)
            else:
                filler = False if pat.is_boolean(field.type) else NULL
                # An unsigned CRC needs a wider type to have room for the mark of a null.
                widened = column.cast(pa.int64()) if pat.is_unsigned_integer(field.type) else column
                filled = widened.fill_null(filler) if widened.null_count else widened
                self._number(field.name, filled.to_numpy(zero_copy_only=False).copy())

    def take_ids(self) -> dict[str, list[pa.Array]]:
        """Hand over the id columns (those in lists flattened); they are not kept."""
        names = [*self.id_columns, *(["message_ids"] if "message_ids" in self._schema.names else [])]
        return {name: self._arrays.pop(name, []) for name in names}

    def frame(self, codes: Mapping[str, Codes]) -> pd.DataFrame:
        """The table with its ids as `codes`, columns in the schema's order after process and clock."""
        columns: dict[str, Any] = {
            name: _joined(self._numbers, name, np.int16) for name in ("process", "clock")
        }
        for field in self._schema:
            if field.name in codes:
                columns[field.name] = codes[field.name]
            elif field.name == _TEXT:
                columns["text_hash"] = _joined(self._numbers, "text_hash", np.int64)
                columns["text_crc32"] = _joined(self._numbers, "text_crc32", np.int64)
            elif pat.is_string(field.type):
                columns[field.name] = _category(self._arrays.pop(field.name, []))
            elif not pat.is_list(field.type):
                columns[field.name] = _joined(self._numbers, field.name, field.type.to_pandas_dtype())
        return pd.DataFrame(columns, copy=False)

    def page_rows(self, messages: Codes) -> pd.DataFrame:
        """A row for each message on each page: ``page``, ``seq``, ``message_id``."""
        lengths = np.concatenate(self._lengths) if self._lengths else np.empty(0, np.int64)
        return pd.DataFrame(
            {
                "page": np.repeat(np.arange(len(lengths)), lengths),
                "seq": _joined(self._numbers, "seqs", np.int64),
                "message_id": messages,
            },
            copy=False,
        )

    def _number(self, name: str, values: NDArray[Any]) -> None:
        self._numbers.setdefault(name, []).append(values)

    def _add_texts(self, column: pa.Array) -> None:
        texts = column.cast(pa.binary()).to_pylist()
        present = [text for text in texts if text is not None]
        there = column.is_valid().to_numpy(zero_copy_only=False)
        hashes = np.zeros(len(texts), np.int64)
        checksums = np.full(len(texts), NULL, np.int64)
        hashes[there] = np.fromiter(map(hash, present), np.int64, len(present))
        checksums[there] = np.fromiter(map(zlib.crc32, present), np.int64, len(present))
        self._number("text_hash", hashes)
        self._number("text_crc32", checksums)

    def _add_lists(self, field: pa.Field, column: pa.ListArray, table: pa.Table) -> None:
        """A page's messages: as many as it has ids, or seqs where an answer has no ids."""
        if field.type.value_type == UUID:
            return  # handled together with the seqs, so that both have a value for each message
        ids = table["message_ids"].combine_chunks()
        seq_lengths, id_lengths = _lengths(column), _lengths(ids)
        lengths = np.maximum(seq_lengths, id_lengths)
        seqs = column.flatten().fill_null(NULL).to_numpy(zero_copy_only=False)
        self._number("seqs", _spread(seqs, seq_lengths, lengths, NULL))
        positions = _spread(np.arange(id_lengths.sum()), id_lengths, lengths, NONE)
        self._arrays.setdefault("message_ids", []).append(
            ids.flatten().take(pa.array(positions, mask=positions == NONE))
        )
        self._lengths.append(lengths)


def _lengths(lists: pa.ListArray) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    lengths[~lists.is_valid().to_numpy(zero_copy_only=False)] = 0
    return lengths


def _spread(
    flat: NDArray[np.int64], lengths: NDArray[np.int64], wanted: NDArray[np.int64], filler: int
) -> NDArray[np.int64]:
    """The items of lists of `lengths`, with each list filled up to its `wanted` length."""
    if np.array_equal(lengths, wanted):
        return flat.copy()
    spread = np.full(wanted.sum(), filler, np.int64)
    starts = np.cumsum(wanted) - wanted
    within = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    spread[np.repeat(starts, lengths) + within] = flat
    return spread


def _joined(pieces: dict[str, list[NDArray[Any]]], name: str, empty: Any) -> NDArray[Any]:
    """One array of the pieces, which are let go."""
    arrays = pieces.pop(name, [])
    return np.concatenate(arrays) if arrays else np.empty(0, empty)


def _category(pieces: list[pa.Array]) -> "pd.Categorical[Any]":
    chunks = pa.chunked_array(pieces, pa.string()).dictionary_encode()
    if chunks.num_chunks == 0:
        return pd.Categorical([], categories=pd.Index([], dtype=str))
    codes = np.concatenate([chunk.indices.fill_null(NULL).to_numpy() for chunk in chunks.chunks])
    texts: list[str] = chunks.chunk(chunks.num_chunks - 1).dictionary.to_pylist()
    return pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype=str))
