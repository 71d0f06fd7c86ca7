"""Batches of a record to the columns of a frame, piece by piece, keeping only what a judge needs.

Texts of messages are the bulk of a record; they are hashed as they pass. Ids become numbers (see
`analysis.identifiers`).
"""

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.types as pat
from numpy.typing import NDArray

from analysis.identifiers import NONE, Codes, Identifiers
from analysis.record.tables import UUID

NULL = -1  # stands for null in whole numbers: no seq, count or time of a record is negative

IDS_AT_ONCE = 1_000_000  # 16 MB of ids

_PEOPLE = {"user_id", "sender_id"}
_CHATS = {"chat_id"}
_OF_PAGES = ("seqs", "message_ids", "sender_ids", "text_crc32s", "statuses")  # lists, of the same messages
_TEXT = "text"  # of a message: hashed; every other text becomes a category


# Columns whose values are far smaller than their type in the record allows, and that make up much of a frame.
_NARROWED: dict[str, np.dtype[Any]] = {
    name: np.dtype(narrow)
    for name, narrow in (
        *(("seq", "i4"), ("text_crc32", "u4"), ("process", "i1"), ("clock", "i1")),
        *(("user_id", "i2"), ("sender_id", "i2"), ("chat_id", "i2"), ("socket", "i2")),
        *(("sender_ids", "i2"), ("text_crc32s", "u4"), ("statuses", "i1")),
    )
}


@dataclass(frozen=True, slots=True)
class Spaces:
    """The three kinds of ids of a record."""

    people: Identifiers = field(default_factory=Identifiers)
    chats: Identifiers = field(default_factory=Identifiers)
    messages: Identifiers = field(default_factory=Identifiers)  # message ids and client_generated_ids


class Gathered:
    """The columns of one table while it is read.

    People and chats are few and numbered as they pass. Messages are many, and to look a few up among them costs
    as much as to look up many: their ids are numbered `IDS_AT_ONCE`.
    """

    def __init__(self, schema: pa.Schema, spaces: Spaces) -> None:
        self._schema = schema
        self._spaces = spaces
        self._ids: dict[str, list[pa.Array]] = {}  # of messages
        self._texts: dict[str, list[pa.Array]] = {}
        self._numbers: dict[str, list[NDArray[Any]]] = {}
        self._lengths: list[NDArray[np.int64]] = []  # of the lists of message ids, pages only

    def add(self, table: pa.Table, process: int, clock: int) -> None:
        """Take in some rows that `process` wrote; nothing of `table` is kept alive."""
        self._number("process", np.full(len(table), process, np.int16))
        self._number("clock", np.full(len(table), clock, np.int16))
        for column in self._schema:
            values = table[column.name].combine_chunks()
            if column.name in _PEOPLE:
                self._number(column.name, self._spaces.people.encode(values))
            elif column.name in _CHATS:
                self._number(column.name, self._spaces.chats.encode(values))
            elif column.type == UUID:
                self._add_ids(column.name, values)
            elif column.name == _OF_PAGES[0]:
                self._add_lists(table)
            elif pat.is_list(column.type):
                continue  # handled together, so that all have a value for each message
            elif column.name == _TEXT:
                self._add_texts(values)
            elif pat.is_string(column.type):
                self._texts.setdefault(column.name, []).append(values)
            else:
                filler = False if pat.is_boolean(column.type) else NULL
                # An unsigned CRC needs a wider type to have room for the mark of a null.
                widened = values.cast(pa.int64()) if pat.is_unsigned_integer(column.type) else values
                filled = widened.fill_null(filler) if widened.null_count else widened
                self._number(column.name, filled.to_numpy(zero_copy_only=False).copy())

    def frame(self) -> pd.DataFrame:
        """The table, its columns in the schema's order after process and clock. What was gathered is let go."""
        columns: dict[str, Any] = {name: self._joined(name, np.int16) for name in ("process", "clock")}
        for column in self._schema:
            if column.name in _PEOPLE | _CHATS:
                columns[column.name] = self._joined(column.name, np.int32)
            elif column.type == UUID:
                columns[column.name] = self._messages(column.name)
            elif column.name == _TEXT:
                columns["text_hash"] = self._joined("text_hash", np.int64)
                columns["text_crc32"] = self._joined("text_crc32", np.int64)
            elif pat.is_string(column.type):
                columns[column.name] = _category(self._texts.pop(column.name, []))
            elif not pat.is_list(column.type):
                columns[column.name] = self._joined(column.name, column.type.to_pandas_dtype())
        return pd.DataFrame(columns, copy=False)

    def page_rows(self) -> pd.DataFrame:
        """A row for each message on each page: ``page``, ``seq``, ``message_id``, ``sender_id``, ``text_crc32``, ``status``."""
        lengths = np.concatenate(self._lengths) if self._lengths else np.empty(0, np.int64)
        return pd.DataFrame(
            {
                "page": np.repeat(np.arange(len(lengths)), lengths),
                "seq": self._joined("seqs", np.int64),
                "message_id": self._messages("message_ids"),
                "sender_id": self._joined("sender_ids", np.int32),
                "text_crc32": self._joined("text_crc32s", np.int64),
                "status": self._joined("statuses", np.int8),
            },
            copy=False,
        )

    def _number(self, name: str, values: NDArray[Any]) -> None:
        self._numbers.setdefault(name, []).append(values)

    def _add_texts(self, column: pa.Array) -> None:
        texts = column.cast(pa.binary()).to_pylist()
        present = [text for text in texts if text is not None]
        there = column.is_valid().to_numpy(zero_copy_only=False)
        hashes = np.full(len(texts), NULL, np.int64)  # Python gives no value the hash -1
        checksums = np.full(len(texts), NULL, np.int64)
        hashes[there] = np.fromiter(map(hash, present), np.int64, len(present))
        checksums[there] = np.fromiter(map(zlib.crc32, present), np.int64, len(present))
        self._number("text_hash", hashes)
        self._number("text_crc32", checksums)

    def _add_ids(self, name: str, ids: pa.Array) -> None:
        waiting = self._ids.setdefault(name, [])
        waiting.append(ids)
        if sum(map(len, waiting)) >= IDS_AT_ONCE:
            self._number_ids(name)

    def _number_ids(self, name: str) -> None:
        waiting = pa.chunked_array(self._ids.pop(name, []), UUID)
        self._number(name, self._spaces.messages.encode(waiting))

    def _messages(self, name: str) -> Codes:
        self._number_ids(name)
        return self._joined(name, np.int32)

    def _joined(self, name: str, empty: Any) -> NDArray[Any]:
        """One array of the pieces, which are let go; narrow where the record's type is wider than its values."""
        pieces = self._numbers.pop(name, [])
        values = np.concatenate(pieces) if pieces else np.empty(0, empty)
        narrow = _NARROWED.get(name)
        if narrow is None or not len(values):
            return values
        limits = np.iinfo(narrow)
        fits = limits.min <= values.min() and values.max() <= limits.max
        return values.astype(narrow) if fits else values

    def _add_lists(self, table: pa.Table) -> None:
        """A page's messages: as many as its longest list has, whatever of them an answer has."""
        lists = {name: table[name].combine_chunks() for name in _OF_PAGES}
        own = {name: _lengths(column) for name, column in lists.items()}
        lengths = np.maximum.reduce(list(own.values()))
        for name in ("seqs", "text_crc32s", "statuses"):
            values = lists[name].flatten()
            # As in `add`: an unsigned CRC needs room for the mark of a null.
            values = values.cast(pa.int64()) if pat.is_unsigned_integer(values.type) else values
            numbers = values.fill_null(NULL).to_numpy(zero_copy_only=False)
            self._number(name, _spread(numbers, own[name], lengths, NULL))
        ids = lists["message_ids"]
        positions = _spread(np.arange(own["message_ids"].sum()), own["message_ids"], lengths, NONE)
        self._add_ids("message_ids", ids.flatten().take(pa.array(positions, mask=positions == NONE)))
        people = self._spaces.people.encode(lists["sender_ids"].flatten())
        self._number("sender_ids", _spread(people, own["sender_ids"], lengths, NONE))
        self._lengths.append(lengths)


def _lengths(lists: pa.ListArray) -> NDArray[np.int64]:
    lengths: NDArray[np.int64] = np.diff(lists.offsets.to_numpy()).astype(np.int64)
    lengths[~lists.is_valid().to_numpy(zero_copy_only=False)] = 0
    return lengths


def _spread(
    flat: NDArray[Any], lengths: NDArray[np.int64], wanted: NDArray[np.int64], filler: int
) -> NDArray[Any]:
    """The items of lists of `lengths`, with each list filled up to its `wanted` length."""
    if np.array_equal(lengths, wanted):
        return flat.copy()
    spread = np.full(wanted.sum(), filler, flat.dtype)
    starts = np.cumsum(wanted) - wanted
    within = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    spread[np.repeat(starts, lengths) + within] = flat
    return spread


def _category(pieces: list[pa.Array]) -> "pd.Categorical[Any]":
    chunks = pa.chunked_array(pieces, pa.string()).dictionary_encode()
    if chunks.num_chunks == 0:
        return pd.Categorical([], categories=pd.Index([], dtype=str))
    codes = np.concatenate([chunk.indices.fill_null(NULL).to_numpy() for chunk in chunks.chunks])
    texts: list[str] = chunks.chunk(chunks.num_chunks - 1).dictionary.to_pylist()
    return pd.Categorical.from_codes(codes, categories=pd.Index(texts, dtype=str))
