"""All runs, and the tables that they make."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from benchmarks.accuracy import sides
from benchmarks.accuracy.latencies import Constant
from benchmarks.accuracy.scenarios import (
    AT_FULL_SHARE,
    BESIDE_PEERS,
    EDGES,
    FULL_SHARE,
    STALL,
    STALL_RATE_PER_S,
    Scenario,
)
from benchmarks.accuracy.sides import FIGURES, Figures, Told
from benchmarks.cores import Cores

WITHIN_SHARE, WITHIN_MS = 0.01, 0.3  # of the truth; the larger of the two
STALL_WITHIN_SHARE = 0.05

Side = Callable[[Scenario, float, Cores, Path], Told]


def measure(cores: Cores, log: Path) -> tuple[str, dict[str, object]]:
    """Run everything, a quarter of an hour. Returns the tables in markdown, and the figures."""
    peers: dict[str, Side] = {"chatsoak": sides.chatsoak, "Locust": sides.locust, "k6": sides.k6_open}
    beside = {
        scenario.name: {
            name: _run(name, side, scenario, scenario.rate_per_s, cores, log) for name, side in peers.items()
        }
        for scenario in BESIDE_PEERS
    }
    most_per_s = sides.most_per_s(Constant(20), cores, log)
    full = {
        scenario.name: _run("chatsoak", sides.chatsoak, scenario, FULL_SHARE * most_per_s, cores, log)
        for scenario in AT_FULL_SHARE
    }
    edges = {
        scenario.name: _run("chatsoak", sides.chatsoak, scenario, scenario.rate_per_s, cores, log)
        for scenario in EDGES
    }
    text = "\n\n".join(
        [
            _beside(beside),
            _stall(beside[BESIDE_PEERS[-1].name]),
            f"At {FULL_SHARE:.0%} of the {most_per_s:,.0f} sends a second that chatsoak manages on one core:",
            _full(full),
            "At the edges of the targets:",
            _edges(edges),
        ]
    )
    figures: dict[str, object] = {
        "beside": {name: {side: asdict(told) for side, told in row.items()} for name, row in beside.items()},
        "most_per_s": most_per_s,
        "full": {name: asdict(told) for name, told in full.items()},
        "edges": {name: asdict(told) for name, told in edges.items()},
    }
    return text, figures


def _run(
    name: str, side: Side, scenario: Scenario, rate_per_s: float | None, cores: Cores, log: Path
) -> Told:
    assert rate_per_s is not None
    told = side(scenario, rate_per_s, cores, log)
    print(f"  {name:<9} {scenario.name:<36} {told.count:>8,} sends, {sides.used(told)}", flush=True)
    return told


def within(reported: float, truth: float) -> bool:
    """Whether a figure is as near to the truth as it has to be."""
    return abs(reported - truth) <= max(WITHIN_MS, WITHIN_SHARE * truth)


def _cell(reported: Figures, truth: Figures, figure: str) -> str:
    off = reported[figure] - truth[figure]
    mark = "" if within(reported[figure], truth[figure]) else " ✗"
    return f"{reported[figure]:,.2f} ({off:+,.2f}){mark}"


HEAD = ["| server | | average | P50 | P95 | P99 |", "|---|---|--:|--:|--:|--:|"]


def _row(label: str, reported: Figures, truth: Figures) -> str:
    return f"| | {label} | " + " | ".join(_cell(reported, truth, figure) for figure in FIGURES) + " |"


def _plain_row(server: str, label: str, figures: Figures) -> str:
    return f"| {server} | *{label}* | " + " | ".join(f"*{figures[figure]:,.2f}*" for figure in FIGURES) + " |"


def _response_rows(told: Told) -> list[str]:
    return [
        _plain_row("", "truth, due → answered", told.response_truth),
        _row("chatsoak, response time", told.response, told.response_truth),
        _plain_row("", "of it, late by the generator itself", told.lateness),
    ]


def _beside(rows: dict[str, dict[str, Told]]) -> str:
    lines = list(HEAD)
    for name, told in rows.items():
        lines.append(_plain_row(name, "truth, what the server took", told["chatsoak"].truth))
        for tool, one in told.items():
            label = f"{tool}, service time" if one.response else tool
            lines.append(_row(label, one.reported, one.truth))
        lines += _response_rows(told["chatsoak"])
    return "\n".join(lines)


def _stall(told: dict[str, Told]) -> str:
    ours = told["chatsoak"]
    came_s = ours.count / STALL_RATE_PER_S  # the load begins when its users are there
    expected = STALL.percentile_ms(99, came_s)
    off = ours.response["p99_ms"] / expected - 1
    mark = "" if abs(off) <= STALL_WITHIN_SHARE else " ✗"
    return "\n".join(
        [
            f"The stall, as people felt it who wanted to send: P99 {expected:,.0f} ms by arithmetic.",
            "",
            "| | P99 |",
            "|---|--:|",
            f"| chatsoak, response time (due → answered) | {ours.response['p99_ms']:,.0f} ms ({off:+.1%}){mark} |",
            f"| k6, open workload | {told['k6'].reported['p99_ms']:,.0f} ms |",
            f"| Locust, `constant_throughput` | {told['Locust'].reported['p99_ms']:,.0f} ms |",
        ]
    )


def _full(rows: dict[str, Told]) -> str:
    lines = list(HEAD)
    for name, told in rows.items():
        lines.append(_plain_row(name, "truth, what the server took", told.truth))
        lines.append(_row("chatsoak, service time", told.reported, told.truth))
        lines += _response_rows(told)
    return "\n".join(lines)


def _edges(rows: dict[str, Told]) -> str:
    lines = [
        "| server | average | P95 | verdict: average < 300 ms | verdict: P95 < 500 ms | Locust's own P95 of the same sends |",
        "|---|--:|--:|---|---|--:|",
    ]
    for name, told in rows.items():
        lines.append(
            f"| {name} | {told.response['avg_ms']:,.2f} | {told.response['p95_ms']:,.2f} "
            f"| {told.outcomes['latency.send.avg']} | {told.outcomes['latency.send.p95']} | {told.locust['p95_ms']:,.0f} |"
        )
    return "\n".join(lines)
