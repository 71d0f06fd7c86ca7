"""A part of a record that lies in memory, as the judge reads it: see `analysis.evidence.Source`."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from analysis.record import ProcessInfo, ProcessRecord
from analysis.record.columns import column
from analysis.record.process import READER
from analysis.record.tables import DATABASE_TABLES, LOAD_TABLES

EPOCH_US = 1_780_000_000_000_000  # the database's clock at second 0 of a run
CLOCK_NS = 5_000_000_000_000  # the monotonic clock at second 0 of a run


class InMemory:
    """One process's part of a history."""

    def __init__(self, rows: Mapping[str, list[tuple[Any, ...]]], name: str, arrivals: str = READER) -> None:
        self._rows = rows
        tables = DATABASE_TABLES if name == "monitor" else LOAD_TABLES
        self._record = ProcessRecord(
            ProcessInfo(name, 1, "host", "boot", CLOCK_NS, EPOCH_US, arrivals=arrivals),
            closed=True,
            counts={table: len(self._rows[table]) for table in tables},
        )

    def process(self) -> ProcessRecord | None:
        return self._record

    def batches(self, table: str) -> Iterator[pa.RecordBatch]:
        schema = (LOAD_TABLES | DATABASE_TABLES)[table]
        if rows := self._rows[table]:
            columns = [
                column(values, field)[0]
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(columns, schema=schema)

    def complete(self, table: str) -> bool:
        return table in self._record.counts
