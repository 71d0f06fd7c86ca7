"""The heartbeat of a load process: flushes its record twice a second, and notes once a second how it fares.

Whenever a beat comes late the event loop stood still: since the beat before, at worst. Answers that came meanwhile were
read late, and the judge must not take that for the server's doing; so these times go into a table of their own.
"""

import logging
import time
from collections.abc import Callable
from typing import NamedTuple

import gevent
import psutil

from analysis.record import RecordWriter
from analysis.record.standstill import BEAT_S
from locustfiles.run.garbage import Garbage
from locustfiles.run.processor import Processor
from locustfiles.run.strain import Strain

logger = logging.getLogger(__name__)

STALL_S = 0.01  # a beat that is later than this is a stall; less is far below any target
FLUSH_S = 0.5  # a kill loses at most this much
ROW_S = 1.0


class Departures(NamedTuple):
    """How an open workload keeps its schedule; `overflow` and `never_left` since its begin, the others since the last look."""

    late_ms: float = 0.0
    in_flight: int = 0
    slot_wait_ms: float = 0.0
    overflow: int = 0
    never_left: int = 0


class Pulse:
    """Beats in the background until `stop`.

    Args:
        count_users: how many users there are now.
        departures: asked once a second.
        strain: told once a second; what it says goes to the log.
        tell: called twice a second; it hands on what there is to tell.
    """

    def __init__(
        self,
        writer: RecordWriter,
        count_users: Callable[[], int],
        departures: Callable[[], Departures] = Departures,
        strain: Strain | None = None,
        tell: Callable[[], None] | None = None,
    ) -> None:
        self._writer = writer
        self._count_users = count_users
        self._departures = departures
        self._strain = strain
        self._tell = tell
        self._add = writer.adder("generator")
        self._add_stall = writer.adder("stalls")
        self._process = psutil.Process()
        self._processor = Processor()
        self._garbage = Garbage()
        self._row_start, self._row_cpu_s = time.monotonic(), time.process_time()
        self._worst_lag_s = self._still_s = 0.0
        self._greenlet = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Stop beating, with a last row; the caller closes the writer."""
        self._greenlet.kill()
        self._row(time.monotonic())
        self._garbage.stop()

    def _beat(self) -> None:
        next_flush = before = time.monotonic()
        before_cpu_s = time.process_time()
        next_row = before + ROW_S
        while True:
            gevent.sleep(BEAT_S)
            now, cpu_s = time.monotonic(), time.process_time()
            lag_s = now - before - BEAT_S
            self._worst_lag_s = max(self._worst_lag_s, lag_s)
            if lag_s > STALL_S:
                self._still_s += lag_s
                self._add_stall((round(before * 1e9), round(now * 1e9), (cpu_s - before_cpu_s) * 1000))
            before, before_cpu_s = now, cpu_s  # so that what follows counts as lateness of the next beat
            if now >= next_row:
                self._row(now)
                next_row = now + ROW_S
            if now >= next_flush:
                self._writer.flush()
                if self._tell is not None:
                    self._tell()
                next_flush = now + FLUSH_S

    def _row(self, now: float) -> None:
        cpu_s = time.process_time()
        span_s, used_s = max(1e-9, now - self._row_start), cpu_s - self._row_cpu_s
        gc_ns, gc_longest_ns = self._garbage.take_ns()
        self._add(
            (
                time.monotonic_ns(),
                time.time_ns() // 1000,
                self._count_users(),
                used_s / span_s,
                self._process.memory_info().rss,
                self._worst_lag_s * 1000,
                self._writer.buffered_rows,
                self._processor.allowed(),
                *self._processor.take_withheld(),
                gc_ns / 1e6,
                gc_longest_ns / 1e6,
                *self._departures(),
            )
        )
        if self._strain is not None and (words := self._strain.hear(span_s, self._still_s, used_s)):
            logger.warning("%s", words)
        self._row_start, self._row_cpu_s = now, cpu_s
        self._worst_lag_s = self._still_s = 0.0
