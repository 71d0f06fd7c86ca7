"""docs/settings.md lists every setting as the code has it."""

import runpy
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_is_up_to_date() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    made = runpy.run_path(str(DOCS / "make_settings.py"))["page"](page)
    assert page == made, "run: python docs/make_settings.py"
