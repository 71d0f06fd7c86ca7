"""How far a run has come, while it goes on: a line that renews itself on a terminal, now and then a line of the log elsewhere.

A terminal that cannot take a line back (TERM=dumb) is none. What needs attention is red, unless NO_COLOR is set
(https://no-color.org). A line that is too long for the terminal loses its last pieces, so the first are those that matter most.
"""

import contextlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

import gevent

from locustfiles.run.log import handlers

logger = logging.getLogger(__name__)

RENEWED_S = 1.0
LOGGED_S = 30.0
TAKE_BACK = "\r\x1b[K"
RED, PLAIN = "\x1b[1;31m", "\x1b[0m"
BETWEEN = " · "
USUAL_WIDTH = 80  # of a terminal that does not tell its own


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the line. `alarming` means that somebody should look at it."""

    text: str
    alarming: bool = False


class Progress:
    """Tells `describe`'s pieces until `stop`.

    Args:
        stream: where the line goes if that is a terminal; else it is logged.
        describe: given the seconds since the begin.
    """

    def __init__(self, stream: TextIO, describe: Callable[[float], Sequence[Piece]]) -> None:
        self._stream = stream
        self._describe = describe
        self._terminal = can_take_back(stream)
        self._coloured = not os.environ.get("NO_COLOR")
        self._began_s = time.monotonic()
        self._clear_again = keep_clear(stream) if self._terminal else None
        self._greenlet = gevent.spawn(self._go_on)

    def stop(self) -> None:
        """Say no more, and leave no line behind."""
        self._greenlet.kill()
        if self._clear_again is not None:
            self._clear_again()
            _write(self._stream, TAKE_BACK)

    def _go_on(self) -> None:
        while True:
            gevent.sleep(RENEWED_S if self._terminal else LOGGED_S)
            pieces = self._describe(time.monotonic() - self._began_s)
            if self._terminal:
                width = _width(self._stream) - 1  # the last column would move the cursor to the next line
                _write(self._stream, TAKE_BACK + fitted(pieces, width, coloured=self._coloured))
            else:
                logger.info(BETWEEN.join(piece.text for piece in pieces))


@contextlib.contextmanager
def waiting(words: str) -> Iterator[Callable[[str], None]]:
    """Tell `words`, and for how long, while the block runs; what it is given changes the words."""
    now = words

    def say(other: str) -> None:
        nonlocal now
        now = other

    progress = Progress(sys.stderr, lambda seconds: (Piece(now), Piece(clock(seconds))))
    try:
        yield say
    finally:
        progress.stop()


def keep_clear(stream: TextIO) -> Callable[[], None]:
    """Take the line on `stream` back before anything is logged where it stands. Returns what ends that."""
    there = handlers()

    def make_room(record: logging.LogRecord) -> bool:  # noqa: ARG001 - whatever is logged
        _write(stream, TAKE_BACK)
        return True

    for handler in there:
        handler.addFilter(make_room)

    def end() -> None:
        for handler in there:
            handler.removeFilter(make_room)

    return end


def can_take_back(stream: TextIO) -> bool:
    """Whether a line can renew itself on `stream`."""
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def as_terminal(stream: TextIO) -> dict[str, str]:
    """Environment variables by which a child writes as it would to `stream`, while we keep what it writes."""
    return {"FORCE_COLOR": "1", "COLUMNS": str(_width(stream))} if can_take_back(stream) else {}


def fitted(pieces: Sequence[Piece], width: int, *, coloured: bool) -> str:
    """As many of `pieces` as `width` columns hold, and at least a part of the first."""
    first, *others = pieces
    shown, left = [_painted(Piece(first.text[:width], first.alarming), coloured)], width - len(first.text)
    for piece in others:
        left -= len(BETWEEN) + len(piece.text)
        if left < 0:
            break
        shown.append(_painted(piece, coloured))
    return BETWEEN.join(shown)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _painted(piece: Piece, coloured: bool) -> str:
    return f"{RED}{piece.text}{PLAIN}" if piece.alarming and coloured else piece.text


def _width(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns or USUAL_WIDTH
    except OSError:
        return USUAL_WIDTH


def _write(stream: TextIO, text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal was closed; the run goes on
        stream.write(text)
        stream.flush()
