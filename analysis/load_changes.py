"""Where the load moved to another level: points of the planned rate, and jumps of the users. No input or output here.

Both are read off the record, the plan's points and what the load processes told of their users, so that it needs no notes of
the run itself. A step of latency near one of them is named with it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.rates import RateCurve

AT_ONCE_S = 15.0  # a change within so long is one moment, a longer one has a begin and an end
PAUSE_S = 15.0  # users who come further apart than this come one by one
MATTERS = 0.05  # of the most users, or of the highest rate


class Moment(NamedTuple):
    """Something that the load did, in words, and when, in seconds of the timeline's axis."""

    what: str
    at_s: float


class Move(NamedTuple):
    """From one level to another."""

    begin_s: float
    end_s: float
    before: float
    after: float


def load_changes(
    planned: RateCurve | None, load_at_s: float, users: pd.Series, until_s: float
) -> tuple[Moment, ...]:
    """The moments at which the load began to move, or arrived at a level, in their order.

    Args:
        planned: the rate of an open workload, by seconds since the begin of the load.
        load_at_s: that begin, on the timeline's axis.
        users: how many there were, by second of the axis.
        until_s: when the load stopped.
    """
    moves = [("users", "{:,.0f}", one) for one in _of_users(users[users.index < until_s])]
    if planned is not None:
        moves += [("arrival rate", "{:,g}/s", one) for one in _of_rate(planned, load_at_s)]
    told = [moment for what, style, one in moves for moment in _told(what, style, one)]
    return tuple(sorted((one for one in told if one.at_s < until_s), key=lambda one: one.at_s))


def _told(what: str, style: str, move: Move) -> Iterator[Moment]:
    before, after = style.format(move.before), style.format(move.after)
    if move.end_s - move.begin_s <= AT_ONCE_S:
        yield Moment(f"{what} {before} → {after}", move.begin_s)
    else:
        yield Moment(f"{what} {'up' if move.after > move.before else 'down'} from {before}", move.begin_s)
        yield Moment(f"{what} at {after}", move.end_s)


def _of_rate(planned: RateCurve, load_at_s: float) -> Iterator[Move]:
    highest = max(rate for _, rate in planned.points)
    for (begin_s, before), (end_s, after) in pairwise(planned.points):
        if abs(after - before) >= MATTERS * highest:
            yield Move(load_at_s + begin_s, load_at_s + end_s, before, after)


def _of_users(users: pd.Series) -> Iterator[Move]:
    """Seconds in which users came or went, those near each other together; how they came at first is the load's begin."""
    count = users.to_numpy(np.float64)
    if len(count) < 2:
        return
    at_s = users.index.to_numpy(np.float64)
    changed = np.flatnonzero(np.diff(count)) + 1
    # a pause, or a turn from coming to going, ends a move
    turned = np.diff(np.sign(count[changed] - count[changed - 1])) != 0
    parts = np.split(changed, np.flatnonzero((np.diff(at_s[changed]) > PAUSE_S) | turned) + 1)
    for part in parts:
        if not len(part):
            continue
        first, last = int(part[0]), int(part[-1])
        move = Move(float(at_s[first]), float(at_s[last]), float(count[first - 1]), float(count[last]))
        came_first = at_s[first] - at_s[0] <= PAUSE_S
        if not came_first and abs(move.after - move.before) >= MATTERS * count.max():
            yield move
