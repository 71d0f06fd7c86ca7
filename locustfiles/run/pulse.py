"""The heartbeat of a load process: flushes its record twice a second, and notes once a second how it fares."""

import time
from collections.abc import Callable

import gevent
import psutil

from analysis.record import RecordWriter

BEAT_S = 0.05  # how often the loop's lateness is looked at
FLUSH_S = 0.5  # a kill loses at most this much
ROW_S = 1.0


class Pulse:
    """Beats in the background until `stop`.

    Args:
        count_users: how many users there are now.
    """

    def __init__(self, writer: RecordWriter, count_users: Callable[[], int]) -> None:
        self._writer = writer
        self._count_users = count_users
        self._add = writer.adder("generator")
        self._process = psutil.Process()
        self._greenlet = gevent.spawn(self._beat)

    def stop(self) -> None:
        """Stop beating; the caller closes the writer."""
        self._greenlet.kill()

    def _beat(self) -> None:
        next_flush = next_row = row_start = time.monotonic()
        cpu_start = time.process_time()
        worst_lag_s = 0.0
        while True:
            before = time.monotonic()
            gevent.sleep(BEAT_S)
            now = time.monotonic()
            worst_lag_s = max(worst_lag_s, now - before - BEAT_S)
            if now >= next_row:
                cpu = time.process_time()
                share = (cpu - cpu_start) / (now - row_start)
                self._add(
                    (
                        time.monotonic_ns(),
                        time.time_ns() // 1000,
                        self._count_users(),
                        share,
                        self._process.memory_info().rss,
                        worst_lag_s * 1000,
                        self._writer.buffered_rows,
                    )
                )
                cpu_start, row_start, worst_lag_s = cpu, now, 0.0
                next_row = now + ROW_S
            if now >= next_flush:
                self._writer.flush()
                next_flush = now + FLUSH_S
