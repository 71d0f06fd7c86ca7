"""What Ctrl-C does: the first one ends the run in good order, the second one leaves at once.

Python raises KeyboardInterrupt in whatever greenlet happens to run, which may be a user in the middle of a
send, or Locust's listener that ignores it. Taken by gevent instead, it reaches the main greenlet only, where
Locust expects it.
"""

import logging
import os
import signal
import sys
import termios
from typing import Any, NoReturn

import gevent

from locustfiles.run.children import terminate_all

logger = logging.getLogger(__name__)

LEFT_AT_ONCE = 130  # exit code of a shell's command that was ended by SIGINT


class Interrupts:
    """Takes over SIGINT for this process, and SIGTERM where Locust does not take it yet."""

    def __init__(self, *, terminate_too: bool) -> None:
        self._count = 0
        self._terminal: list[Any] | None = None
        if sys.stdin is not None and sys.stdin.isatty():
            self._terminal = termios.tcgetattr(sys.stdin)  # Locust changes it to listen for keys
        self._watchers = [gevent.signal_handler(signal.SIGINT, self._interrupted)]
        if terminate_too:
            self._watchers.append(gevent.signal_handler(signal.SIGTERM, self._interrupted))

    def _interrupted(self) -> None:
        self._count += 1
        if self._count > 1:
            self._leave()
        logger.info(
            "Interrupted: the run is drained, judged and reported; press Ctrl-C again to leave at once."
        )
        # As gevent does with a KeyboardInterrupt raised here, but without printing a traceback of it first.
        gevent.get_hub().handle_system_error(KeyboardInterrupt, KeyboardInterrupt())

    def _leave(self) -> NoReturn:
        terminate_all()
        if self._terminal is not None:
            termios.tcsetattr(sys.stdin, termios.TCSANOW, self._terminal)
        os._exit(LEFT_AT_ONCE)
