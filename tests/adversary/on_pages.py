"""Faults of pages of history: messages that are left out, repeated, put elsewhere or invented on the way to the reader."""

import uuid
from typing import Any

from tests.adversary.faults import MESSAGES, ChatFault
from tests.adversary.on_the_way import HOW
from tests.adversary.proxy import Forward, Request, Response


class OnHistory(ChatFault):
    """Does something to one page of history with enough messages, none of them so new that it may be missing."""

    how = HOW
    breaks = ("history.pages",)

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        given = await forward(request)
        if request.path != MESSAGES or request.method != "GET" or self.struck or given.status != 200:
            return given
        page = given.json
        return given.with_json(self.tampered(page)) if len(page) > 3 else given

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What becomes of it."""
        raise NotImplementedError


class HistoryLeavesOneOut(OnHistory):
    what = "a page of history lacks a message"

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.touch(page[2]["id"])
        return page[:2] + page[3:]


class HistoryRepeatsOne(OnHistory):
    what = "a page of history holds a message twice"

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.touch(page[2]["id"])
        return page[:3] + page[2:]


class HistoryOutOfOrder(OnHistory):
    what = "two messages on a page of history change places"

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.touch(page[1]["id"])
        return [page[0], page[2], page[1], *page[3:]]


class HistoryInventsOne(OnHistory):
    what = "a page of history holds a message that does not exist"

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        invented = str(uuid.uuid4())
        self.touch(invented)
        return [*page[:2], {**page[2], "id": invented}, *page[2:]]


class HistoryShowsAnotherSeq(OnHistory):
    what = "a page of history shows a message with the seq of the one before"

    def tampered(self, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.touch(page[1]["id"])
        return [page[0], {**page[1], "seq": page[2]["seq"]}, *page[2:]]
