"""Writes one process's part of a run record, beside the load and without getting in its way.

A row costs its producer an append to a list. Rows are turned into Arrow columns a few hundred or thousand
at a time, when a table's buffer is full or when the owner calls `flush` (at least every half second, so
that a kill loses less than a second). Every batch goes to the operating system in one write, framed as
Arrow's IPC stream format asks; nothing is kept back in the process.
Source: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format

What goes wrong with the disk never reaches the load: the rows of the failed write are counted as dropped,
the file is cut back to its last whole batch, the first error is kept in `error` and in ``process.json``. That rows
are lost is on disk at once, whatever comes next (see `analysis.record.process`): a table that got room again afterwards
tells of times of which another one lacks the rows.

One thread writes; greenlets of one thread may share a writer, since nothing in here yields to another.
"""

import os
from collections.abc import Callable, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pat

from analysis.errors import RecordError
from analysis.record.columns import column, prepare
from analysis.record.process import LOST_FILE, PROCESS_FILE, ProcessInfo, ProcessRecord

Row = tuple[Any, ...]

# A full buffer is converted inline, so its size bounds both the pause of the load (about 1 µs a row) and the
# memory. Texts and lists have no fixed size: 128 texts of 64 KiB are 8 MiB. Sends have a text, and a pause is in the
# latency of whatever is answered meanwhile: at 8,000 sends a second, 512 rows at a time add half a millisecond to P99.
ROWS_OF_FIXED_SIZE = 2048
ROWS_WITH_TEXT = 128

END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"


class RecordWriter:
    """One process's part of a record, open for writing.

    Args:
        folder: made if missing; it must not hold a record yet.
        tables: name and schema of each table; each becomes ``<name>.arrows``.
        process: who writes.

    Raises:
        RecordError: the folder cannot be written or holds a record already.
    """

    def __init__(self, folder: Path, tables: Mapping[str, pa.Schema], process: ProcessInfo) -> None:
        self.folder = folder
        self._process = process
        self._closed = False
        self._lost_rows = False
        self._told = False  # all that is to be said of the rows is said
        prepare()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            # The tables first: they refuse a folder that holds a record, whose process.json must stay.
            self._tables = {
                name: _TableFile(folder, name, schema, self._lose) for name, schema in tables.items()
            }
            ProcessRecord(process, lost_rows=True).write(folder, LOST_FILE)
            ProcessRecord(process).write(folder)
        except OSError as error:
            raise RecordError(
                f"The record of {process.name} cannot be written to {folder}: {error.strerror}; "
                "give a folder that can be written and holds no record yet."
            ) from error

    def adder(self, table: str) -> Callable[[Row], None]:
        """The function that adds a row to `table`: a tuple of values in the schema's order.

        UUIDs may be 16 bytes or 36 characters; 64-bit numbers may be ISO 8601 times (for ``*_us``).
        """
        file = self._tables[table]
        rows = file.rows
        append = rows.append
        limit = file.limit
        write = file.write_buffered

        def add(row: Row) -> None:
            append(row)
            if len(rows) >= limit:
                write()

        return add

    def flush(self) -> None:
        """Hand every buffered row to the operating system."""
        for file in self._tables.values():
            file.write_buffered()

    @property
    def buffered_rows(self) -> int:
        """Rows that a kill would lose now."""
        return sum(len(file.rows) for file in self._tables.values())

    @property
    def counts(self) -> dict[str, int]:
        """Rows handed to the operating system, by table."""
        return {name: file.written for name, file in self._tables.items()}

    @property
    def dropped(self) -> dict[str, int]:
        """Rows that could not be written, by table; tables without any are left out."""
        return {name: file.dropped for name, file in self._tables.items() if file.dropped}

    @property
    def error(self) -> str | None:
        """The first thing that went wrong, in one sentence."""
        return next((file.error for file in self._tables.values() if file.error), None)

    def close(self) -> None:
        """Write what is buffered and the marks of a good end. Further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        for file in self._tables.values():
            file.close()
        self._told = True
        record = ProcessRecord(
            self._process, True, self.counts, self.dropped, self.error, lost_rows=self._lost_rows
        )
        try:
            record.write(self.folder)
            (self.folder / LOST_FILE).unlink(missing_ok=True)
        except OSError as error:  # process.json then still says "closed": false, which is the truth
            self._note(error)

    def _lose(self) -> None:
        """The first row is lost: say so where it stays said."""
        if self._lost_rows or self._told:
            return
        self._lost_rows = True
        try:
            (self.folder / LOST_FILE).replace(self.folder / PROCESS_FILE)
        except OSError as error:
            self._note(error)

    def _note(self, error: OSError) -> None:
        first = next(iter(self._tables.values()))
        first.error = first.error or f"{PROCESS_FILE}: {error.strerror}"


class _TableFile:
    """One table: its buffer and its file, which always ends after a whole batch."""

    def __init__(self, folder: Path, name: str, schema: pa.Schema, lose: Callable[[], None]) -> None:
        self.rows: list[Row] = []
        self.limit = ROWS_WITH_TEXT if any(map(_varies, schema.types)) else ROWS_OF_FIXED_SIZE
        self.written = 0
        self.dropped = 0
        self.error: str | None = None
        self._name = name
        self._schema = schema
        self._lose = lose
        self._length = 0  # bytes up to the end of the last whole message
        self._open = True
        self._descriptor = os.open(folder / f"{name}.arrows", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        self._write(schema.serialize())

    def write_buffered(self) -> None:
        """Convert the buffered rows and write them. Never raises for what rows or disk are like."""
        rows = self.rows[:]
        del self.rows[: len(rows)]
        if not rows:
            return
        if not self._open:
            self._drop(len(rows), "rows were added after the record was closed")
            return
        fitting = [row for row in rows if len(row) == len(self._schema)]
        if len(fitting) < len(rows):
            self._drop(len(rows) - len(fitting), f"rows without exactly {len(self._schema)} values")
        if not fitting:
            return
        try:
            self._write(self._batch(fitting).serialize())
        except OSError as error:
            self._drop(len(fitting), error.strerror or repr(error))
        else:
            self.written += len(fitting)

    def close(self) -> None:
        """Write the rest and the end-of-stream mark."""
        self.write_buffered()
        self._open = False
        try:
            self._write(END_OF_STREAM)
        except OSError as error:
            self._drop(0, error.strerror or repr(error))
        finally:
            os.close(self._descriptor)

    def _batch(self, rows: list[Row]) -> pa.RecordBatch:
        arrays = []
        for place, field in enumerate(self._schema):
            # Column by column: zip(*rows) makes an iterator a row, and so wakes the garbage collector each time.
            array, misfits = column(list(map(itemgetter(place), rows)), field)
            if misfits:
                self._drop(0, f"{misfits} values do not fit {field.name} ({field.type}) and became null")
            arrays.append(array)
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)

    def _write(self, message: pa.Buffer | bytes) -> None:
        """Append `message` whole, or leave the file as it was and raise OSError."""
        rest = memoryview(message)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            os.ftruncate(self._descriptor, self._length)
            os.lseek(self._descriptor, self._length, os.SEEK_SET)
            raise
        self._length += memoryview(message).nbytes

    def _drop(self, rows: int, why: str) -> None:
        self.dropped += rows
        self.error = self.error or f"{self._name}: {why}"
        if rows:
            self._lose()


def _varies(type_: pa.DataType) -> bool:
    return bool(pat.is_string(type_) or pat.is_list(type_))
