"""Judges the kept records of the adversary's runs again: ``python -m tests.adversary.judge_again FOLDER``.

Ends with 1 when a verdict is not what the faults of its run call for. See tests/mutate.py.
"""

import json
import sys
from pathlib import Path

from analysis.judge import judge
from tests.adversary import expectations


def main(folder: Path) -> int:
    """Judge every run below `folder` that has expectations."""
    wrong = 0
    for file in sorted(folder.rglob(expectations.FILE)):
        verdict = judge(file.parent)
        expected = json.loads(file.read_text())
        faults = expected.get("faults")
        found = expectations.mistakes(file.parent, verdict, faults) if faults is not None else {}
        outcomes = {one["id"]: one["outcome"] for one in verdict["criteria"]}
        for criterion, outcome in expected["criteria"].items():
            if outcomes[criterion] != outcome:
                found[criterion] = [f"{outcomes[criterion]}, not {outcome}"]
        for what, why in found.items():
            print(f"{file.parent.name}: {what}: {why}")
        wrong += bool(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
