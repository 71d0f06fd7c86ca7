"""Promise: who reads what a command prints, and how long, changes neither its work nor its exit code."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.analysis.targets import ROOT, bare_environment

# Prints in each way that the commands have; what it does last is its work.
COMMAND = r"""
import sys, pathlib
import typer
from rich.console import Console
from analysis.progress import error_console
from analysis.standard_streams import standard_streams
with standard_streams():
    for line in range(3000):
        print("\u00e9", line, flush=line % 2 == 0)
        typer.echo("\u00e9")
        Console().print("\u00e9")
        error_console().print("\u00e9")
        typer.echo("\u00e9", err=True)
    pathlib.Path(sys.argv[1]).touch()
    sys.exit(3)
"""
LOCALES: tuple[dict[str, str], ...] = (
    {},
    {"PYTHONIOENCODING": "ascii"},
    {"PYTHONUNBUFFERED": "1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


def chatsoak(
    *arguments: str, stdout: object = subprocess.PIPE, stderr: object = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "analysis.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=bare_environment(), stdout=stdout, stderr=stderr, check=False, text=True
    )  # type: ignore[call-overload, no-any-return] # any file will do


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: " ".join(locale) or "plain")
@pytest.mark.parametrize("read", [0, 10, 40_000], ids=lambda read: f"{read} bytes read")
def test_a_reader_who_leaves_stops_nothing(tmp_path: Path, locale: dict[str, str], read: int) -> None:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tmp_path / "done")],
        cwd=ROOT,
        env=bare_environment() | locale,
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    left = read
    while left and (some := os.read(reading, left)):
        left -= len(some)
    os.close(reading)
    assert process.wait(60) == 3
    assert (tmp_path / "done").exists()


def test_everything_that_is_read_is_printed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, str(tmp_path / "done")],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.stdout == "".join(f"é {line}\né\né\n" for line in range(3000))
    assert done.stderr == 3000 * "é\né\n"


def test_a_full_disk_is_no_verdict() -> None:
    with Path("/dev/full").open("w") as full:
        done = chatsoak("report", "--help", stdout=full)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "cannot be written: No space left on device" in done.stderr
        assert chatsoak("report", "nonsense", stderr=full).returncode == 2


def test_standard_output_may_be_closed() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", '"$0" -m analysis.cli --help >&-', sys.executable],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
