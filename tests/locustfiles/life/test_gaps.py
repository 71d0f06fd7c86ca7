"""Promise: a gap is read down to what was known before it began, whatever came meanwhile, and counts as read only then."""

import pytest

from analysis.record.codes import Outcome
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.messages import Page
from locustfiles.clients.websocket import RealtimeError
from locustfiles.life.gaps import Gap, Gaps, ShutOutError, missed

CAP = 3  # messages on a page, whatever was asked for


class Messages:
    """A history that goes from seq 1 to `newest`, and fails at page `fails`."""

    def __init__(self, newest: int, fails: int = 0, status_code: int = 503) -> None:
        self.newest = newest
        self.fails = fails
        self.status_code = status_code
        self.asked: list[int | None] = []

    def history(self, _chat_id: str, before: int | None, *_: object) -> Page:
        self.asked.append(before)
        if len(self.asked) == self.fails:
            return Page(Outcome.INFO, (), self.status_code, "no")
        top = self.newest if before is None else before - 1
        seqs = range(top, max(0, top - CAP), -1)
        return Page(Outcome.OK, [Stored(str(seq), seq) for seq in seqs], 200, None)


def read(messages: Messages, known: int | None) -> list[int | None]:
    return [one.seq for one in missed(messages, "chat", Gap(known), 1)]  # type: ignore[arg-type]


@pytest.mark.parametrize(("known", "asked"), [(10, 1), (7, 1), (6, 2), (0, 4)])
def test_as_many_pages_are_read_as_it_takes(known: int, asked: int) -> None:
    messages = Messages(10)
    assert read(messages, known) == list(range(10, known, -1))
    assert len(messages.asked) == asked


def test_where_nothing_was_known_one_page_says_what_there_is() -> None:
    messages = Messages(10)
    assert read(messages, None) == [10, 9, 8]
    assert messages.asked == [None]


def test_a_page_that_is_lacking_is_an_error() -> None:
    with pytest.raises(RealtimeError, match="could not be read"):
        read(Messages(10, fails=2), 0)


def test_who_is_not_in_the_chat_is_told_so() -> None:
    with pytest.raises(ShutOutError):
        read(Messages(10, fails=1, status_code=403), 0)


@pytest.mark.parametrize(
    ("first", "then", "known"), [(5, 9, 5), (9, 5, 5), (None, 5, 5), (5, None, 5), (None, None, None)]
)
def test_a_gap_that_was_not_read_belongs_to_the_next(
    first: int | None, then: int | None, known: int | None
) -> None:
    gaps = Gaps()
    gaps.open("chat", first)
    assert gaps.open("chat", then).known == known


def test_only_what_was_read_after_the_last_gap_began_closes_it() -> None:
    gaps = Gaps()
    first, second = gaps.open("chat", 1), gaps.open("chat", 4)
    gaps.close("chat", first)
    assert gaps.first_of(["other", "chat"]) == ("chat", second)
    gaps.close("chat", second)
    assert gaps.first_of(["other", "chat"]) is None
    assert gaps.open("chat", 7).known == 7
    gaps.forget("chat")
    assert gaps.first_of(["chat"]) is None
