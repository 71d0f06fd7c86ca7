"""When the next action of a user is due. Pure: the clock is an argument, in monotonic nanoseconds.

Locust's own ``constant_pacing`` lies between the two: it keeps its rate while answers come faster than the
pace, and falls back to a closed workload, without saying so, as soon as they do not. The waiting time of the
requests that it then did not send is in no statistic (coordinated omission). Here a closed workload says
that it is closed, and an open one keeps every due time.
"""

from random import Random
from typing import Protocol

NS = 1_000_000_000


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


class OpenPace:
    """Actions come as a Poisson process, whatever the server does.

    Args:
        rate_per_s: this user's actions a second, on average.
        start_ns: when the schedule begins.
    """

    def __init__(self, rate_per_s: float, rng: Random, start_ns: int) -> None:
        self._rate_per_s = rate_per_s
        self._rng = rng
        self._due_ns = start_ns

    def next_due_ns(self, now_ns: int) -> int:  # noqa: ARG002 - the schedule does not care what time it is
        """The next point of the schedule; it lies in the past when the user could not keep up."""
        self._due_ns += int(self._rng.expovariate(self._rate_per_s) * NS)
        return self._due_ns
