"""What a section of the page is made of: plots with their words, and tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from analysis.report import plots


@dataclass(frozen=True, slots=True)
class Table:
    """Figures in rows, the first cell of each says what they are of. `words`: heads of columns that hold no figures."""

    head: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Titled:
    """A table that stands on its own."""

    title: str
    caption: str
    table: Table


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its words, and the same as tables. `alt` is what it shows, for those who cannot see it."""

    title: str
    plot: plots.Plot
    alt: str
    caption: str
    tables: tuple[Titled, ...]
