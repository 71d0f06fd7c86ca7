"""Writes the tables of docs/what-is-checked.md from the adversary's faults: ``python docs/make_what_is_checked.py``.

The test of the same name holds the page against the code.
"""

import sys
from pathlib import Path

PAGE = Path(__file__).with_name("what-is-checked.md")

sys.path.insert(0, str(PAGE.parent.parent))

from tests.adversary.catalogue import FAULTS  # noqa: E402 - found only now
from tests.adversary.environment import ENVIRONMENT_FAULTS  # noqa: E402
from tests.adversary.world import WORLD_FAULTS, WorldFault  # noqa: E402


def faults() -> str:
    """Every fault of the target, how it is injected, and the criteria that must notice."""
    rows = [(fault.name(), fault.what, fault.how, fault.breaks) for fault in FAULTS]
    rows += [(fault.name, fault.what, fault.how, fault.breaks) for fault in ENVIRONMENT_FAULTS]
    lines = ["| fault | what happens | injected by | who must notice, and nobody else |", "|---|---|---|---|"]
    for name, what, how, breaks in sorted(rows, key=lambda row: (not row[3], row[3], row[0])):
        noticed = ", ".join(f"`{criterion}`" for criterion in breaks) or "nobody: all criteria pass"
        lines.append(f"| {name} | {what} | {how} | {noticed} |")
    return "\n".join(lines) + "\n"


def world() -> str:
    """Every fault of the tool's own world, and what the verdict says of it."""
    lines = ["| fault | what happens | injected by | what the verdict says |", "|---|---|---|---|"]
    for name, fault in WORLD_FAULTS.items():
        lines.append(f"| {name} | {fault.what} | {fault.how} | {_said(fault)} |")
    return "\n".join(lines) + "\n"


def _said(fault: WorldFault) -> str:
    if fault.instead:
        return fault.instead
    said = [f"`{criterion}` passes, and tells of it" for criterion in fault.told]
    said += [f"`{criterion}` is inconclusive" for criterion in fault.inconclusive]
    if fault.blind:
        said.append("so is all that rests on the last look at the database")
    said += [f"`{criterion}` passes or is inconclusive" for criterion in fault.perhaps]
    return ", ".join(said) or "nothing: all passes"


TABLES = {"faults": faults, "world": world}


def page(current: str) -> str:
    """`current` with its tables renewed."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: made by docs/make_what_is_checked.py -->\n", f"<!-- end of {name} -->\n"
        head, _, rest = current.partition(begin)
        _, _, tail = rest.partition(end)
        current = head + begin + table() + end + tail
    return current


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
