"""Promise: what takes longer than two seconds shows on a terminal that it goes on, and elsewhere says so in plain lines."""

import os
import pty
import re
import select
import subprocess
import sys

import pytest

from tests.staging.stages import ROOT

SCRIPT = """
import threading
from analysis import progress
progress.QUIET_S = {quiet_s}
over = threading.Event()
with progress.Progress(progress.error_console(), every_s=0.2) as shown:
    shown.step("reading")
    over.wait(0.5)
    shown.step("judging")
    over.wait(0.01)
    shown.so_far("judging: 12 of 300")
    over.wait(1.0)
"""


def run(quiet_s: float, stderr: int, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(quiet_s=quiet_s)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        env={"PATH": os.environ["PATH"], "TERM": "xterm", **environment},
    )


def piped(quiet_s: float, **environment: str) -> str:
    process = run(quiet_s, subprocess.PIPE, **environment)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 0
    return said.decode()


def on_a_terminal(quiet_s: float, **environment: str) -> str:
    ours, its = pty.openpty()
    process = run(quiet_s, its, **environment)
    os.close(its)
    written = bytearray()
    try:
        while select.select([ours], [], [], 60)[0]:
            written += os.read(ours, 4096)
    except OSError:  # the other end is closed: EIO
        pass
    os.close(ours)
    assert process.wait(60) == 0
    return written.decode()


def test_what_is_quick_says_nothing() -> None:
    assert piped(quiet_s=60) == ""
    assert on_a_terminal(quiet_s=60) == ""


def test_a_pipe_gets_plain_lines_of_each_step_and_of_how_far_it_is() -> None:
    said = piped(quiet_s=0, FORCE_COLOR="1")
    assert "\x1b" not in said
    assert "\r" not in said
    lines = said.splitlines()
    assert lines[0] == "reading"
    assert "judging" in lines
    assert "judging: 12 of 300" in lines
    assert re.fullmatch(r"judging: 12 of 300, for \d+ s by now", lines[-1])


def test_a_terminal_gets_a_line_that_vanishes() -> None:
    written = on_a_terminal(quiet_s=0)
    assert "reading · " in written
    assert "judging: 12 of 300 · " in written
    last = written.rpartition("judging: 12 of 300")[2]
    assert "\x1b[2K" in last  # the line is taken back
    assert written.endswith("\x1b[2K")


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_take_a_line_back_is_none(kind: str) -> None:
    written = on_a_terminal(quiet_s=0, TERM=kind)
    assert "\x1b" not in written
    assert "judging\r\n" in written
