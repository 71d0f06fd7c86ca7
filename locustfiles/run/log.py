"""Locust's log, on a terminal, in a file and on its page: nothing in it is obeyed by who shows it.

An error of the server, of the database or of a user's task comes into the log by many ways, Locust's own tables of errors and
tracebacks among them. Here is what all of them pass.
"""

import logging

from analysis.visible import visible

STATISTICS = "locust.stats_logger"  # prints Locust's own tables


class VisibleFormatter(logging.Formatter):
    """What another formatter makes of a record, without anything that a terminal would obey."""

    def __init__(self, inner: logging.Formatter | None) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        """The line, or lines, of `record`."""
        return visible(self._inner.format(record))


def handlers() -> list[logging.Handler]:
    """All handlers that Locust has set up."""
    found = (handler for name in (None, "locust", STATISTICS) for handler in logging.getLogger(name).handlers)
    return list(dict.fromkeys(found))


def make_visible() -> None:
    """Have every line of the log from now on made harmless."""
    for handler in handlers():
        if not isinstance(handler.formatter, VisibleFormatter):
            handler.setFormatter(VisibleFormatter(handler.formatter))
