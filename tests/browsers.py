"""The real browser that tests drive, and axe-core in it, which finds what keeps people from reading a page."""

import shutil
import subprocess
from pathlib import Path

from playwright.sync_api import Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SUITE = Path(__file__).parent / "analysis" / "report" / "browser"
AXE = SUITE / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}


def serious_faults(page: Page, within: str = "html", *, least: int) -> list[str]:
    """What axe-core calls a serious fault in the part of the page that the selector `within` names.

    Args:
        least: so many of its rules must have been met: it has looked.
    """
    page.add_script_tag(path=_axe())
    told = page.evaluate("async within => await axe.run(within)", within)
    assert len(told["passes"]) >= least, "axe has looked"
    return [
        f"{one['id']}: {one['help']}: {node['html'][:120]}"
        for one in told["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"][:3]
    ]


def _axe() -> Path:
    if not AXE.exists():
        done = subprocess.run(["npm", "ci"], cwd=SUITE, capture_output=True, text=True, check=False)  # noqa: S607
        assert done.returncode == 0, f"npm ci failed:\n{done.stdout}{done.stderr}"
    return AXE
