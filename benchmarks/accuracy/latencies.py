"""How long the calibrated server takes over each request: distributions with known quantiles. Pure.

A request's latency is ``quantile(u, at_s)`` for a uniform `u` of its own (inverse transform sampling, Devroye 1986,
chapter II.2), so the quantiles stated and those served are one formula.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol


class Latency(Protocol):
    """What a request takes that comes `at_s` seconds after the first one."""

    def quantile(self, u: float, at_s: float) -> float:
        """The latency in ms that the share `u` of requests at that moment stay below; 0 < u < 1."""


@dataclass(frozen=True, slots=True)
class Constant:
    """Every request takes the same."""

    ms: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - it is the same for all
        """See `Latency`."""
        return self.ms


@dataclass(frozen=True, slots=True)
class Bimodal:
    """A cache that is hit or missed: `slow_share` of the requests take `slow_ms`, the others `fast_ms`."""

    fast_ms: float
    slow_ms: float
    slow_share: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - it is so at any time
        """See `Latency`."""
        return self.slow_ms if u > 1 - self.slow_share else self.fast_ms


@dataclass(frozen=True, slots=True)
class LogNormal:
    """Many small factors multiplied: the logarithm of the latency is normal with deviation `sigma`."""

    median_ms: float
    sigma: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - it is so at any time
        """See `Latency`."""
        return self.median_ms * math.exp(self.sigma * NormalDist().inv_cdf(u))


@dataclass(frozen=True, slots=True)
class Pareto:
    """A heavy tail: the share of requests that take longer than x is (least / x) ** alpha."""

    least_ms: float
    alpha: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - it is so at any time
        """See `Latency`."""
        return self.least_ms * (1 - u) ** (-1 / self.alpha)


@dataclass(frozen=True, slots=True)
class Drift:
    """A slow rise, in a straight line, by `rise_share` within `over_s`."""

    start_ms: float
    rise_share: float
    over_s: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - only the time counts
        """See `Latency`."""
        return self.start_ms * (1 + self.rise_share * at_s / self.over_s)


@dataclass(frozen=True, slots=True)
class Stall:
    """A server that stands still from `at_s` for `for_s`, and takes `ms` at any other time."""

    ms: float
    begins_s: float
    for_s: float

    def quantile(self, u: float, at_s: float) -> float:  # noqa: ARG002 - only the time counts
        """See `Latency`."""
        done_s = at_s + self.ms / 1000
        if at_s < self.begins_s + self.for_s and done_s > self.begins_s:
            left_s = done_s - max(at_s, self.begins_s)  # work still to do when the server goes on
            done_s = self.begins_s + self.for_s + left_s
        return (done_s - at_s) * 1000

    def percentile_ms(self, percent: float, run_s: float) -> float:
        """The percentile of latencies of requests that come at an even rate for `run_s`, when none is held back.

        Those that are under way when the stall begins wait for all of it, and those that come in it for what is left: of
        latencies above `ms` there are none but theirs, those of the latter evenly spread over ``for_s``.
        """
        # So many seconds' worth of requests wait longer than the percentile.
        longest_s = (100 - percent) / 100 * run_s
        in_the_stall_s = max(0.0, longest_s - self.ms / 1000)
        return self.ms + max(0.0, self.for_s - in_the_stall_s) * 1000
