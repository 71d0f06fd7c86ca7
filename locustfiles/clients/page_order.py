"""What is certainly wrong with a page of history by itself, whatever is stored. Pure.

Whoever judges the run knows of each entry whether it was ever stored, and under which seq; an entry that is wrong here fails
`history.pages` there, as this or, if it was never stored so, as that.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from locustfiles.clients.interfaces import Stored
from locustfiles.clients.notices import is_id

SECOND: Final = "twice on a page of history"


def misplaced(page: Sequence[Stored], before_seq: int | None) -> Iterator[tuple[int, str]]:
    """Entries that stand where they should not, each by its place, and how, in words that follow "it stood".

    Args:
        page: in the order answered; entries without a seq have no place in it.
        before_seq: what was asked for lies below; None = asked for without a bound.
    """
    told = [(place, one.seq) for place, one in enumerate(page) if one.seq is not None]
    again = set(_again(page))
    for place in sorted(again):
        yield place, SECOND
    steps = [(seq > seq_before) - (seq < seq_before) for (_, seq_before), (_, seq) in pairwise(told)]
    if 1 in steps and -1 in steps:
        against = 1 if sum(steps) <= 0 else -1
        for step, (_, seq_before), (place, _) in zip(steps, told, told[1:], strict=False):
            if step == against and place not in again:
                yield place, f"out of order on a page of history, after seq {seq_before:,}"
    if before_seq is not None:
        for place, seq in told:
            if seq >= before_seq:
                yield place, f"on a page of history that was asked for below seq {before_seq:,}"


def _again(page: Sequence[Stored]) -> Iterator[int]:
    """Places of messages that stood on the page before."""
    seen: set[str] = set()
    for place, one in enumerate(page):
        if one.seq is None or one.message_id is None:
            continue
        if one.message_id in seen and is_id(one.message_id):
            yield place
        seen.add(one.message_id)
