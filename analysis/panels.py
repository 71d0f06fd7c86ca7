"""Small plots of one figure, or of a few that belong together, over time: of the database server, and of the load processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from analysis.gauges import NS_PER_S

LINES_MOST = 4  # of a panel: the tables, slots or states with the highest figures


class Line(NamedTuple):
    """A figure over time: ``low`` and ``high`` (float64) of each bucket that has any, by the bucket's begin in seconds."""

    fine: pd.DataFrame
    coarse: pd.DataFrame  # in buckets few enough to read


@dataclass(frozen=True, slots=True)
class Panel:
    """A small plot: lines by their labels. `matters` is the extreme that tells of trouble: ``low`` or ``high``."""

    title: str
    unit: str
    lines: Mapping[str, Line]
    matters: str = "high"


def panel(title: str, unit: str, lines: Mapping[str, Line], matters: str = "high") -> Panel:
    """A panel of those lines that have anything."""
    return Panel(title, unit, {label: line for label, line in lines.items() if len(line.fine)}, matters)


def bucketed(values: pd.Series, width_s: int, coarse_s: int) -> Line:
    """A figure, indexed by nanoseconds on the common axis, in buckets to draw and in buckets to read."""
    return Line(_extremes(values, width_s), _extremes(values, coarse_s))


def highest(lines: Mapping[str, Line]) -> dict[str, Line]:
    """The `LINES_MOST` lines that reach highest, by name."""
    known = {label: line for label, line in lines.items() if len(line.fine)}
    known = {label: line for label, line in known.items() if moves(line)} or known
    most = sorted(known, key=lambda label: (-float(known[label].fine["high"].max()), label))[:LINES_MOST]
    return {label: known[label] for label in sorted(most)}


def moves(line: Line) -> bool:
    """Whether it is ever anything but zero."""
    return bool(line.fine.to_numpy().any())


def _extremes(values: pd.Series, width_s: int) -> pd.DataFrame:
    """The lowest and the highest value in each bucket."""
    known = values.dropna()
    at_s = known.index.to_numpy(np.int64) // (width_s * NS_PER_S) * width_s
    by_bucket = known.groupby(pd.Index(at_s, name="at_s"))
    return pd.DataFrame({"low": by_bucket.min(), "high": by_bucket.max()})
