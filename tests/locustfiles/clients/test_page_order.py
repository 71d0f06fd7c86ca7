"""Promise: a page of history that contradicts itself is noticed at once, and a page in order never, whichever way it goes."""

import uuid

import pytest

from locustfiles.clients.interfaces import Stored
from locustfiles.clients.page_order import SECOND, misplaced

IDS = [str(uuid.UUID(int=number)) for number in range(100)]


def page(*seqs: int | None) -> list[Stored]:
    """A page of messages whose ids are those of their seqs."""
    return [Stored(None if seq is None else IDS[seq], seq) for seq in seqs]


@pytest.mark.parametrize(
    "seqs", [(), (5,), (9, 8, 5), (5, 8, 9), (None, 9, None, 8), (9, 9, 8), (None, None)], ids=str
)
def test_a_page_in_order_is_none_of_our_affair(seqs: tuple[int | None, ...]) -> None:
    found = [Stored(IDS[place], seq) for place, seq in enumerate(seqs)]
    assert list(misplaced(found, 10)) == []
    assert list(misplaced(found, None)) == []


@pytest.mark.parametrize(
    ("seqs", "wrong"),
    [
        ((9, 8, 8, 7), [(2, SECOND)]),
        ((9, 8, 9, 7), [(2, SECOND)]),  # and not out of order as well
        ((9, 7, 8, 6), [(2, "out of order on a page of history, after seq 7")]),
        ((6, 8, 7, 9), [(2, "out of order on a page of history, after seq 8")]),
        ((7, 8, 6), [(1, "out of order on a page of history, after seq 7")]),  # undecided: newest first
    ],
)
def test_what_stands_wrongly_is_named(seqs: tuple[int, ...], wrong: list[tuple[int, str]]) -> None:
    assert list(misplaced(page(*seqs), None)) == wrong


def test_what_was_not_asked_for_is_named() -> None:
    assert list(misplaced(page(9, 8, 7), 8)) == [
        (0, "on a page of history that was asked for below seq 8"),
        (1, "on a page of history that was asked for below seq 8"),
    ]


def test_an_id_that_the_record_cannot_hold_proves_nothing() -> None:
    assert list(misplaced([Stored("x", 9), Stored("x", 9)], None)) == []
    assert list(misplaced([Stored(None, 9), Stored(None, 9)], None)) == []
