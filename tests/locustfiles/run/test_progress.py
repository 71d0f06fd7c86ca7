"""Promise: a terminal shows how far the run has come in one line of its own; elsewhere it is a line of the log, without codes."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from locustfiles.run.progress import Piece, clock, fitted
from tests.staging.stages import ROOT
from tests.terminals import on_a_terminal

SCRIPT = """
import logging, sys
from gevent import monkey
monkey.patch_all()
import gevent
from locustfiles.run import progress
logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="LOG %(message)s")
progress.RENEWED_S = progress.LOGGED_S = 0.02
told = gevent.event.Event()
lines = []
def describe(seconds):
    lines.append(seconds)
    if len(lines) == 3:
        logging.info("something else")
        told.set()
    return [progress.Piece(f"line {len(lines)} of the run"), progress.Piece("bad", alarming=True), progress.Piece("x" * 200)]
shown = progress.Progress(sys.stderr, describe)
told.wait(20)
gevent.sleep(0.05)
shown.stop()
logging.info("the end")
"""


def written_to_a_terminal(**environment: str) -> str:
    """What the script writes to a terminal of 40 columns."""
    ours = {name: it for name, it in os.environ.items() if name != "NO_COLOR"}
    code, written = on_a_terminal(
        [sys.executable, "-c", SCRIPT], {**ours, "TERM": "xterm", **environment}, columns=40
    )
    assert code == 0
    return written


def screen(written: str) -> list[str]:
    """The lines that are left on a terminal, which knows \\r and the code that clears the rest of a line."""
    return [line.rstrip("\r").rpartition("\x1b[K")[2] for line in written.split("\n") if line.strip("\r")]


def test_a_terminal_shows_one_line_that_renews_itself_and_goes() -> None:
    written = written_to_a_terminal()
    assert "line 1 of the run" in written
    assert "line 3 of the run" in written
    shown = [part for part in written.split("\x1b[K") if part.startswith("line")]
    assert {part.split("\r")[0].split("\n")[0] for part in shown} == {
        f"line {number} of the run · \x1b[1;31mbad\x1b[0m" for number in range(1, len(shown) + 1)
    }
    assert screen(written) == ["LOG something else", "LOG the end"]


def test_no_colour_where_none_is_wanted() -> None:
    assert " · bad\r" in written_to_a_terminal(NO_COLOR="1")
    assert " · \x1b[1;31mbad" in written_to_a_terminal(NO_COLOR="")


@pytest.mark.parametrize("kind", ["pipe", "dumb"])
def test_elsewhere_it_is_a_line_of_the_log(kind: str) -> None:
    said: dict[str, Callable[[], str]] = {
        "pipe": lambda: (
            subprocess.run(
                [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True
            ).stderr
        ),
        "dumb": lambda: written_to_a_terminal(TERM="dumb"),
    }
    written = said[kind]()
    assert "LOG line 1 of the run" in written
    assert "\x1b" not in written
    assert all(line.startswith("LOG ") for line in written.splitlines())


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (4, "0:18"),
        (9, "0:18 left"),
        (20, "0:18 left"),
        (21, "0:18 left · 1 finding"),
        (99, "0:18 left · 1 finding · 5 stored"),
    ],
)
def test_a_narrow_terminal_loses_the_last_pieces_first(width: int, shown: str) -> None:
    pieces = [Piece("0:18 left"), Piece("1 finding"), Piece("5 stored")]
    assert fitted(pieces, width, coloured=False) == shown


def test_no_part_of_a_piece_is_shown_that_is_followed_by_another_that_would_fit() -> None:
    assert fitted([Piece("a"), Piece("b" * 30), Piece("c")], 20, coloured=False) == "a"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0, "0:00"), (61.9, "1:01"), (3599, "59:59"), (3600, "1:00:00"), (90061, "25:01:01")],
)
def test_a_clock(seconds: float, told: str) -> None:
    assert clock(seconds) == told
