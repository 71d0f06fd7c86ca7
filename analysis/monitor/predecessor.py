"""What a monitor that was killed knew: read from its part of the record, so that its successor goes on where it was."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analysis.errors import RecordError
from analysis.monitor.memory import Look, Memory
from analysis.monitor.rows import recorded
from analysis.record import iter_batches, read_process
from analysis.record.codes import ObservedChange
from analysis.record.tables import DATABASE_TABLES


@dataclass(slots=True)
class Predecessor:
    """The monitor before this one.

    Attributes:
        memory: the run's rows as it had last seen them.
        looks: how many looks it had begun, as far as is known.
        baseline_ns: right after it had taken its baseline, before it said that it was ready.
        unfinished: a look of which rows were written down and its end was not, without those rows; None if there is none.
        statements: table `statements` as it was before the load: key, calls, total_ms.
        memberships: table `memberships`.
    """

    memory: Memory
    baseline_ns: int
    looks: int = 0
    unfinished: Look | None = None
    statements: list[tuple[str, int, float]] = field(default_factory=list)
    memberships: list[tuple[int, bytes, bytes, bool]] = field(default_factory=list)

    @property
    def stored(self) -> int:
        """Messages that were there at its last look that came to an end."""
        began = self.unfinished
        return len(self.memory) - (began.new - began.gone if began else 0)


def read_predecessor(folder: Path, people: Collection[bytes]) -> Predecessor:
    """Read what lies in `folder`, up to where it was cut off.

    Raises:
        RecordError: there is no baseline, so that nothing can be continued.
    """
    baseline = {row["chat_id"]: row["seq"] for row in _rows(folder, "baseline")}
    if not baseline:
        raise RecordError(f"{folder} holds no baseline of a monitor that could be continued.")
    before = Predecessor(Memory(baseline, people), read_process(folder).info.monotonic_ns)
    for poll in _rows(folder, "polls", "poll"):
        before.looks = poll["poll"] + 1
    look = replay(before.memory, _rows(folder, "observations"))
    if look is not None and look.poll >= before.looks:
        before.looks = look.poll + 1
        before.unfinished = look
    before.statements = list(_first_statements(folder))
    before.memberships = [
        (row["at_ns"], row["chat_id"], row["user_id"], row["there"]) for row in _rows(folder, "memberships")
    ]
    return before


def replay(memory: Memory, observations: Iterator[dict[str, Any]]) -> Look | None:
    """Have `memory`, which is new, see again what was written down. Returns the last of the looks, without its rows."""
    look: Look | None = None
    for row in observations:
        if look is None or look.poll != row["poll"]:
            look = Look(row["poll"], row["at_ns"])
        if row["change"] == ObservedChange.GONE:
            memory.miss([row["message_id"]], look)
        else:
            memory.take_in([recorded(row)], look)
        look.observations.clear()  # they are written down already
    return look


def _rows(folder: Path, table: str, *columns: str) -> Iterator[dict[str, Any]]:
    for batch in iter_batches(folder, table, DATABASE_TABLES[table], columns or None):
        yield from batch.to_pylist()


def _first_statements(folder: Path) -> Iterator[tuple[str, int, float]]:
    first_ns = None
    for row in _rows(folder, "statements", "at_ns", "key", "calls", "total_ms"):
        first_ns = first_ns or row["at_ns"]
        if row["at_ns"] == first_ns:
            yield row["key"], row["calls"], row["total_ms"]
