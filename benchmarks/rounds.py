"""Sides measured in turns: A B C A B C …, so that a machine that is busy for a while is busy for all of them."""

import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.cores import Cores, Pinned

START_S = 20.0  # how long a side may take to begin
LOOK_S = 0.05


@dataclass(slots=True)
class Side:
    """One of those that are compared.

    Attributes:
        rates: one a round, a second.
        cpu_us: one a round, processor time of the load process for each unit.
    """

    name: str
    command: Sequence[str]
    env: dict[str, str] = field(default_factory=dict)
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)


def measure(
    sides: Sequence[Side],
    count: Callable[[], int],
    cores: Cores,
    *,
    rounds: int,
    warmup_s: float,
    window_s: float,
    log: Path,
) -> None:
    """Run each side in each round, and let the *server* count: `count` returns its total so far."""
    for number in range(1, rounds + 1):
        for side in sides:
            before = count()
            with (
                tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder,
                Pinned(
                    side.command, cores.load, env={**side.env, "BENCH_RECORD": f"{folder}/record"}, log=log
                ) as load,
            ):
                deadline = time.monotonic() + START_S
                while count() - before < 100:
                    if time.monotonic() > deadline:
                        raise RuntimeError(f"{side.name} did not begin within {START_S:.0f} s: see {log}")
                    time.sleep(LOOK_S)
                time.sleep(warmup_s)
                start, start_cpu, start_count = time.monotonic(), load.cpu_s(), count()
                time.sleep(window_s)
                seconds, cpu, done = time.monotonic() - start, load.cpu_s() - start_cpu, count() - start_count
            side.rates.append(done / seconds)
            side.cpu_us.append(cpu / done * 1e6)
            print(
                f"  round {number}: {side.name:<46} {side.rates[-1]:>9,.0f}/s  {side.cpu_us[-1]:>7.1f} µs",
                flush=True,
            )


def table(sides: Sequence[Side], unit: str) -> str:
    """A markdown table; ratios are of medians, of the first side to each other one."""
    ours = statistics.median(sides[0].rates)
    lines = [
        f"| | {unit}/s: min | median | max | CPU time each | chatsoak is |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for side in sides:
        middle = statistics.median(side.rates)
        ratio = "" if side is sides[0] else f"{ours / middle:.2f} × as fast"
        lines.append(
            f"| {side.name} | {min(side.rates):,.0f} | **{middle:,.0f}** | {max(side.rates):,.0f} "
            f"| {statistics.median(side.cpu_us):.1f} µs | {ratio} |"
        )
    return "\n".join(lines)
