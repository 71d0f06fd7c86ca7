"""Writes the table of docs/staging.md from staging/faults.py: ``python docs/make_faults.py``.

The test of the same name holds the page against the code.
"""

from pathlib import Path

from staging.faults import DECLARED

PAGE = Path(__file__).with_name("staging.md")
BEGIN = "<!-- faults: made by docs/make_faults.py -->\n"
END = "<!-- end of faults -->\n"


def table() -> str:
    """The faults as a Markdown table, in the order of the code."""
    lines = ["| fault | value | what happens | who should notice |", "|---|---|---|---|"]
    for fault in DECLARED:
        notices = ", ".join(f"`{name}`" for name in fault.breaks.split(", ") if name)
        lines.append(f"| `{fault.name}` | {fault.unit} | {fault.meaning} | {notices} |")
    return "\n".join(lines) + "\n"


def page(current: str) -> str:
    """`current` with its table renewed."""
    head, _, rest = current.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + table() + END + tail


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
