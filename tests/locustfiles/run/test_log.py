"""Promise: nothing that comes into Locust's log is obeyed by a terminal, wherever it came from; nor what a child says."""

import subprocess
import sys
from pathlib import Path

from tests.staging.stages import ROOT

HOSTILE = "no \x1b]0;owned\x07\x1b[2J\u202e way"
SHOWN = "no [U+001B]]0;owned[U+0007][U+001B][2J[U+202E] way"

SCRIPT = f"""
import logging, sys
from locust.log import get_logs, setup_logging
from locust.stats import RequestStats, print_error_report
from locustfiles.run.log import make_visible
setup_logging("INFO", *sys.argv[1:])
make_visible()
make_visible()
for name in ("locustfiles.run.monitor", "locust.main"):
    logging.getLogger(name).warning("%s", {HOSTILE!r})
try:
    raise ValueError({HOSTILE!r})
except ValueError:
    logging.exception("a task")
stats = RequestStats()
stats.log_error("WS", "join", {HOSTILE!r})
print_error_report(stats)
print(*map(ascii, get_logs()), sep="\\n")
"""


def logged(*arguments: str) -> tuple[str, str]:
    """What the script writes to stderr, and what Locust's page would show of its log."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stderr, done.stdout


def assert_harmless(written: str) -> None:
    lines = written.splitlines()
    assert [line for line in lines if line.endswith(f"/WARNING/locustfiles.run.monitor: {SHOWN}")]
    assert [line for line in lines if line.endswith(f"/WARNING/locust.main: {SHOWN}")]
    assert f"ValueError: {SHOWN}" in lines
    assert not set("\x1b\x07\u202e") & set(written)


def test_a_terminal_and_the_page_get_what_is_named() -> None:
    written, page = logged()
    assert_harmless(written)
    assert f"WS join: {SHOWN}" in written  # in Locust's own table of errors
    assert SHOWN in page
    assert "x1b" not in page


def test_so_does_a_file(tmp_path: Path) -> None:
    file = tmp_path / "locust.log"
    logged(str(file))
    assert_harmless(file.read_text(encoding="utf-8"))


CHILD = f"""
import sys
from gevent import monkey
monkey.patch_all()
from locustfiles.run.children import Child
script = "import sys; sys.stderr.buffer.write({{!r}}.encode())".format({HOSTILE!r} + "\\u2028 and\\n")
child = Child("seed", [sys.executable, "-c", script], {{}})
assert child.wait(30.0) == 0
print(ascii(child.last_words()))
"""


def test_the_last_words_of_a_child_are_one_harmless_line() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == f"'{SHOWN}[U+2028] and'\n"
