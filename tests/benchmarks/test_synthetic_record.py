"""Promise: no check finds a fault in the record that benchmarks judge."""

from pathlib import Path

from analysis.judge import judge_run
from benchmarks.synthetic_record import write


def test_nothing_is_wrong_with_it(tmp_path: Path) -> None:
    write(tmp_path / "run", 2000, walk_every=8)
    criteria = judge_run(tmp_path / "run", lambda _: None).verdict["criteria"]
    assert [(one["id"], one["examples"][:1]) for one in criteria if one["outcome"] == "fail"] == []
