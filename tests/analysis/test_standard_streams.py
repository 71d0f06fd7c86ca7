"""Promise: who reads what a command prints, and how long, changes neither its work nor its exit code."""

import itertools
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analysis.history.made import write_run
from tests.analysis.targets import ROOT, bare_environment

# Prints in each way that the commands have; what it does last is its work.
COMMAND = r"""
import pathlib, signal, sys
import typer
from rich.console import Console
from analysis.progress import error_console
from analysis.standard_streams import standard_streams
signal.signal(signal.SIGHUP, signal.SIG_IGN)
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
    *arguments: str,
    stdout: object = subprocess.PIPE,
    stderr: object = subprocess.PIPE,
    redirected: str = "",
    **environment: str,
) -> subprocess.CompletedProcess[str]:
    """The command; `redirected` as a shell would, by ">&-" for one."""
    command = [
        "/bin/sh",
        "-c",
        f'exec "$0" "$@" {redirected}',
        sys.executable,
        "-m",
        "analysis.cli",
        *arguments,
    ]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=bare_environment() | environment,
        stdout=stdout,
        stderr=stderr,
        check=False,
        text=True,
    )  # type: ignore[call-overload, no-any-return] # any file will do


def started(done: Path, output: int, **locale: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(done)],
        cwd=ROOT,
        env=bare_environment() | locale,
        stdout=output,
        stderr=output,
    )


@pytest.mark.parametrize("locale", LOCALES, ids=lambda locale: " ".join(locale) or "plain")
@pytest.mark.parametrize("read", [0, 10, 40_000], ids=lambda read: f"{read} bytes read")
def test_a_reader_who_leaves_stops_nothing(tmp_path: Path, locale: dict[str, str], read: int) -> None:
    reading, writing = os.pipe()
    process = started(tmp_path / "done", writing, **locale)
    os.close(writing)
    left = read
    while left and (some := os.read(reading, left)):
        left -= len(some)
    os.close(reading)
    assert process.wait(60) == 3
    assert (tmp_path / "done").exists()


def terminal() -> tuple[int, int]:
    """What reads from a terminal, and what writes to it."""
    return os.openpty()


def connection() -> tuple[int, int]:
    """A TCP connection whose reader leaves with a reset."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        writing = socket.create_connection(door.getsockname())
        reading, _ = door.accept()
    reading.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return reading.detach(), writing.detach()


@pytest.mark.parametrize("made", [terminal, connection])
def test_a_terminal_and_a_connection_may_be_closed_too(
    tmp_path: Path, made: Callable[[], tuple[int, int]]
) -> None:
    reading, writing = made()
    process = started(tmp_path / "done", writing)
    os.close(writing)
    assert os.read(reading, 10)
    os.close(reading)
    assert process.wait(60) == 3
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("waits", [True, False], ids=["plain", "O_NONBLOCK"])
def test_everything_that_is_read_is_printed(tmp_path: Path, waits: bool) -> None:
    (out, to_out), (err, to_err) = os.pipe(), os.pipe()
    os.set_blocking(to_out, waits)
    os.set_blocking(to_err, waits)
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, str(tmp_path / "done")],
        cwd=ROOT,
        env=bare_environment(),
        stdout=to_out,
        stderr=to_err,
    )
    os.close(to_out)
    os.close(to_err)
    with os.fdopen(out, encoding="utf-8") as printed, os.fdopen(err, encoding="utf-8") as said:
        # Line by line, so that neither is ever full while the other is waited for.
        lines = list(itertools.islice(zip(printed, printed, printed, said, said, strict=True), 3000))
        assert (printed.read(), said.read()) == ("", "")
    assert lines == [(f"é {line}\n", "é\n", "é\n", "é\n", "é\n") for line in range(3000)]
    assert process.wait(60) == 3


def test_a_full_disk_is_no_verdict_and_stops_nothing(tmp_path: Path) -> None:
    run = write_run(tmp_path, "run-1")
    with Path("/dev/full").open("w") as full:
        done = chatsoak("baseline", str(run), stdout=full, CHATSOAK_REPORTS_DIR=str(tmp_path))
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert (
            "All else is done, but not all that was to be printed could be written: No space left on device"
            in done.stderr
        )
        assert (tmp_path / "baseline").resolve() == run
        assert (tmp_path / "index.html").exists()
        assert chatsoak("report", "nonsense", stderr=full).returncode == 2


def test_what_fails_when_the_last_of_it_is_written_is_no_verdict_either(tmp_path: Path) -> None:
    prints = """
import typer
from analysis import cli
cli.app = typer.Typer()
cli.app.command()(lambda: print("it"))
cli.main()
"""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", prints],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_any_stream_may_be_closed(tmp_path: Path, closed: str) -> None:
    run = write_run(tmp_path, "run-1")
    done = chatsoak("baseline", str(run), redirected=closed, CHATSOAK_REPORTS_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "index.html").exists()
    works = ["/bin/sh", "-c", f'exec "$0" -c "$1" "$2" {closed}', sys.executable, COMMAND]
    done = subprocess.run(
        [*works, str(tmp_path / "done")],
        cwd=ROOT,
        env=bare_environment(),
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert (tmp_path / "done").exists()


def test_who_has_no_stdin_gives_no_permission(tmp_path: Path) -> None:
    write_run(tmp_path, "run-1")
    write_run(tmp_path, "run-2")
    done = chatsoak("prune", "--keep-runs", "1", redirected="<&-", CHATSOAK_REPORTS_DIR=str(tmp_path))
    assert (done.returncode, "say --yes" in done.stderr) == (2, True)
