"""A real ledger over a real record, and what it has put down so far."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent

from analysis.record import ProcessInfo, RecordWriter, read_table
from analysis.record.codes import SocketEvent
from analysis.record.tables import LOAD_TABLES
from locustfiles.clients.ledger import Ledger

WAIT_S = 15.0


def wait_until(condition: Callable[[], Any]) -> None:
    """Until it holds, while greenlets run. Bounded."""
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "never came to hold"
        gevent.sleep(0.01)


class Recorded:
    """Attributes:
    requests: what Locust's statistics were told: type, name, duration in ms, error in words.
    """

    def __init__(self, folder: Path) -> None:
        self.requests: list[tuple[str, str, float | None, str | None]] = []
        self._writer = RecordWriter(folder, LOAD_TABLES, ProcessInfo.here("load"))
        self.ledger = Ledger(self._writer, self._fire)

    def _fire(self, **said: Any) -> None:
        error = said["exception"]
        self.requests.append(
            (said["request_type"], said["name"], said["response_time"], error and str(error))
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """All rows of a table until now."""
        self._writer.flush()
        return read_table(self._writer.folder, table, LOAD_TABLES[table]).table.to_pylist()

    def steps(self) -> list[SocketEvent]:
        """The sockets' steps, in the order in which they were noted."""
        return [SocketEvent(row["event"]) for row in self.rows("sockets")]

    def step(self, event: SocketEvent) -> dict[str, Any]:
        """The newest step of this kind."""
        return [row for row in self.rows("sockets") if row["event"] == event][-1]

    def close(self) -> None:
        self._writer.close()
