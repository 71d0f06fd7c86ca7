"""What attempts that nobody granted prove, and what they do not: of whom, and of what, a pass of `access.denied` knows nothing."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.checks.account import Bools
from analysis.record.codes import AttemptKind, Guise
from analysis.record.granted import AS, TO

NOBODY_TRIED = "Nobody tried anything: CHATSOAK_OUTSIDER_SHARE was 0, or the run too short."
NOTHING_THERE = (
    "Nothing was to be had wherever somebody tried: no attempt says whether it would have been refused."
)
WHY_NOT = "the server did not answer, or there was nothing to be had"
MOST_NAMED = 3  # combinations of somebody and something that are told one by one


def too_little(known: Bools, unclear: Bools) -> str | None:
    """Why the attempts cannot make a pass, if they cannot.

    A server that is in trouble refuses everybody, by accident. So a pass rests on more answers than silences: what was tried
    where nothing was to be had is not the server's doing and counts for neither.
    """
    if not len(known):
        return NOBODY_TRIED
    answered, silent = int(known.sum()), int(unclear.sum())
    if silent > answered:
        return (
            f"{silent:,} of {len(known):,} attempts got no answer that says anything (none at all, 5xx, or 429), "
            f"more than the {answered:,} that were refused or let in."
        )
    return None if answered else NOTHING_THERE


def of_what_not(attempts: pd.DataFrame, known: Bools) -> str | None:
    """As whom and at what nobody tried, and of whom and of what no attempt says anything; None when all is known."""
    guise, kind = attempts["guise"].to_numpy(), attempts["kind"].to_numpy()
    sentences = []
    if untried := [AS[one] for one in Guise if not (guise == one).any()]:
        sentences.append(f"Nobody tried as somebody {', or '.join(untried)}.")
    if untried := [f"{TO[one]} a chat" for one in AttemptKind if not (kind == one).any()]:
        sentences.append(f"Nobody tried {', or '.join(untried)}.")
    if unknown := list(_unknown(guise, kind, known)):
        sentences.append(f"Nothing is known about {', nor about '.join(unknown)}: {WHY_NOT}.")
    return " ".join(sentences) or None


def _unknown(guise: "np.ndarray[tuple[int], np.dtype[np.int8]]", kind: "np.ndarray[tuple[int], np.dtype[np.int8]]", known: Bools) -> Iterator[str]:  # fmt: skip
    """Whom and what was tried without a result, and then the two together where each alone had one."""
    people = [one for one in Guise if _fruitless(guise == one, known)]
    things = [one for one in AttemptKind if _fruitless(kind == one, known)]
    yield from (f"somebody {AS[one]}" for one in people)
    yield from (f"attempts {TO[one]} a chat" for one in things)
    both = [
        f"somebody {AS[who]} who tries {TO[what]} a chat"
        for who in Guise
        for what in AttemptKind
        if who not in people and what not in things and _fruitless((guise == who) & (kind == what), known)
    ]
    yield from both[:MOST_NAMED]
    if len(both) > MOST_NAMED:
        yield f"{len(both) - MOST_NAMED} more such combinations"


def _fruitless(tried: Bools, known: Bools) -> bool:
    return bool(tried.any() and not (tried & known).any())
