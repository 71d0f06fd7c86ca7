"""Faults between the app's history and its reader."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from analysis.evidence import Evidence
from analysis.record.codes import Outcome
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response, answer
from tests.adversary.truth import is_page

HOW = "proxy (HTTP)"
SETTLED_NS = 1_000_000_000  # whoever wrote a message that long ago knew it before the page was asked for
SHOWN_S = 5.0  # a page that was answered has arrived by then

Rows = list[dict[str, Any]]


class OnPage(ChatFault):
    """Does something to one page of history that begins with enough messages of the run, none of them new.

    Attributes:
        place: on the page, of the message that is touched.
    """

    how = HOW
    breaks = ("history.pages",)
    needs = 25
    place = 3

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if not is_page(request) or self.struck or not given.ok or not self._fits(given.json):
            return given
        page = given.json
        self.must_name("history.pages", *(_shown(request, message_id=one) for one in self.touched(page)))
        return given.with_json(self.tampered(page))

    def touched(self, page: Rows) -> Sequence[str]:
        """Of these messages one must be named."""
        return (page[self.place]["id"],)

    def tampered(self, page: Rows) -> Rows:
        """What becomes of it."""
        raise NotImplementedError

    def _fits(self, page: Rows) -> bool:
        first = [self.truth.stored.get(row["id"]) for row in page[: self.place + 3]]
        before_ns = time.monotonic_ns() - SETTLED_NS
        return len(first) == self.place + 3 and all(
            one is not None and one.key and one.answered_ns < before_ns for one in first
        )


class HistoryLeavesOneOut(OnPage):
    what = "a page of history lacks a message"

    def tampered(self, page: Rows) -> Rows:
        return page[: self.place] + page[self.place + 1 :]


class HistoryRepeatsOne(OnPage):
    what = "a page of history holds a message twice"

    def tampered(self, page: Rows) -> Rows:
        return page[: self.place + 1] + page[self.place :]


class HistoryOutOfOrder(OnPage):
    what = "two messages on a page of history change places"

    def touched(self, page: Rows) -> Sequence[str]:
        # It is open which of the pair stands out of order.
        return (page[self.place]["id"], page[self.place + 1]["id"])

    def tampered(self, page: Rows) -> Rows:
        one, other = page[self.place : self.place + 2]
        return [*page[: self.place], other, one, *page[self.place + 2 :]]


class HistoryShowsAnotherSeq(OnPage):
    what = "a page of history shows a message with the seq of the one before"

    def tampered(self, page: Rows) -> Rows:
        one, before = page[self.place : self.place + 2]
        return [*page[: self.place], {**one, "seq": before["seq"]}, *page[self.place + 1 :]]


class HistoryInventsOne(OnPage):
    what = "a page of history holds a message that does not exist"

    def __init__(self) -> None:
        super().__init__()
        self._invented = str(uuid.uuid4())

    def touched(self, page: Rows) -> Sequence[str]:
        return (self._invented,)

    def tampered(self, page: Rows) -> Rows:
        return [*page[: self.place], {**page[self.place], "id": self._invented}, *page[self.place :]]


class BoundIgnored(ChatFault):
    what = "a page of history begins at the newest message, whatever it was asked for"
    how = HOW
    breaks = ("history.pages",)
    needs = 25

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if not is_page(request) or self.struck or "beforeSeq" not in request.query:
            return await forward(request)
        given = await forward(request.without("beforeSeq"))
        if given.ok:
            bound = int(request.query["beforeSeq"])
            for row in given.json:
                if row["seq"] >= bound:
                    self.must_name("history.pages", _shown(request, seq=row["seq"]))
        return given


def _shown(request: Request, **fields: object) -> dict[str, object]:
    """What is said of a message that whoever asks this is now shown on a page."""
    now_ns = time.monotonic_ns()
    return {**fields, "recipient_id": request.caller, "at_ns": [now_ns, now_ns + round(SHOWN_S * 1e9)]}


# What must disturb nobody


class HistoryUnavailable(ChatFault):
    what = "history is answered 503 at times"
    how = HOW

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        if is_page(request) and not self.struck:
            self.struck = True
            return answer(503, {"error": "Come back later"})
        return await forward(request)

    def shows(self, record: Evidence) -> bool:
        pages = self.part(record, "pages")
        return bool((pages["outcome"] != Outcome.OK).any())
