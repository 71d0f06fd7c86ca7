"""The load generator on the page: small plots of how the load processes fared, on the common axis."""

from collections.abc import Sequence

from analysis.report import numbers, plots, server
from analysis.report.figures import Figure, Table
from analysis.server import Panel
from analysis.timeline import Timeline


def figure(panels: Sequence[Panel], timeline: Timeline) -> list[Figure]:
    """One figure of all panels, with its table; none where nothing was noted."""
    if not panels:
        return []
    rows = [
        (
            f"{panel.title}: {label}" + (f", {panel.unit}" if panel.unit else ""),
            *(numbers.number(float(value)) for value in (line.median(), line.max(), line.iloc[-1])),
        )
        for panel in panels
        for label, line in panel.lines.items()
    ]
    return [
        Figure(
            "The load generator",
            plots.in_both("generator", lambda size: server.draw(panels, timeline, size)),
            f"{len(panels)} small plots of what the load processes noted of themselves over time.",
            "The worst of all load processes in every bucket. Where it is bad, latencies of that time say little about the server: "
            "see generator.healthy.",
            Table(("Figure", "Median", "Highest", "Last"), rows),
        )
    ]
