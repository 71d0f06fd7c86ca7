"""What really passed between chatsoak and its target, as a proxy between them saw it: no word of the tool's own.

Times are those of `time.monotonic_ns`, which the tool's record has too: both run on one machine.
"""

import json
import time
from dataclasses import dataclass
from typing import Any

from tests.adversary.proxy import Request, Response

MESSAGES = "/api/messages"
READING = "/rpc/mark_messages_as_read"
OUTSIDERS = "Nobody should read this"  # how outsiders' texts begin
TOPIC = "realtime:chat:"


@dataclass(frozen=True)
class Sent:
    """An attempt at sending a message; `status` as it was answered to the tool, 0 without a whole answer."""

    chat: str
    key: str
    sender: str
    asked_ns: int
    status: int

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True)
class Stored:
    """A message as the target answered when it was first told of it, whatever the tool then saw of that."""

    chat: str
    seq: int | None
    key: str | None
    sender: str
    asked_ns: int
    answered_ns: int


@dataclass(frozen=True)
class Reading:
    """Somebody said that they had read a chat, and was answered that it is well."""

    chat: str
    person: str
    asked_ns: int
    answered_ns: int


@dataclass(frozen=True)
class Page:
    """A page of history as the tool got it; `messages` by id with their seq."""

    chat: str
    reader: str
    before: int | None
    limit: int
    asked_ns: int
    messages: dict[str, int | None]


class Truth:
    """Filled by the proxy's thread while it works: who looks through a dictionary meanwhile looks through a copy.

    Attributes:
        stored: by message id.
        subscribed: person and chat → when the server had confirmed the subscription.
        shown: person and message id → when an INSERT event of it passed.
    """

    def __init__(self) -> None:
        self.sends: list[Sent] = []
        self.stored: dict[str, Stored] = {}
        self.pages: list[Page] = []
        self.readings: list[Reading] = []
        self.subscribed: dict[tuple[str, str], int] = {}
        self.shown: dict[tuple[str, str], int] = {}
        self._people: dict[int, str] = {}

    def person(self, listener: int) -> str:
        """Who has this WebSocket; nobody, as long as they have not said so."""
        return self._people.get(listener, "")

    def not_acknowledged(self, *chats: str) -> list[Sent]:
        """The attempts there that the tool could not take for stored."""
        return [sent for sent in self.sends if sent.chat in chats and not sent.ok]

    # What the proxy tells

    def answered(self, request: Request, response: Response, asked_ns: int, answered_ns: int) -> None:
        """The target answered."""
        if is_send(request) and response.ok:
            told, asked = response.json, request.json
            message = Stored(
                asked["chatId"],
                told["seq"],
                asked.get("clientGeneratedId"),
                request.caller or "",
                asked_ns,
                answered_ns,
            )
            self.stored.setdefault(told["id"], message)

    def passed(self, request: Request, response: Response | None, asked_ns: int) -> None:
        """The tool got this answer; None: no whole one."""
        whole = response if response is not None and response.whole else None
        caller, chat = request.caller or "", chat_of(request) or ""
        if is_send(request):
            status = whole.status if whole else 0
            self.sends.append(Sent(chat, request.json["clientGeneratedId"], caller, asked_ns, status))
        elif is_page(request) and whole and whole.ok:
            query, messages = request.query, {row["id"]: row["seq"] for row in whole.json}
            before = int(query["beforeSeq"]) if "beforeSeq" in query else None
            self.pages.append(Page(chat, caller, before, int(query["limit"]), asked_ns, messages))
        elif READING in request.path and whole and whole.ok:
            self.readings.append(Reading(chat, caller, asked_ns, time.monotonic_ns()))

    def joined(self, listener: int, person: str) -> None:
        """Somebody joined a channel on this WebSocket."""
        self._people[listener] = person

    def event(self, listener: int, message: bytes, at_ns: int) -> None:
        """A frame passed to a listener."""
        frame = json.loads(message)
        if is_confirmation(frame):
            key = (self.person(listener), frame[2].removeprefix(TOPIC))
            self.subscribed.setdefault(key, at_ns)
        elif is_change(frame, "INSERT"):
            self.shown.setdefault((self.person(listener), frame[4]["data"]["record"]["id"]), at_ns)


def chat_of(request: Request) -> str | None:
    """The chat that a request is about, as far as it says so."""
    if is_page(request):
        return request.query.get("chatId")
    if request.body[:1] == b"{":
        body = request.json
        return body.get("chatId") or body.get("p_chat_id")
    return None


def is_send(request: Request) -> bool:
    """Whether it sends a message through the app."""
    return request.method == "POST" and request.path == MESSAGES


def is_attempt(request: Request) -> bool:
    """Whether an outsider tries to send a message through the app."""
    return is_send(request) and request.json["text"].startswith(OUTSIDERS)


def is_page(request: Request) -> bool:
    """Whether it asks the app for a page of history."""
    return request.method == "GET" and request.path == MESSAGES


def is_confirmation(frame: list[Any]) -> bool:
    """Whether the server confirms a subscription to changes."""
    return bool(frame[3] == "system" and frame[4].get("status") == "ok")


def is_change(frame: list[Any], kind: str) -> bool:
    """Whether a row was inserted or updated, as `kind` says."""
    return bool(frame[3] == "postgres_changes" and frame[4]["data"]["type"] == kind)
