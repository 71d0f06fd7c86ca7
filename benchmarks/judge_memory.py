"""How much memory and time the judge needs for a record of a million sends with three million deliveries.

The judge runs in a process of its own, so that the figure is its peak and nobody else's.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET_GIB = 1.5

# The time of each phase is told as the judge tells it; the peak is the kernel's account of this process.
_JUDGE = """
import json, resource, sys, time
from pathlib import Path
from analysis.judge import judge_run
began = time.perf_counter()
phases = []
judgement = judge_run(Path(sys.argv[1]), lambda phase: phases.append((phase, time.perf_counter() - began)))
print(json.dumps({
    "seconds": time.perf_counter() - began,
    "peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "phases": phases,
    "outcome": judgement.verdict["outcome"],
    "counts": judgement.verdict["counts"],
    "faults": [entry["id"] for entry in judgement.verdict["criteria"] if entry["outcome"] == "fail"],
}))
"""


def measure(sends: int) -> dict[str, Any]:
    """Write a record of `sends` messages and judge it: seconds, peak_bytes, outcome, counts."""
    root = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with tempfile.TemporaryDirectory(prefix="chatsoak-judge-") as folder:
        run = Path(folder) / "run"
        subprocess.run(
            [sys.executable, str(HERE / "synthetic_record.py"), str(run), "--sends", str(sends)],
            check=True,
            env=root,
            stdout=subprocess.DEVNULL,
        )
        size = sum(path.stat().st_size for path in run.rglob("*") if path.is_file())
        done = subprocess.run(
            [sys.executable, "-c", _JUDGE, str(run)], check=True, env=root, stdout=subprocess.PIPE, text=True
        )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"record_bytes": size}


def table(found: dict[str, Any]) -> str:
    """A markdown table."""
    counts, mib = found["counts"], found["peak_bytes"] / 2**20
    held = "yes" if mib <= TARGET_GIB * 1024 else "NO"
    return "\n".join(
        [
            (
                "| sends | deliveries | record on disk | peak memory of the judge | within "
                f"{TARGET_GIB:g} GiB | time | outcome |"
            ),
            "|--:|--:|--:|--:|---|--:|---|",
            (
                f"| {counts['sends']:,} | {counts['deliveries']:,} | {found['record_bytes'] / 2**20:,.0f} MiB "
                f"| {mib:,.0f} MiB | {held} | {found['seconds']:.1f} s | {found['outcome']} |"
            ),
        ]
    )
