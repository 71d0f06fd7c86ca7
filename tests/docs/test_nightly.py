"""Promise: the nightly workflow and the cron recipe are whole, safe with secrets, and work as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "nightly.md"
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["soak"]["steps"]
SCRIPTS = [step for step in STEPS if "run" in step]


def test_the_workflow_starts_at_night_and_by_hand_and_may_only_read() -> None:
    on = WORKFLOW[True]  # YAML 1.1 reads the key `on` as true
    assert re.fullmatch(r"\d+ \d+ \* \* \*", on["schedule"][0]["cron"])
    assert "workflow_dispatch" in on
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert WORKFLOW["jobs"]["soak"]["timeout-minutes"] > 60


def test_actions_are_pinned_to_commits() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert len(used) >= 5
    for action in used:
        assert re.fullmatch(r"actions/[\w/-]+@[0-9a-f]{40}", action), action


@pytest.mark.parametrize("step", SCRIPTS, ids=lambda step: step["name"])
def test_scripts_are_sh_and_take_nothing_by_template(step: dict[str, Any]) -> None:
    """What GitHub would paste into a script could be a command of somebody else's, or a secret in a process list."""
    assert "${{" not in step["run"]
    subprocess.run(["sh", "-n"], input=step["run"], text=True, check=True)  # noqa: S607


def test_secrets_reach_the_soak_of_staging_alone_and_by_its_environment() -> None:
    holders = [step["name"] for step in STEPS if "secrets." in str(step)]
    assert holders == ["Soak staging"]
    (soak,) = [step for step in STEPS if step.get("name") == "Soak staging"]
    named = {name for name, value in soak["env"].items() if "secrets." in value}
    assert named == {
        "NEXT_PUBLIC_SUPABASE_ANON_KEY",
        "SUPABASE_SERVICE_ROLE_KEY",
        "DATABASE_URL",
        "CHATSOAK_PASSWORD",
    }
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in soak["env"] if f"`{name}`" not in page] == []


def test_the_report_is_kept_even_of_a_night_that_failed() -> None:
    after = STEPS[[step.get("name") for step in STEPS].index("Show the verdict") :]
    assert all("!cancelled()" in step["if"] or step["name"] == "Pin the baseline" for step in after)
    upload = next(step for step in STEPS if "upload-artifact" in step.get("uses", ""))
    for name in ("report.html", "junit.xml", "summary.md", "verdict.json", "index.html"):
        assert name in upload["with"]["path"]
    assert any("GITHUB_STEP_SUMMARY" in step["run"] and "summary.md" in step["run"] for step in SCRIPTS)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the recipes expect it: chatsoak's own commands and locustfiles, and reports of its own."""
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name in ("locust", "chatsoak"):
        (commands / name).symlink_to(Path(sys.executable).parent / name)
    (tmp_path / "locustfiles").symlink_to(ROOT / "locustfiles")
    return tmp_path


def recipe() -> str:
    (script,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return str(script)


def environment(project: Path) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CHATSOAK_", "LOCUST_"))
    }
    return kept | {"SOAK_DIR": str(project), "USERS": "4", "RATE": "4", "TIME": "8s"}


def run(script: str, project: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh"],  # noqa: S607
        input=script,
        cwd=project,
        env=environment(project) | more,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_recipe_is_sh_and_says_when_it_is_not_set_up(tmp_path: Path) -> None:
    subprocess.run(["sh", "-n"], input=recipe(), text=True, check=True)  # noqa: S607
    assert run(recipe(), tmp_path, SOAK_DIR=str(tmp_path / "nowhere")).returncode == 2


def test_a_second_soak_stays_away_while_one_runs(project: Path) -> None:
    (project / "reports").mkdir()
    script = 'exec 8> reports/.nightly.lock; flock 8; sh -c "$RECIPE"'
    done = run(script, project, RECIPE=recipe())
    assert done.returncode == 75, done.stderr
    assert "still runs" in done.stdout


@pytest.mark.long
@pytest.mark.timeout(300)
def test_two_nights_by_cron(project: Path) -> None:
    """The script as it stands, twice; the second night is held against the first."""
    first = run(recipe(), project)
    assert first.returncode in (0, 3), first.stdout + first.stderr
    assert "0 runs and 0 records" in first.stdout
    chatsoak = str(project / ".venv" / "bin" / "chatsoak")
    assert (
        subprocess.run(
            [chatsoak, "baseline", "latest"], cwd=project, env=environment(project), check=False
        ).returncode
        == 0
    )
    second = run(recipe(), project)
    assert second.returncode in (0, 1, 3), second.stdout + second.stderr
    assert "Send P95" in second.stdout
    latest = project / "reports" / "latest"
    assert (latest / "compare.html").read_text(encoding="utf-8").count("<svg") >= 2
    assert latest.resolve() != (project / "reports" / "baseline").resolve()


@pytest.mark.parametrize(("worse", "code"), [(False, 0), (True, 1)])
def test_the_workflows_comparison_fails_the_job_when_something_got_worse(
    project: Path, worse: bool, code: int
) -> None:
    from tests.analysis.history.made import write_run

    reports = project / "reports"
    write_run(reports, "a")
    write_run(reports, "b", p95_ms=150.0 if worse else 100.0)
    (reports / "baseline").symlink_to("a")
    (reports / "latest").symlink_to("b")
    (compare,) = [step["run"] for step in SCRIPTS if step["name"] == "Compare with the baseline"]
    page = project / "summary.md"
    done = run(compare, project, GITHUB_STEP_SUMMARY=str(page))
    assert done.returncode == code, done.stdout + done.stderr
    assert "Send P95" in page.read_text(encoding="utf-8")
