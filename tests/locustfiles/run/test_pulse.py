"""Promise: a load process notes when it stood still, what it was doing meanwhile, and that it collected garbage."""

import gc
import time
from collections.abc import Callable
from pathlib import Path

import gevent

from analysis.record import ProcessInfo, RecordWriter
from analysis.record.reader import read_table
from analysis.record.tables import LOAD_TABLES, STALLS
from locustfiles.run.processor import Processor
from locustfiles.run.pulse import BEAT_S, Departures, Pulse


def beaten(
    folder: Path, during: Callable[[], None], departures: Departures | None = None
) -> tuple[list, list]:
    """Rows of ``generator`` and ``stalls`` of a process in which `during` happens."""
    writer = RecordWriter(folder, LOAD_TABLES, ProcessInfo.here("local"))
    pulse = Pulse(writer, lambda: 3, lambda: departures or Departures())
    gevent.sleep(3 * BEAT_S)
    during()
    gevent.sleep(3 * BEAT_S)
    pulse.stop()
    writer.close()
    return tuple(
        read_table(folder, name, LOAD_TABLES[name]).table.to_pylist() for name in ("generator", "stalls")
    )  # type: ignore[return-value]


def busy(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_a_loop_that_stands_still_is_noted_with_what_it_cost(tmp_path: Path) -> None:
    begin_ns = time.monotonic_ns()
    _, stalls = beaten(tmp_path, lambda: busy(0.2))
    longest = max(stalls, key=lambda stall: stall["end_ns"] - stall["begin_ns"])
    assert longest["end_ns"] - longest["begin_ns"] >= 200_000_000
    assert longest["cpu_ms"] >= 190
    assert longest["begin_ns"] >= begin_ns
    assert stalls == sorted(stalls, key=lambda stall: stall["begin_ns"])
    assert list(longest) == STALLS.names


def test_a_process_that_does_not_run_uses_nothing_meanwhile(tmp_path: Path) -> None:
    _, stalls = beaten(tmp_path, lambda: time.sleep(0.2))
    longest = max(stalls, key=lambda stall: stall["end_ns"] - stall["begin_ns"])
    assert longest["cpu_ms"] < 100


def test_the_last_row_is_written_at_the_stop_and_tells_of_the_schedule(tmp_path: Path) -> None:
    told = Departures(1.5, 4, 2.5, 7, 9)
    rows, _ = beaten(tmp_path, gc.collect, told)
    last = rows[-1]
    assert (last["late_ms"], last["in_flight"], last["slot_wait_ms"]) == (1.5, 4, 2.5)
    assert (last["overflow"], last["never_left"]) == (7, 9)
    assert last["users"] == 3
    assert 0 < max(row["gc_longest_ms"] for row in rows) <= sum(row["gc_ms"] for row in rows) + 1e-3
    assert last["cpu_allowed"] > 0


def test_garbage_is_timed_no_more_afterwards(tmp_path: Path) -> None:
    before = list(gc.callbacks)
    beaten(tmp_path, lambda: None)
    assert gc.callbacks == before


def test_what_was_withheld_is_told_since_the_last_look() -> None:
    processor = Processor()
    busy(0.05)
    first = processor.take_withheld()
    assert first.run_delay_ms is None or first.run_delay_ms >= 0
    assert first.throttled_ms is None or first.throttled_ms >= 0
    assert first.steal_share is None or 0 <= first.steal_share <= 1
