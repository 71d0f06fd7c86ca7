"""docs/staging.md lists every fault as the code has it."""

import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_table_of_faults_is_up_to_date() -> None:
    page = (DOCS / "staging.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(DOCS / "make_faults.py"))["page"](page)
    assert page == made, "run: python docs/make_faults.py"
    assert "`lost_ack_rate`" in page
