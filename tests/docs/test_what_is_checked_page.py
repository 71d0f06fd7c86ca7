"""docs/what-is-checked.md lists every fault of the adversary, and says something about every criterion."""

import runpy
from pathlib import Path

from analysis.checks import audit
from tests.adversary.catalogue import FAULTS
from tests.adversary.whole_runs import ENVIRONMENT_FAULTS
from tests.analysis.histories import History

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "what-is-checked.md").read_text(encoding="utf-8")
BESIDE_THE_AUDIT = {"drift.latency", "drift.database", "plan.history"}
# held against simulated runs in tests/analysis/test_latency_drift.py and tests/analysis/checks/test_drift.py
OF_LONG_RUNS = {"drift.latency", "drift.database"}
OF_THE_TOOL = {"monitor.complete", "record.complete"}  # what breaks them is in tests/adversary/test_world.py


def test_the_table_of_faults_is_up_to_date() -> None:
    made = runpy.run_path(str(DOCS / "make_what_is_checked.py"))["page"](PAGE)
    assert made == PAGE, "run: python docs/make_what_is_checked.py"


def test_every_criterion_is_explained_and_has_a_fault() -> None:
    history = History()
    history.chat(0, 1)
    criteria = {criterion.id for criterion in audit(history.evidence(), 5).criteria} | BESIDE_THE_AUDIT
    explained = PAGE.partition("## How we know")[0]
    assert {name for name in criteria if f"`{name}`" not in explained} == set()
    broken = {name for fault in (*FAULTS, *ENVIRONMENT_FAULTS) for name in fault.breaks}
    assert criteria - broken == OF_THE_TOOL | OF_LONG_RUNS
    assert len(FAULTS) + len(ENVIRONMENT_FAULTS) >= 40
