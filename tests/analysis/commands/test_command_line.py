"""Promise: the command line explains itself, and a mistake costs a sentence and exit code 2."""

import subprocess
import sys
from pathlib import Path

import pytest

from analysis import cli
from tests.analysis.targets import ROOT, bare_environment, chatsoak

COMMANDS = (
    "doctor",
    "seed",
    "clean",
    "migrate",
    "monitor",
    "report",
    "compare",
    "baseline",
    "prune",
    "stage",
)


def test_help_names_every_command() -> None:
    done = chatsoak("--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    done = chatsoak(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"chatsoak {command}" in done.stdout.lower().partition("example")[2]


def test_help_imports_none_of_the_rooms() -> None:
    """So that it answers at once."""
    script = "import sys, analysis.cli; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"asyncpg", "httpx", "pandas", "numpy", "pyarrow", "pydantic", "matplotlib", "websockets"}
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("unknown",),
        ("doctor",),
        ("seed",),
        ("seed", "--people", "many"),
        ("seed", "--people", "1"),
        ("migrate", "--to", "4"),
        ("monitor", "--run", "/nowhere"),
        ("report", "/nowhere"),
        ("compare", "/nowhere"),
        ("compare", "/nowhere", "latest"),
        ("compare", "a", "b", "--min-percent", "some"),
        ("baseline", "/nowhere"),
        ("baseline", "latest", "--none"),
        ("prune",),
        ("prune", "--keep-records", "0"),
        ("prune", "--keep-runs", "5", "--older-than", "soon"),
        ("stage", "--unknown"),
    ],
)
def test_a_mistake_ends_with_2_and_no_traceback(arguments: tuple[str, ...]) -> None:
    done = chatsoak(*arguments, environment={"CHATSOAK_REPORTS_DIR": "/nowhere"})
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr or not arguments  # alone it shows its help
    assert "Traceback" not in done.stderr


def test_a_fault_of_the_tool_is_no_verdict(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python itself would end with 1: "a criterion failed"."""

    def crash(*_: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr("analysis.report.command.run", crash)
    monkeypatch.setattr(sys, "argv", ["chatsoak", "report", "latest"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 70
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "This is a fault of chatsoak" in said


def test_a_setting_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("DATABASE_URL=mysql://u:hidden-word@db/x\n", encoding="utf-8")
    done = chatsoak("clean", "--env-file", str(file))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "DATABASE_URL: expected a URL that begins with postgresql://" in done.stderr
    assert "hidden-word" not in done.stderr


def test_what_a_file_of_settings_holds_is_told_and_not_obeyed(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    for line, told in (
        ("CHATSOAK_\x1b[2J\u202eX=1", "CHATSOAK_[U+001B][2J[U+202E]X, set in "),
        ("CHATSOAK_THINK_TIME_S=\x1b[2J\u202e", r"found '\x1b[2J\u202e'"),
    ):
        file.write_text(f"{line}\n", encoding="utf-8")
        done = chatsoak("clean", "--env-file", str(file))
        assert done.returncode == 2
        assert told in done.stderr
        assert not set("\x1b\u202e") & set(done.stdout + done.stderr)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings"
    file.write_text("DATABASE_URL=mysql://db/x\n", encoding="utf-8")
    done = chatsoak("clean", "--env-file", str(file), environment={"DATABASE_URL": "postgresql://db/x"})
    assert "DATABASE_URL" not in done.stderr
    assert "SUPABASE_SERVICE_ROLE_KEY is not set" in done.stderr


def test_stage_passes_everything_on(tmp_path: Path) -> None:
    done = chatsoak("stage", "--fault", "no_such_fault=1", "--json")
    assert done.returncode == 2
    assert "no_such_fault" in done.stderr


def test_the_installed_command_is_this_one() -> None:
    command = Path(sys.executable).parent / "chatsoak"
    done = subprocess.run(
        [command, "--help"], env=bare_environment(), capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.startswith("Usage: chatsoak ")
