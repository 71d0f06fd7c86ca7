"""Writes the tables of docs/what-is-checked.md from the adversary's faults: ``python docs/make_what_is_checked.py``.

The test of the same name holds the page against the code.
"""

import sys
from pathlib import Path

PAGE = Path(__file__).with_name("what-is-checked.md")
BEGIN = "<!-- faults: made by docs/make_what_is_checked.py -->\n"
END = "<!-- end of faults -->\n"

sys.path.insert(0, str(PAGE.parent.parent))

from tests.adversary.catalogue import FAULTS  # noqa: E402 - found only now
from tests.adversary.whole_runs import ENVIRONMENT_FAULTS  # noqa: E402


def table() -> str:
    """Every fault, how it is injected, and the criteria that must notice."""
    faults = [(fault.name(), fault.what, fault.how, fault.breaks) for fault in FAULTS]
    faults += [(fault.name, fault.what, fault.how, fault.breaks) for fault in ENVIRONMENT_FAULTS]
    lines = ["| fault | what happens | injected by | who must notice, and nobody else |", "|---|---|---|---|"]
    for name, what, how, breaks in sorted(faults, key=lambda fault: (not fault[3], fault[3], fault[0])):
        noticed = ", ".join(f"`{criterion}`" for criterion in breaks) or "nobody: it is no fault of the app"
        lines.append(f"| {name} | {what} | {how} | {noticed} |")
    return "\n".join(lines) + "\n"


def page(current: str) -> str:
    """`current` with its table renewed."""
    head, _, rest = current.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + table() + END + tail


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
