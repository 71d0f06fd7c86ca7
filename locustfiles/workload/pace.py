"""When the next action of a user is due. Pure: the clock is an argument, in monotonic nanoseconds.

Locust's own ``constant_pacing`` lies between the two: it keeps its rate while answers come faster than the
pace, and falls back to a closed workload, without saying so, as soon as they do not. The waiting time of the
requests that it then did not send is in no statistic (coordinated omission). Here a closed workload says
that it is closed, and an open one keeps every due time.
"""

import math
from collections.abc import Iterator
from itertools import chain, repeat
from random import Random
from typing import Protocol

from analysis.rates import RateCurve

NS = 1_000_000_000
NEVER_NS = 1 << 62


class Pace(Protocol):
    """Tells when a user's next action is due."""

    def next_due_ns(self, now_ns: int) -> int:
        """When the next action is due, given that the last one has been handed over at `now_ns`."""


class ClosedPace:
    """A person who waits for the answer and then thinks: half to one and a half times the mean."""

    def __init__(self, think_s: float, rng: Random) -> None:
        self._think_s = think_s
        self._rng = rng

    def next_due_ns(self, now_ns: int) -> int:
        """Thinking begins when the answer is there, so a slow server gets fewer requests."""
        return now_ns + int(self._think_s * self._rng.uniform(0.5, 1.5) * NS)


def at_random(rng: Random) -> Iterator[float]:
    """The gaps of a Poisson process of rate 1."""
    while True:
        yield rng.expovariate(1.0)


def evenly(phase: float) -> Iterator[float]:
    """The gaps of a process of rate 1 whose first point is at `phase`."""
    return chain([phase], repeat(1.0))


class OpenPace:
    """Actions come by a schedule, whatever the server does.

    Args:
        rate: this user's actions a second.
        start_ns: when the schedule begins; the same for all users of a run.
        gaps: of the schedule as a process of rate 1; `rate` stretches it.
    """

    def __init__(self, rate: RateCurve, start_ns: int, gaps: Iterator[float]) -> None:
        self._rate = rate
        self._start_ns = start_ns
        self._gaps = gaps
        self._passed = 0.0  # on the axis of the process of rate 1
        self._upcoming_ns = self._step()

    def begin(self, now_ns: int) -> None:
        """The user is ready only now: what was due before is somebody else's."""
        while self._upcoming_ns < now_ns:
            self._upcoming_ns = self._step()

    def next_due_ns(self, now_ns: int) -> int:  # noqa: ARG002 - the schedule does not care what time it is
        """The next point of the schedule; it lies in the past when the user could not keep up."""
        due_ns, self._upcoming_ns = self._upcoming_ns, self._step()
        return due_ns

    def behind(self, now_ns: int) -> int:
        """How many points until `now_ns` have not been handed out; they never will be."""
        missed = 0
        while self._upcoming_ns <= now_ns:
            self._upcoming_ns = self._step()
            missed += 1
        return missed

    def _step(self) -> int:
        self._passed += next(self._gaps)
        due_s = self._rate.when(self._passed)
        return NEVER_NS if math.isinf(due_s) else self._start_ns + round(due_s * NS)
