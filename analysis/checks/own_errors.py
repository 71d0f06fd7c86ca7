"""Errors of the load generator's own making: sockets that this machine did not have, answers that it did not read in time."""

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


def own_failures(sends: pd.DataFrame, waited: Ints, unread: Ints) -> Bools:
    """Which sends have no acknowledgement for a reason of the generator's own.

    Either this machine had no socket for them; or they timed out, and for half of their wait or more the generator
    itself may be to blame.

    Args:
        waited, unread: of each send how long it waited for its answer, and how much of that the answer may have lain
            there unread, in nanoseconds.
    """
    not_ok = sends["outcome"].to_numpy() != Outcome.OK
    timed_out = _contains(sends["error"], (TIMED_OUT,)) & (unread > 0) & (2 * unread >= waited)
    failures: Bools = not_ok & (_contains(sends["error"], OWN_ERRORS) | timed_out)
    return failures


def own_errors(*columns: pd.Series) -> int:
    """How often this machine had no socket, by the errors in these columns."""
    return sum(int(_contains(column, OWN_ERRORS).sum()) for column in columns)


def _contains(column: pd.Series, words: tuple[str, ...]) -> Bools:
    """Which rows of a column of few different texts contain one of `words`."""
    texts = column.astype("category").cat
    named = np.array([any(word in str(text) for word in words) for text in texts.categories] or [False])
    codes = texts.codes.to_numpy()
    found: Bools = named[codes] & (codes >= 0)
    return found
