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


# A soak that finds something.
COMMAND = [
    *(sys.executable, "-m", "locust", "-f", "locustfiles/chat.py", "--headless", "--only-summary"),
    *("--stage-fault", "null_seq_rate=0.2", "--users", "8", "--spawn-rate", "8", "--run-time", "8s"),
]


def environment_for(folder: Path, **more: str) -> dict[str, str]:
    ours = {name: it for name, it in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR"}}
    return {**ours, **BUSY, "CHATSOAK_REPORTS_DIR": str(folder), **more}


def printed(folder: Path, *, terminal: bool, **environment: str) -> str:
    """All that it prints."""
    given = environment_for(folder, **environment)
    if terminal:
        code, written = on_a_terminal(COMMAND, given)
    else:
        done = subprocess.run(
            COMMAND, cwd=ROOT, env=given, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
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


def test_a_full_disk_behind_it_is_a_sentence_and_no_verdict(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            COMMAND,
            cwd=ROOT,
            env=environment_for(tmp_path),
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert ended.returncode == 2
    assert "could be written: No space left on device" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert (tmp_path / "latest" / "report.html").exists()
