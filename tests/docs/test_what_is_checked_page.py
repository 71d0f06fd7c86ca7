"""docs/what-is-checked.md lists every fault of the adversary, and says something about every criterion."""

import runpy
from pathlib import Path

from analysis.verdict import ORDER
from tests.adversary.catalogue import FAULTS
from tests.adversary.environment import ENVIRONMENT_FAULTS
from tests.adversary.world import WORLD_FAULTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGE = (DOCS / "what-is-checked.md").read_text(encoding="utf-8")
# They take runs of ten minutes: see tests/analysis/test_latency_drift.py and tests/analysis/checks/test_drift.py.
SIMULATED = {"drift.latency", "drift.database"}


def test_the_tables_of_faults_are_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_what_is_checked.py"))["page"](PAGE)
    assert made == PAGE, "run: python docs/make_what_is_checked.py"


def test_every_criterion_is_explained_and_has_a_fault() -> None:
    explained = PAGE.partition("## How we know")[0]
    assert {name for name in ORDER if f"`{name}`" not in explained} == set()
    broken = {name for fault in (*FAULTS, *ENVIRONMENT_FAULTS) for name in fault.breaks}
    held_up = {name for fault in WORLD_FAULTS.values() for name in fault.inconclusive}
    assert set(ORDER) - broken - held_up == SIMULATED
    assert len(FAULTS) + len(ENVIRONMENT_FAULTS) >= 40


def test_every_fault_of_the_world_is_in_a_test() -> None:
    tests = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "adversary").glob("test_*.py")
    )
    assert [name for name in WORLD_FAULTS if f'"{name}"' not in tests] == []
