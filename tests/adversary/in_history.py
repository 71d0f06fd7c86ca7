"""Faults between the app's history and its reader."""

import time
import uuid
from collections.abc import Sequence
from typing import Any

from analysis.evidence import Evidence
from analysis.record import Chat
from analysis.record.codes import Outcome
from tests.adversary.faults import ChatFault
from tests.adversary.proxy import Forward, Request, Response, answer
from tests.adversary.truth import is_page

HOW = "proxy (HTTP)"
SETTLED_NS = 1_000_000_000  # whoever wrote a message that long ago knew it before the page was asked for
READERS = 2  # of such a page are enough: one of them reads it soon
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
        for criterion in self.breaks:
            self.must_name(criterion, *(_shown(request, message_id=one) for one in self.touched(page)))
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


class HistoryTextChanged(OnPage):
    what = "a page of history shows a message without its last character"

    def tampered(self, page: Rows) -> Rows:
        one = page[self.place]
        changed = {**one, "message_text": one["message_text"][:-1]}
        return [*page[: self.place], changed, *page[self.place + 1 :]]


class HistoryTextOfAnother(OnPage):
    what = "a page of history shows a message with the text of the one before"

    def _fits(self, page: Rows) -> bool:
        two = [row["message_text"] for row in page[self.place - 1 : self.place + 1]]
        return super()._fits(page) and two[0] != two[1]

    def tampered(self, page: Rows) -> Rows:
        before, one = page[self.place - 1 : self.place + 1]
        changed = {**one, "message_text": before["message_text"]}
        return [*page[: self.place], changed, *page[self.place + 1 :]]


class HistoryStatusInvalid(OnPage):
    what = "a page of history shows a message with a status outside the three"
    breaks = ("status.invalid",)

    def tampered(self, page: Rows) -> Rows:
        changed = {**page[self.place], "status": "pending"}
        return [*page[: self.place], changed, *page[self.place + 1 :]]


class HistoryShowsAnotherSender(OnPage):
    what = "a page of history shows a message with another sender"

    def tampered(self, page: Rows) -> Rows:
        one = page[self.place]
        other = next(person for person in self.chat.participants if person != one["sender_id"])
        return [*page[: self.place], {**one, "sender_id": other}, *page[self.place + 1 :]]


class HistoryOfAnotherChat(ChatFault):
    """The message stands beside one of the same seq, so that nothing else is wrong with the order of the page."""

    what = "a page of history holds a message of another chat that its reader is in"
    how = HOW
    breaks = ("history.pages",)
    needs = 25
    spares = 1
    inside = True  # the reader is in that chat

    def goes_with(self, other: Chat) -> int:
        return min(READERS, len(set(self.chat.participants) & set(other.participants)))

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        (other,) = self.others
        wanted = is_page(request) and request.query["chatId"] == self.chat.id and not self.struck
        if not wanted or not given.ok or (request.caller in other.participants) is not self.inside:
            return given
        page: Rows = given.json
        before_ns = time.monotonic_ns() - SETTLED_NS
        elsewhere = {
            one.seq: (message, one)
            for message, one in list(self.truth.stored.items())
            if one.chat == other.id and one.key and one.answered_ns < before_ns
        }
        for place, row in enumerate(page[:-1]):
            if row["seq"] in elsewhere:
                message, one = elsewhere[row["seq"]]
                foreign = {**row, "id": message, "chat_id": other.id, "sender_id": one.sender}
                foreign.pop("message_text")
                self.must_name("history.pages", _shown(request, message_id=message))
                return given.with_json([*page[: place + 1], foreign, *page[place + 1 :]])
        return given


class HistoryLeaked(HistoryOfAnotherChat):
    what = "a page of history holds a message of a chat that its reader is not in"
    inside = False

    def goes_with(self, other: Chat) -> int:
        return min(READERS, len(set(self.chat.participants) - set(other.participants)))


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
