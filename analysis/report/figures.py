"""What a section of the page is made of: plots with their words, and tables."""

from dataclasses import dataclass

from analysis.report import plots


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot with its words: `alt` is what it shows, for those who cannot see it."""

    title: str
    plot: plots.Plot
    alt: str
    caption: str
    table: "Table | None" = None


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers beside a plot."""

    head: tuple[str, ...]
    rows: list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Titled:
    """A table that stands on its own."""

    title: str
    caption: str
    table: Table
