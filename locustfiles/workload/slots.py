"""How an action is carried out: at once by the user, or on its own while the user keeps to the schedule."""

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
        self._free = BoundedSemaphore(size)
        self.overflow = 0

    def carry_out(self, action: Callable[[], None]) -> None:
        """Start `action`; waits while all slots are taken."""
        if not self._free.acquire(blocking=False):
            self.overflow += 1
            self._free.acquire()
        gevent.spawn(self._run, action)

    def _run(self, action: Callable[[], None]) -> None:
        try:
            action()
        finally:
            self._free.release()
