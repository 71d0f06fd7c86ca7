"""Errors of the load generator's own making: sockets that this machine did not have, answers that it did not read in time.

Only what this machine says of itself counts: a server that has no memory or file left says so in the same words.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from analysis.checks.spans import Ints
from analysis.checks.stalls import Bools
from analysis.record.codes import Outcome

# What the system says when this machine, not the server, has no socket left: EMFILE, ENFILE, EADDRNOTAVAIL, ENOBUFS and
# ENOMEM in the words of glibc and musl. The load writes them down in lower case.
OWN_ERRORS = (
    "too many open files",
    "no file descriptors available",
    "cannot assign requested address",
    "address not available",
    "no buffer space available",
    "cannot allocate memory",
    "out of memory",
)
TIMED_OUT = "timed out"
# How the note of a WebSocket that this machine could not open begins; all other notes may be the server's words.
LOCAL_NOTES = ("not connected: ", "WebSocket handshake: ")


def own_failures(sends: pd.DataFrame, waited: Ints, unread: Ints) -> Bools:
    """Which sends have no acknowledgement for a reason of the generator's own.

    Either this machine had no socket for them; or they timed out, and for half of their wait or more the generator
    itself may be to blame.

    Args:
        waited, unread: of each send how long it waited for its answer, and how much of that the answer may have lain
            there unread, in nanoseconds.
    """
    not_ok = (sends["outcome"].to_numpy() != Outcome.OK) & _unanswered(sends)
    timed_out = _which(sends["error"], lambda error: TIMED_OUT in error)
    too_late = timed_out & (unread > 0) & (2 * unread >= waited)
    failures: Bools = not_ok & (_which(sends["error"], _is_own) | too_late)
    return failures


def own_errors(sends: pd.DataFrame, calls: pd.DataFrame, sockets: pd.DataFrame) -> int:
    """How often this machine had no socket, by what it noted of requests and of WebSockets."""
    of_requests = (_which(table["error"], _is_own) & _unanswered(table) for table in (sends, calls))
    of_sockets = _which(sockets["detail"], lambda note: note.startswith(LOCAL_NOTES) and _is_own(note))
    return sum(int(found.sum()) for found in (*of_requests, of_sockets))


def _unanswered(requests: pd.DataFrame) -> Bools:
    """Which had no HTTP answer, so that their error is this machine's own word."""
    unanswered: Bools = requests["status_code"].to_numpy() == 0
    return unanswered


def _is_own(error: str) -> bool:
    return any(words in error for words in OWN_ERRORS)


def _which(column: pd.Series, test: Callable[[str], bool]) -> Bools:
    """Which rows of a column of few different texts pass `test`."""
    texts = column.astype("category").cat
    named = np.array([test(str(text)) for text in texts.categories] or [False])
    codes = texts.codes.to_numpy()
    found: Bools = named[codes] & (codes >= 0)
    return found
