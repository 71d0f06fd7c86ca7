"""Reads a part of a run record back, also one whose writer was killed.

A file without the end-of-stream mark is one that was cut: every batch before the cut is read, and the
caller is told. Nothing is mapped into memory; a batch's buffers live as long as the caller keeps them.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from analysis.errors import RecordError
from analysis.record.tables import ADDED_LATER
from analysis.record.writer import END_OF_STREAM

_CUT_OR_DAMAGED = (pa.ArrowException, OSError)  # a wrong length in a file shows as any of Arrow's errors


@dataclass(frozen=True, slots=True)
class Part:
    """A table as far as it can be read.

    Attributes:
        complete: the file ends with the mark that its writer closed it.
    """

    table: pa.Table
    complete: bool


def read_table(folder: Path, name: str, schema: pa.Schema, columns: Sequence[str] | None = None) -> Part:
    """The table `name` in `folder`; empty and not complete when its file is missing.

    Args:
        schema: what the table is expected to look like, from `analysis.record.tables`.
        columns: which columns are wanted; None = all.

    Raises:
        RecordError: the file is no such table.
    """
    wanted = schema if columns is None else pa.schema([schema.field(column) for column in columns])
    batches = list(iter_batches(folder, name, schema, columns))
    return Part(pa.Table.from_batches(batches, schema=wanted), is_complete(folder, name))


def iter_batches(
    folder: Path, name: str, schema: pa.Schema, columns: Sequence[str] | None = None
) -> Iterator[pa.RecordBatch]:
    """The batches of a table one after another, as they were written; ends without a word at a cut.

    Raises:
        RecordError: the file is no such table.
    """
    path = folder / f"{name}.arrows"
    try:
        source = pa.OSFile(str(path), "rb")
    except FileNotFoundError:
        return
    except OSError as error:
        raise RecordError(f"{path} cannot be read as a table of a record: {error}.") from error
    with source:
        try:
            reader = ipc.open_stream(source)
        except _CUT_OR_DAMAGED:  # mostly cut within the schema: nothing was written yet
            return
        absent = set(ADDED_LATER.get(name, ())) - set(reader.schema.names)
        if reader.schema != _without(schema, absent):
            raise RecordError(
                f"{path} holds other columns than this chatsoak writes; use the version that did."
            )
        while True:
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                return
            except _CUT_OR_DAMAGED:  # mostly a batch that the killed writer did not finish
                return
            if batch.schema != schema:
                batch = _filled_up(batch, schema)
            yield batch if columns is None else batch.select(list(columns))


class Tail:
    """A table that is still being written: each time what has come since the time before.

    Args:
        columns: which columns are wanted.
    """

    def __init__(self, folder: Path, name: str, schema: pa.Schema, columns: Sequence[str]) -> None:
        self._path = folder / f"{name}.arrows"
        self._schema = schema
        self._columns = list(columns)
        self._read = 0  # bytes

    def new_batches(self) -> Iterator[pa.RecordBatch]:
        """The batches that are whole by now; none when the file is not there yet, or is of another version."""
        try:
            source = pa.OSFile(str(self._path), "rb")
        except OSError:
            return
        with source:
            source.seek(self._read)
            while True:
                try:
                    message = ipc.read_message(source)
                except (EOFError, *_CUT_OR_DAMAGED):  # the rest is being written
                    return
                if message.type == "record batch":
                    try:
                        batch = ipc.read_record_batch(message, self._schema)
                    except _CUT_OR_DAMAGED:
                        return
                    yield batch.select(self._columns)
                self._read = source.tell()


def _without(schema: pa.Schema, names: Collection[str]) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in names])


def _filled_up(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with nulls for what its writer did not know of."""
    known = set(batch.schema.names)
    return pa.RecordBatch.from_arrays(
        [batch[field.name] if field.name in known else pa.nulls(len(batch), field.type) for field in schema],
        schema=schema,
    )


def is_complete(folder: Path, name: str) -> bool:
    """Whether the table's file ends with the mark of a good end."""
    try:
        with (folder / f"{name}.arrows").open("rb") as file:
            file.seek(-len(END_OF_STREAM), os.SEEK_END)
            return file.read() == END_OF_STREAM
    except OSError:  # missing, or shorter than the mark
        return False
