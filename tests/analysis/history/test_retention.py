"""Promise: what is pruned is what was said, and never anything that somebody still needs."""

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from analysis.history.runs import point
from tests.analysis.history.made import write_run
from tests.analysis.targets import chatsoak

OLD_S = 7200  # since anything in a folder changed: not under way


def prune(reports: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return chatsoak("prune", *arguments, environment={"CHATSOAK_REPORTS_DIR": str(reports)})


def aged(folder: Path) -> Path:
    then = time.time() - OLD_S
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))
    return folder


def with_record(reports: Path, name: str, **figures: object) -> Path:
    folder = write_run(reports, name, **figures)
    for part in ("record/local", "database"):
        (folder / part).mkdir(parents=True)
        (folder / part / "rows.arrows").write_bytes(b"x" * 1000)
    return aged(folder)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    for number in range(6):
        with_record(tmp_path, f"run-{number}")
    point(tmp_path, "latest", "run-5")
    return tmp_path


def has_record(folder: Path) -> bool:
    return (folder / "record").exists() or (folder / "database").exists()


def test_older_runs_lose_their_record_and_keep_their_report(reports: Path) -> None:
    done = prune(reports, "--keep-records", "2", "--yes")
    assert done.returncode == 0, done.stderr
    assert [has_record(reports / f"run-{number}") for number in range(6)] == [False] * 4 + [True] * 2
    for number in range(6):
        left = {path.name for path in (reports / f"run-{number}").iterdir()}
        assert left >= {"run.json", "verdict.json", "report.html", "junit.xml", "summary.md"}
    assert "remove the record of run-0" in done.stdout
    assert (reports / "index.html").exists()


def test_the_oldest_runs_go_altogether(reports: Path) -> None:
    assert prune(reports, "--keep-records", "2", "--keep-runs", "4", "--yes").returncode == 0
    assert sorted(path.name for path in reports.glob("run-*")) == [f"run-{number}" for number in range(2, 6)]


def test_a_dry_run_and_a_run_without_consent_remove_nothing(reports: Path) -> None:
    told = json.loads(prune(reports, "--keep-runs", "1", "--dry-run", "--json").stdout)
    assert [removal["run"] for removal in told["removals"]] == [f"run-{number}" for number in (4, 3, 2, 1, 0)]
    assert all(removal["bytes"] > 2000 for removal in told["removals"])
    assert prune(reports, "--keep-runs", "1").returncode == 2  # no terminal to ask on
    assert len(list(reports.glob("run-*"))) == 6


def test_what_is_needed_stays(reports: Path) -> None:
    point(reports, "baseline", "run-0")
    point(reports, "latest", "run-1")
    with_record(reports, "run-2-under-way", ended=False)
    (reports / "run-2-under-way" / "record" / "local" / "rows.arrows").write_bytes(b"just now")
    (reports / "run-2" / "verdict.json").unlink()
    aged(reports / "run-2")
    (with_record(reports, "a-copy") / "run.json").write_text("{", encoding="utf-8")
    (reports / "notes").mkdir()
    (reports / "notes" / "precious.txt").write_text("mine", encoding="utf-8")
    (reports / "elsewhere").symlink_to(reports / "run-0")
    done = prune(reports, "--keep-records", "1", "--yes")
    assert done.returncode == 0, done.stderr
    spared = {
        line.split(":")[0].removeprefix("leave ") for line in done.stdout.splitlines() if "leave" in line
    }
    assert spared == {"run-0", "run-1", "run-2", "run-2-under-way", "a-copy"}
    for name in (*spared, "run-5"):
        assert has_record(reports / name)
    assert not has_record(reports / "run-4")
    assert (reports / "notes" / "precious.txt").exists()
    assert prune(reports, "--keep-runs", "1", "--yes").returncode == 0
    assert {path.name for path in reports.iterdir() if path.is_dir()} >= {
        "run-0", "run-1", "run-2", "run-2-under-way", "run-5", "a-copy", "notes",
    }  # fmt: skip
    assert has_record(reports / "run-2"), "it was not judged: its record is all there is of it"
    assert not (reports / "run-4").exists()


@pytest.mark.parametrize("content", ['{"schema": 0}', "{", ""])
def test_a_run_whose_verdict_cannot_be_read_keeps_its_record(reports: Path, content: str) -> None:
    (reports / "run-2" / "verdict.json").write_text(content, encoding="utf-8")
    aged(reports / "run-2")
    done = prune(reports, "--keep-records", "1", "--keep-runs", "3", "--yes")
    assert "leave run-2: it has a verdict that cannot be read" in done.stdout
    assert has_record(reports / "run-2")
    assert not (reports / "run-1").exists()


def test_a_run_without_verdict_and_record_holds_nothing_to_keep(reports: Path) -> None:
    for name in ("verdict.json", "record", "database"):
        subprocess.run(["rm", "-r", str(reports / "run-2" / name)], check=True)  # noqa: S607
    aged(reports / "run-2")
    assert prune(reports, "--keep-runs", "1", "--yes").returncode == 0
    assert not (reports / "run-2").exists()


def test_the_list_is_made_anew_where_nothing_goes_and_not_by_a_dry_run(reports: Path) -> None:
    """The nightly order: a page of the newest run is written after its list."""
    (reports / "run-5" / "compare.html").write_text("<!doctype html>", encoding="utf-8")
    assert prune(reports, "--keep-runs", "9", "--dry-run").returncode == 0
    assert not (reports / "index.html").exists()
    assert prune(reports, "--keep-runs", "9", "--yes").returncode == 0
    assert 'href="./run-5/compare.html"' in (reports / "index.html").read_text(encoding="utf-8")


def test_a_record_that_lies_elsewhere_is_let_go_and_not_followed(
    reports: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("disk")
    (elsewhere / "rows.arrows").write_bytes(b"x")
    folder = reports / "run-0"
    subprocess.run(["rm", "-r", str(folder / "record")], check=True)  # noqa: S607
    (folder / "record").symlink_to(elsewhere)
    aged(folder)
    assert prune(reports, "--keep-records", "2", "--yes").returncode == 0
    assert (elsewhere / "rows.arrows").exists()
    assert not (folder / "record").is_symlink()


def test_what_is_young_stays(reports: Path) -> None:
    old = "--older-than"
    assert "\n4 records, " in prune(reports, "--keep-records", "2", old, "1d", "--dry-run").stdout
    assert (
        "Nothing is to be removed." in prune(reports, "--keep-records", "2", old, "9999w", "--dry-run").stdout
    )


def test_a_run_without_its_record_is_not_judged_again(reports: Path) -> None:
    prune(reports, "--keep-records", "2", "--yes")
    before = (reports / "run-0" / "verdict.json").read_bytes()
    done = chatsoak("report", "run-0", environment={"CHATSOAK_REPORTS_DIR": str(reports)})
    assert done.returncode == 2
    assert "was removed" in done.stderr
    assert (reports / "run-0" / "verdict.json").read_bytes() == before


def test_a_baseline_is_pinned_told_and_let_go(reports: Path) -> None:
    environment = {"CHATSOAK_REPORTS_DIR": str(reports)}
    assert "No baseline" in chatsoak("baseline", environment=environment).stdout
    assert chatsoak("baseline", "run-3", environment=environment).returncode == 0
    assert chatsoak("baseline", environment=environment).stdout.strip() == "run-3"
    assert (reports / "baseline").resolve() == reports / "run-3"
    assert chatsoak("compare", "baseline", "latest", environment=environment).returncode == 0
    assert chatsoak("baseline", "--none", environment=environment).returncode == 0
    assert not (reports / "baseline").is_symlink()


def test_a_baseline_that_did_not_pass_is_pinned_with_a_word(reports: Path) -> None:
    file = reports / "run-3" / "verdict.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "outcome": "fail"}))
    said = chatsoak("baseline", "run-3", environment={"CHATSOAK_REPORTS_DIR": str(reports)}).stdout
    assert said.startswith("The baseline is run-3 (fail).\nIt did not pass: ")
