"""How an action is carried out: at once by the user, or on its own while the user keeps to the schedule."""

import time
from collections.abc import Callable
from typing import Protocol

import gevent
from gevent.lock import BoundedSemaphore


class Lane(Protocol):
    """Carries out actions."""

    def carry_out(self, action: Callable[[], None]) -> None:
        """Run `action`, or have it run."""


class Straight:
    """Closed workload: the user does it and waits."""

    def carry_out(self, action: Callable[[], None]) -> None:
        """Run `action` to its end."""
        action()


class Slots:
    """Open workload: at most `size` actions of this process are under way at once.

    An action that finds no free slot leaves as soon as one is free, and keeps the time at which it was
    due: nothing is dropped, the delay counts as latency, and `overflow` counts how often it happened.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._free = BoundedSemaphore(size)
        self._longest_wait_ns = 0
        self.overflow = 0

    @property
    def in_flight(self) -> int:
        """Actions that are under way."""
        return self._size - int(self._free.counter)

    def take_longest_wait_ns(self) -> int:
        """The longest wait for a slot that has ended since the last call."""
        longest_ns, self._longest_wait_ns = self._longest_wait_ns, 0
        return longest_ns

    def carry_out(self, action: Callable[[], None]) -> None:
        """Start `action`; waits while all slots are taken."""
        if not self._free.acquire(blocking=False):
            self.overflow += 1
            began_ns = time.monotonic_ns()
            self._free.acquire()
            self._longest_wait_ns = max(self._longest_wait_ns, time.monotonic_ns() - began_ns)
        gevent.spawn(self._run, action)

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        finally:
            self._free.release()
