"""What the monitor writes down: the tables of ``database/``, ``findings.jsonl``, and its words on stdout."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import asyncpg

from analysis.errors import RecordError
from analysis.monitor.findings import Noticed
from analysis.monitor.looks import Snapshot
from analysis.monitor.memory import Look
from analysis.record import ProcessInfo, RecordWriter
from analysis.record.codes import PollKind
from analysis.record.tables import DATABASE_TABLES

FINDINGS_FILE = "findings.jsonl"
SAID_A_LOOK = 20  # findings on stdout; findings.jsonl has all of them


class Journal:
    """The monitor's part of a run's record, open for writing.

    Args:
        folder: of this monitor's own.
        stored: how many messages of the run are there already, as far as is written down.

    Raises:
        RecordError: the folder cannot be written, or holds the record of a monitor already.
    """

    def __init__(self, folder: Path, stored: int = 0) -> None:
        self.folder = folder
        self._record = RecordWriter(self.folder, DATABASE_TABLES, ProcessInfo.here("monitor"))
        try:
            self._findings = (self.folder / FINDINGS_FILE).open("a", encoding="utf-8")
        except OSError as error:
            self._record.close()
            raise RecordError(f"{self.folder / FINDINGS_FILE} cannot be written: {error.strerror}.") from None
        self._stored = stored
        self._add_baseline = self._record.adder("baseline")
        self._add_observation = self._record.adder("observations")
        self._add_poll = self._record.adder("polls")

    def baseline(self, rows: Iterable[tuple[bytes, int, int]]) -> None:
        """Write down each chat with its newest seq and its number of rows."""
        for row in rows:
            self._add_baseline(row)
        self._record.flush()

    def write(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Write down rows of `table` in its schema's order."""
        add = self._record.adder(table)
        for row in rows:
            add(row)

    def looked(self, kind: PollKind, look: Look, taken: Snapshot, began_ns: int) -> None:
        """Write down a look that came to its end."""
        clocks = (taken.database_us, taken.xmin, taken.next_xid, taken.server_us)
        self._write(kind, look, taken.at_ns, began_ns, clocks, None, taken.asked_ns)

    def failed(self, look: Look, began_ns: int, error: BaseException) -> None:
        """Write down a look that did not, with what it had seen by then."""
        # Of a connection that is gone asyncpg says what can no longer be done with it; what ended it is behind that, or nowhere.
        cause = error
        while isinstance(cause, asyncpg.InterfaceError):
            cause = cause.__context__ or ConnectionError("the connection is gone")
        said = f"{type(cause).__name__}: {cause}".rstrip(": ")
        self._write(PollKind.FAILED, look, began_ns, began_ns, (None, None, None, None), said, None)

    def say(self, what: dict[str, Any]) -> None:
        """A line to whoever started us, who may have ended."""
        print(json.dumps(what), flush=True)  # noqa: T201 - the protocol

    def close(self) -> None:
        """Close everything in good order."""
        self._record.close()
        self._findings.close()

    def _write(
        self,
        kind: PollKind,
        look: Look,
        at_ns: int,
        began_ns: int,
        clocks: tuple[int | None, int | None, int | None, int | None],
        error: str | None,
        asked_ns: int | None,
    ) -> None:
        for row in look.observations:
            self._add_observation(row)
        duration_ms = (time.monotonic_ns() - began_ns) / 1e6
        counts = (look.new, look.changed, look.gone)
        self._add_poll((look.poll, kind, at_ns, duration_ms, *clocks, *counts, error, asked_ns))
        self._record.flush()
        self._tell(look.findings)
        self._stored += look.new - look.gone
        self.say({"look": {"number": look.poll, "stored": self._stored, "error": error}})

    def _tell(self, findings: list[Noticed]) -> None:
        for number, noticed in enumerate(findings):
            known = {name: value for name, value in asdict(noticed.finding).items() if value is not None}
            said = {"criterion": noticed.criterion, **known}
            self._findings.write(json.dumps(said, ensure_ascii=False) + "\n")
            if number < SAID_A_LOOK:
                self.say({"finding": said})
        self._findings.flush()
        if (more := len(findings) - SAID_A_LOOK) > 0:
            by_criterion = Counter(noticed.criterion for noticed in findings[SAID_A_LOOK:])
            why = f"{more:,} more at this look: see {FINDINGS_FILE}."
            self.say({"finding": {"why": why, "more": by_criterion}})
