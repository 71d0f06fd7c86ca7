"""How an action is carried out: at once by the user, or on its own while the user keeps to the schedule."""

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

import gevent
from gevent.hub import Waiter
from gevent.lock import BoundedSemaphore

Note = Callable[[tuple[int, int]], None]  # begin and end of a time, by `time.monotonic_ns`


class Lane(Protocol):
    """Carries out actions."""

    def carry_out(self, action: Callable[[], None], due_ns: int) -> None:
        """Run `action`, which was due at `due_ns`, or have it run."""


class Straight:
    """Closed workload: the user does it and waits."""

    def carry_out(self, action: Callable[[], None], due_ns: int) -> None:  # noqa: ARG002 - nobody is late who waits
        """Run `action` to its end."""
        action()


class Slots:
    """Open workload: at most `size` actions of this process are under way at once.

    An action that finds no free slot leaves as soon as one is free, and keeps the time at which it was due: nothing is
    dropped, and the delay counts as latency. A user who waits for a slot comes late to the actions that follow; what
    was due while somebody waited could not have left, and counts with `overflow` as well.

    A greenlet that has carried out an action waits for another: a new one costs two system calls for its memory and the
    pages that it touches first, more than the rest of a departure.

    Args:
        note: told of each time during which somebody waited because all slots were taken.

    Attributes:
        overflow: how many actions could not leave when they were due, because all slots were taken.
    """

    def __init__(self, size: int, note: Note) -> None:
        self._size = size
        self._note = note
        self._free = BoundedSemaphore(size)
        self._given: deque[Callable[[], None]] = deque()  # actions that are about to leave
        self._idle: list[Waiter] = []  # of greenlets without an action
        self._run_soon = gevent.get_hub().loop.run_callback
        self._waiting = 0
        self._taken_since_ns = 0  # since when somebody waits
        self._taken_until_ns = 0  # until when somebody waited
        self._longest_wait_ns = 0
        self._latest_ns = 0
        self.overflow = 0

    @property
    def in_flight(self) -> int:
        """Actions that are under way."""
        return self._size - int(self._free.counter)

    def take_longest_wait_ns(self) -> int:
        """The longest wait for a slot that has ended since the last call."""
        longest_ns, self._longest_wait_ns = self._longest_wait_ns, 0
        return longest_ns

    def take_latest_ns(self) -> int:
        """The most by which an action asked for its slot late, by no fault of the slots, since the last call."""
        latest_ns, self._latest_ns = self._latest_ns, 0
        return latest_ns

    def carry_out(self, action: Callable[[], None], due_ns: int) -> None:
        """Start `action`; waits while all slots are taken."""
        asked_ns = time.monotonic_ns()
        if not self._waiting:  # otherwise nothing could have left
            self._latest_ns = max(self._latest_ns, asked_ns - max(due_ns, self._taken_until_ns))
        if not self._free.acquire(blocking=False):
            self.overflow += 1
            self._wait(asked_ns)
        elif due_ns <= self._taken_until_ns:
            self.overflow += 1
        self._given.append(action)
        if self._idle:
            self._run_soon(self._idle.pop().switch, None)
        else:
            gevent.spawn(self._work)

    def _wait(self, asked_ns: int) -> None:
        if not self._waiting:
            self._taken_since_ns = asked_ns
        self._waiting += 1
        try:
            self._free.acquire()
        finally:
            self._waiting -= 1
            self._taken_until_ns = time.monotonic_ns()
            self._longest_wait_ns = max(self._longest_wait_ns, self._taken_until_ns - asked_ns)
            if not self._waiting:
                self._note((self._taken_since_ns, self._taken_until_ns))

    def _work(self) -> None:
        """Carry out what is given, one after the other; an action that raises ends the greenlet, and gevent shows why."""
        while True:
            try:
                self._given.popleft()()
            finally:
                self._free.release()
            waiter: Waiter = Waiter()
            self._idle.append(waiter)
            waiter.get()
