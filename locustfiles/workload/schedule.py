"""The schedule of an open workload in one load process: who of its users acts when. Pure: the clock is an argument.

Every user has a place, and so a fixed part of the schedule: with constant arrivals each `users`-th point, with Poisson
arrivals a process of their own (the sum of independent Poisson processes is one). Users who are not there leave their part
out, so that the load follows `--spawn-rate` and `--shape`. The same seed gives the same schedule, whatever the server does.
"""

import heapq
from random import Random

from analysis.rates import RateCurve
from analysis.settings import Arrivals
from locustfiles.workload.pace import OpenPace, at_random, evenly


class Schedule:
    """The schedule of process `share` of `shares`.

    Args:
        rate: actions a second of the whole run.
        users: most users of the whole run.
        start_ns: when the rate's curve begins.
    """

    def __init__(
        self, rate: RateCurve, arrivals: Arrivals, *, users: int, share: int, shares: int, seed: int, start_ns: int
    ) -> None:  # fmt: skip
        self._rate = rate.scaled(1 / users)
        self._arrivals = arrivals
        self._users = users
        self._share, self._shares = share, shares
        self._seed = seed
        self._start_ns = start_ns
        self._places: dict[OpenPace, int] = {}
        self._free: list[int] = []

    def enter(self) -> OpenPace:
        """A new user's pace."""
        local = heapq.heappop(self._free) if self._free else len(self._places)
        place = self._share + self._shares * local
        if self._arrivals is Arrivals.CONSTANT:
            gaps = evenly(place / self._users)
        else:
            gaps = at_random(Random(f"{self._seed}/arrivals/{place}"))
        pace = OpenPace(self._rate, self._start_ns, gaps)
        self._places[pace] = local
        return pace

    def leave(self, pace: OpenPace, now_ns: int) -> int:
        """A user is gone. Returns how many of their points were due by `now_ns` and never handed out."""
        heapq.heappush(self._free, self._places.pop(pace))
        return pace.behind(now_ns)

    def end(self, now_ns: int) -> int:
        """The load stops. Returns how many points of all users were due by `now_ns` and never handed out."""
        return sum(pace.behind(now_ns) for pace in self._places)
