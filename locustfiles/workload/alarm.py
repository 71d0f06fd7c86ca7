"""Wakes a greenlet at a time, to within some tens of µs.

gevent's own timers are up to a millisecond late, half of one on average: libev hands epoll a time-out in whole
milliseconds, rounded up. In an open workload that lateness would count as the server's (due → answered). A timerfd has
nanoseconds, and tells the event loop like any other file that is ready.
Source: timerfd_create(2), https://man7.org/linux/man-pages/man2/timerfd_create.2.html
"""

import ctypes
import heapq
import os
import time
from itertools import count

import gevent
from gevent.hub import Waiter

_CLOCK_MONOTONIC = time.CLOCK_MONOTONIC
_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC  # TFD_NONBLOCK and TFD_CLOEXEC are these two
_TFD_TIMER_ABSTIME = 1
_READABLE = 1
_NS = 1_000_000_000

_libc = ctypes.CDLL(None, use_errno=True)
_Spec = ctypes.c_long * 4  # struct itimerspec: interval and first expiry, each in seconds and nanoseconds


class Alarm:
    """One timer for all greenlets of a process.

    Raises:
        OSError: no file descriptor is left.
    """

    def __init__(self) -> None:
        self._timer = _checked(_libc.timerfd_create(_CLOCK_MONOTONIC, _FLAGS))
        self._waiting: list[tuple[int, int, Waiter]] = []
        self._number = count().__next__
        self._watcher = gevent.get_hub().loop.io(self._timer, _READABLE)
        self._watcher.start(self._ring)

    def wait_until(self, due_ns: int) -> None:
        """Sleep until `due_ns` (of `time.monotonic_ns`); give way at least once, however late it is."""
        if due_ns <= time.monotonic_ns():
            gevent.sleep(0)
            return
        waiter: Waiter = Waiter()
        heapq.heappush(self._waiting, (due_ns, self._number(), waiter))
        if self._waiting[0][2] is waiter:
            self._set(due_ns)
        waiter.get()

    def close(self) -> None:
        """Nobody may wait any more."""
        self._watcher.stop()
        self._watcher.close()
        os.close(self._timer)

    def _ring(self) -> None:
        try:
            os.read(self._timer, 8)
        except BlockingIOError:  # it was set anew between its ring and our look
            return
        while self._waiting and self._waiting[0][0] <= time.monotonic_ns():
            _, _, waiter = heapq.heappop(self._waiting)
            waiter.switch(None)  # does nothing when its greenlet was killed meanwhile
        if self._waiting:
            self._set(self._waiting[0][0])

    def _set(self, due_ns: int) -> None:
        spec = _Spec(0, 0, *divmod(due_ns, _NS))
        _checked(_libc.timerfd_settime(self._timer, _TFD_TIMER_ABSTIME, spec, None))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
