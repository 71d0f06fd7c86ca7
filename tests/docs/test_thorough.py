"""Promise: every test that is there runs somewhere: at each change, or each night."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "thorough.yml").read_text(encoding="utf-8"))
(JOB,) = WORKFLOW["jobs"].values()
STEPS: list[dict[str, Any]] = JOB["steps"]


def test_it_runs_at_night_and_by_hand_and_may_only_read() -> None:
    on = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert re.fullmatch(r"\d+ \d+ \* \* \*", on["schedule"][0]["cron"])
    assert "workflow_dispatch" in on
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "secrets." not in str(WORKFLOW)


def test_it_runs_what_no_change_has_to_wait_for() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    tests = set(re.findall(r"^(test[\w-]*|mutate):", makefile, re.MULTILINE))
    at_each_change = set(
        re.findall(r"^make ([\w-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert set(JOB["strategy"]["matrix"]["target"]) == tests - at_each_change


@pytest.mark.parametrize("action", [step["uses"] for step in STEPS if "uses" in step])
def test_actions_are_pinned_to_commits(action: str) -> None:
    assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", action)


@pytest.mark.parametrize("step", [step for step in STEPS if "run" in step], ids=lambda step: step["name"])
def test_scripts_are_sh_and_take_nothing_by_template(step: dict[str, Any]) -> None:
    assert "${{" not in step["run"]
    subprocess.run(["sh", "-n"], input=step["run"], text=True, check=True)  # noqa: S607
