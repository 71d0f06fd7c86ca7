"""Promise: what takes longer than two seconds shows on a terminal that it goes on, and elsewhere says so in plain lines."""

import os
import re
import subprocess
import sys

import pytest

from tests.staging.stages import ROOT
from tests.terminals import on_a_terminal

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


def command(quiet_s: float) -> list[str]:
    return [sys.executable, "-c", SCRIPT.format(quiet_s=quiet_s)]


def environment(**given: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TERM": "xterm", **given}


def piped(quiet_s: float, **given: str) -> str:
    return subprocess.run(
        command(quiet_s), cwd=ROOT, env=environment(**given), capture_output=True, text=True, check=True
    ).stderr


def written_to_a_terminal(quiet_s: float, **given: str) -> str:
    code, written = on_a_terminal(command(quiet_s), environment(**given))
    assert code == 0
    return written


def test_what_is_quick_says_nothing() -> None:
    assert piped(quiet_s=60) == ""
    assert written_to_a_terminal(quiet_s=60) == ""


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
    written = written_to_a_terminal(quiet_s=0)
    assert "reading · " in written
    assert "judging: 12 of 300 · " in written
    last = written.rpartition("judging: 12 of 300")[2]
    assert "\x1b[2K" in last  # the line is taken back
    assert written.endswith("\x1b[2K")


@pytest.mark.parametrize("kind", ["dumb", "unknown"])
def test_a_terminal_that_cannot_take_a_line_back_is_none(kind: str) -> None:
    written = written_to_a_terminal(quiet_s=0, TERM=kind)
    assert "\x1b" not in written
    assert "judging\r\n" in written
