"""A history of which one part happened on another machine, whose clock shows something else."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from analysis.evidence import Evidence, assemble
from analysis.record import ProcessInfo
from analysis.record.tables import LOAD_TABLES
from tests.analysis.histories import CLOCK_NS, EPOCH_US, History, ns
from tests.analysis.in_memory import InMemory

HERE, THERE = "here", "there"
EVERY_S = 10  # how often the other machine compares its clock
Rows = dict[str, list[tuple[Any, ...]]]


class Part(InMemory):
    """What one process wrote, on some machine."""

    def __init__(self, rows: Rows, name: str, host: str, ahead_ns: int = 0) -> None:
        super().__init__(rows, name)
        info = ProcessInfo(name, 1, host, "boot", CLOCK_NS + ahead_ns, EPOCH_US)
        self._record = replace(self._record, info=info)


def on_two_machines(
    run: History, there: Collection[int], *, ahead_s: float = 3000.0, error_s: float | None
) -> Evidence:
    """What these people did and saw, on another machine whose clock is ahead by so much; the monitor is here.

    Args:
        error_s: how well the clocks were compared; None: never.
    """
    ahead_ns = round(ahead_s * 1e9)
    ids = {run.person_id(person).bytes for person in there}
    parts: dict[str, Rows] = {name: {table: [] for table in run.rows} for name in (HERE, THERE)}
    for table, rows in run.rows.items():
        names = LOAD_TABLES[table].names if table in LOAD_TABLES else []
        times = [place for place, name in enumerate(names) if name.endswith("_ns")]
        for row in rows:
            if "user_id" in names and row[names.index("user_id")] in ids:
                moved = [value + ahead_ns if place in times else value for place, value in enumerate(row)]
                parts[THERE][table].append(tuple(moved))
            else:
                parts[HERE][table].append(row)
    monitor = Part(parts[HERE], "monitor", HERE)
    if error_s is not None:
        leader = ProcessInfo("monitor", 1, HERE, "boot", CLOCK_NS, EPOCH_US).clock_domain
        parts[THERE]["clocks"] = [
            (ns(at) + ahead_ns, -ahead_ns, round(error_s * 1e9), leader) for at in range(0, 120, EVERY_S)
        ]
    processes = {HERE: Part(parts[HERE], HERE, HERE), THERE: Part(parts[THERE], THERE, THERE, ahead_ns)}
    return assemble(replace(run.run(), processes=[*processes]), processes, monitor)
