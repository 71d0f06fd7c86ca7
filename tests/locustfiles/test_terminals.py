"""Promise: all that a run prints, from the first line to the last, keeps to what its terminal can do and its user wants."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.locustfiles.soaks import BUSY
from tests.staging.stages import ROOT
from tests.terminals import on_a_terminal

pytestmark = pytest.mark.long

COLOURS = re.compile(r"\x1b\[(?:\d+;)*(?:3\d|4\d|9\d|10\d)[;m]")


def printed(folder: Path, *, terminal: bool, **environment: str) -> str:
    """All that a soak prints that finds something."""
    command = [
        *(sys.executable, "-m", "locust", "-f", "locustfiles/chat.py", "--headless", "--only-summary"),
        *("--stage-fault", "null_seq_rate=0.2", "--users", "8", "--spawn-rate", "8", "--run-time", "8s"),
    ]
    ours = {name: it for name, it in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    given = {**ours, **BUSY, "CHATSOAK_REPORTS_DIR": str(folder), **environment}
    if terminal:
        code, written = on_a_terminal(command, given)
    else:
        done = subprocess.run(
            command, cwd=ROOT, env=given, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        code, written = done.returncode, done.stdout.decode()
    assert code == 1, written
    assert "it has no seq" in written
    assert "No: this should not be released as it is." in written
    assert written.rstrip().endswith("report.html")
    return written


def test_a_terminal_gets_a_line_that_renews_itself_and_colours(tmp_path: Path) -> None:
    written = printed(tmp_path, terminal=True, TERM="xterm")
    assert re.search(r"\r\x1b\[K0:0\d left · \x1b\[1;31m\d+ findings?\x1b\[0m · ", written)
    assert "\x1b[1;31m✕ FAIL" in written


def test_no_color_leaves_out_all_colours_and_nothing_else(tmp_path: Path) -> None:
    written = printed(tmp_path, terminal=True, TERM="xterm", NO_COLOR="1")
    assert re.search(r"\r\x1b\[K0:0\d left · \d+ findings? · ", written)
    assert COLOURS.findall(written) == []


@pytest.mark.parametrize("terminal", [True, False], ids=["dumb", "none"])
def test_what_cannot_take_a_line_back_gets_plain_lines(terminal: bool, tmp_path: Path) -> None:
    written = printed(tmp_path, terminal=terminal, TERM="dumb" if terminal else "xterm")
    assert "\x1b" not in written
    assert "\r" not in written.replace("\r\n", "\n")
