"""Reads a part of a run record back, also one whose writer was killed.

A file without the end-of-stream mark is one that was cut: every batch before the cut is read, and the
caller is told. Nothing is mapped into memory; a batch's buffers live as long as the caller keeps them.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from analysis.errors import RecordError
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
        if reader.schema != schema:
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
            yield batch if columns is None else batch.select(list(columns))


def is_complete(folder: Path, name: str) -> bool:
    """Whether the table's file ends with the mark of a good end."""
    try:
        with (folder / f"{name}.arrows").open("rb") as file:
            file.seek(-len(END_OF_STREAM), os.SEEK_END)
            return file.read() == END_OF_STREAM
    except OSError:  # missing, or shorter than the mark
        return False
