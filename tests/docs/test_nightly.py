"""Promise: the nightly workflow and the cron recipe are whole, safe with secrets, and work as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.report.index import write_index

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
    shown = named("Show the verdict")["run"]
    for part in ("GITHUB_STEP_SUMMARY", "summary.md", "history.md"):
        assert part in shown


def test_the_history_is_fetched_before_anything_can_fail_and_kept_only_with_what_a_soak_added() -> None:
    names = [step.get("name") for step in STEPS]
    assert names.index("Fetch the history") < names.index("Install") < names.index("Note the newest run")
    assert names.index("Note the newest run") < min(
        place for place, name in enumerate(names) if "Soak" in str(name)
    )
    kept = named("Keep the history")["if"]
    assert named("Fetch the history")["id"] == "fetch"
    assert named("Note the newest run")["id"] == "before"
    assert "if" not in named("Note the newest run"), "it is left out where fetching or installing has failed"
    assert "steps.fetch.outcome == 'success'" in kept
    assert "steps.before.outcome == 'success'" in kept


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder as the recipes expect it: chatsoak's own commands and locustfiles, and reports of its own."""
    commands = tmp_path / ".venv" / "bin"
    commands.mkdir(parents=True)
    for name in ("locust", "chatsoak"):
        (commands / name).symlink_to(Path(sys.executable).parent / name)
    (tmp_path / "locustfiles").symlink_to(ROOT / "locustfiles")
    return tmp_path


def named(name: str) -> dict[str, Any]:
    (step,) = [step for step in STEPS if step.get("name") == name]
    return step


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
    assert "Nothing is to be removed." in first.stdout
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
    assert "## All runs" in second.stdout
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
    compare, page = named("Compare with the baseline")["run"], project / "summary.md"
    done = run(compare, project, GITHUB_STEP_SUMMARY=str(page), PIN="")
    assert done.returncode == code, done.stdout + done.stderr
    assert "Send P95" in page.read_text(encoding="utf-8")
    assert 'href="./b/compare.html"' in (reports / "index.html").read_text(encoding="utf-8")


def test_a_run_that_is_worse_can_be_pinned_all_the_same(project: Path) -> None:
    from tests.analysis.history.made import write_run

    reports = project / "reports"
    write_run(reports, "a")
    write_run(reports, "b", p95_ms=150.0)
    (reports / "baseline").symlink_to("a")
    (reports / "latest").symlink_to("b")
    page = project / "summary.md"
    compare = run(
        named("Compare with the baseline")["run"], project, GITHUB_STEP_SUMMARY=str(page), PIN="true"
    )
    assert compare.returncode == 0, compare.stdout + compare.stderr
    assert "REGRESSION" in page.read_text(encoding="utf-8")
    assert run(named("Pin the baseline")["run"], project).returncode == 0
    assert (reports / "baseline").readlink() == Path("b")


@pytest.mark.parametrize("before", ["", "a", "b"])
def test_the_workflow_shows_tonights_run_and_no_other_nights(project: Path, before: str) -> None:
    from tests.analysis.history.made import write_run

    reports = project / "reports"
    write_run(reports, "a")
    write_run(reports, "b")
    write_index(reports)
    (reports / "latest").symlink_to("b")
    page, out = project / "summary.md", project / "output"
    done = run(
        named("Show the verdict")["run"],
        project,
        BEFORE=before,
        GITHUB_STEP_SUMMARY=str(page),
        GITHUB_OUTPUT=str(out),
    )
    shown = page.read_text(encoding="utf-8")
    if before == "b":
        assert done.returncode == 1
        assert shown.startswith("No run tonight")
        assert not out.exists()
    else:
        assert done.returncode == 0, done.stderr
        assert out.read_text(encoding="utf-8") == "run=b\n"
        assert "## All runs" in shown
    for name in ("Compare with the baseline", "Gather the newest reports", "Upload the report"):
        assert "steps.tonight.outputs.run != ''" in named(name)["if"]


def test_the_workflow_notes_the_newest_run_also_where_there_is_none(project: Path) -> None:
    (project / "reports").mkdir()
    for latest in ("", "a"):
        if latest:
            (project / "reports" / "latest").symlink_to(latest)
        out = project / f"output{latest}"
        assert run(named("Note the newest run")["run"], project, GITHUB_OUTPUT=str(out)).returncode == 0
        assert out.read_text(encoding="utf-8") == f"latest={latest}\n"


def test_the_list_and_the_five_newest_reports_are_uploaded(project: Path) -> None:
    from tests.analysis.history.made import night_id, write_run

    for night in range(7):
        write_run(project / "reports", night_id(night))
    (project / "reports" / night_id(6) / "compare.html").write_text("<!doctype html>", encoding="utf-8")
    write_index(project / "reports")
    done = run(named("Gather the newest reports")["run"], project)
    assert done.returncode == 0, done.stderr
    newest = project / named("Upload the report")["with"]["path"]
    assert {path.name for path in newest.iterdir()} == {
        "index.html", "history.md", *(night_id(night) for night in range(2, 7)),
    }  # fmt: skip
    assert {path.name for path in (newest / night_id(6)).iterdir()} == {
        "report.html", "compare.html", "verdict.json", "junit.xml", "summary.md",
    }  # fmt: skip


def test_by_cron_a_soak_that_left_no_run_shows_no_other_nights(project: Path) -> None:
    from tests.analysis.history.made import write_run

    reports = project / "reports"
    write_run(reports, "a")
    write_run(reports, "b", p95_ms=150.0)
    (reports / "baseline").symlink_to("a")
    (reports / "latest").symlink_to("b")
    soak = project / ".venv" / "bin" / "locust"
    for code, expected in (("0", 3), ("2", 2)):
        soak.unlink()
        soak.write_text(f"#!/bin/sh\nexit {code}\n", encoding="utf-8")
        soak.chmod(0o755)
        done = run(recipe(), project)
        assert done.returncode == expected, done.stdout + done.stderr
        assert "No run tonight" in done.stdout
        assert "Send P95" not in done.stdout
