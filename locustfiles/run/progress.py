"""How far a run has come, while it goes on: a line that renews itself on a terminal, now and then a line of the log elsewhere.

It has no colours, so that NO_COLOR changes nothing; a terminal that cannot take a line back (TERM=dumb) is none.
"""

import logging
import os
import shutil
import time
from collections.abc import Callable
from typing import TextIO

import gevent

logger = logging.getLogger(__name__)

RENEWED_S = 1.0
LOGGED_S = 30.0
TAKE_BACK = "\r\x1b[K"
STATISTICS = "locust.stats_logger"  # prints Locust's own tables


class Progress:
    """Tells `describe`'s words until `stop`.

    Args:
        stream: where the line goes if that is a terminal; else it is logged.
        describe: given the seconds since the begin.
    """

    def __init__(self, stream: TextIO, describe: Callable[[float], str]) -> None:
        self._stream = stream
        self._describe = describe
        self._terminal = stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        self._began_s = time.monotonic()
        self._handlers = [
            handler for name in (None, STATISTICS) for handler in logging.getLogger(name).handlers
        ]
        if self._terminal:
            for handler in self._handlers:
                handler.addFilter(self._make_room)
        self._greenlet = gevent.spawn(self._go_on)

    def stop(self) -> None:
        """Say no more, and leave no line behind."""
        self._greenlet.kill()
        if self._terminal:
            for handler in self._handlers:
                handler.removeFilter(self._make_room)
            self._write(TAKE_BACK)

    def _go_on(self) -> None:
        while True:
            gevent.sleep(RENEWED_S if self._terminal else LOGGED_S)
            said = self._describe(time.monotonic() - self._began_s)
            if self._terminal:
                width = shutil.get_terminal_size().columns
                self._write(f"{TAKE_BACK}{said[: width - 1]}")
            else:
                logger.info(said)

    def _make_room(self, record: logging.LogRecord) -> bool:  # noqa: ARG002 - whatever is logged
        """Take our line back before a line of the log is written where it stands."""
        self._write(TAKE_BACK)
        return True

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are any: ``1:02:03``."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
