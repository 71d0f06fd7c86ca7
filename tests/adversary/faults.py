"""What a fault of one chat is, and the list of all of them.

Each acts in a chat of its own, so that dozens share a run; each writes down whom it touched, so that the verdict can be
held against the truth.
"""

import json
from collections import defaultdict
from typing import Any, ClassVar

import asyncpg

from tests.adversary.proxy import Forward, Request, Response, answer

FAULTS: list[type["ChatFault"]] = []

MESSAGES = "/api/messages"
OUTSIDERS = "Nobody should read this"  # how outsiders' texts begin
TOPIC = "realtime:chat:"


class ChatFault:
    """A fault in one chat. Subclasses override where they act.

    Attributes:
        what: happens, as one phrase for the table in docs/what-is-checked.md.
        how: it is injected.
        breaks: the criteria that must fail for this chat, and no other.
        chat: id of its chat, once the run is prepared.
        named: for each criterion the ids that its findings must name, each at least once: message ids,
            client_generated_ids, or ``seq N``.
    """

    what: ClassVar[str]
    how: ClassVar[str]
    breaks: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "what" in cls.__dict__:
            FAULTS.append(cls)

    def __init__(self) -> None:
        self.chat = ""
        self.named: dict[str, set[str]] = defaultdict(set)
        self.struck = False

    @classmethod
    def name(cls) -> str:
        """As in the table."""
        return cls.__name__

    def touch(self, *ids: object) -> None:
        """Every criterion that this fault breaks has to name these."""
        for criterion in self.breaks:
            self.named[criterion] |= {str(one) for one in ids}
        self.struck = True

    async def prepare(self, database: asyncpg.Connection) -> None:
        """Before the load."""

    async def strike(self, database: asyncpg.Connection) -> None:
        """In the midst of the load, again and again until it has `struck`."""

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        """A request about this chat."""
        return await forward(request)

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """A Realtime frame of this chat."""
        return [raw]


class Adversary:
    """All faults at once, each in its chat: what the proxy asks."""

    def __init__(self) -> None:
        self.by_chat: dict[str, ChatFault] = {}

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        """Let the chat's fault decide."""
        fault = self.by_chat.get(chat_of(request) or "")
        if fault and is_attempt(request):  # stored under its sender's own name it would be nobody's message
            return answer(403, {"error": "No"})
        return await (fault.exchange(request, forward) if fault else forward(request))

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """Let the chat's fault decide."""
        fault = self.by_chat.get(str(frame[2]).removeprefix(TOPIC))
        return fault.event(listener, frame, raw) if fault else [raw]


def chat_of(request: Request) -> str | None:
    """The chat that a request is about, as far as it says so."""
    if request.path == MESSAGES and request.method == "GET":
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


def encoded(frame: list[Any]) -> bytes:
    """A frame for the wire."""
    return json.dumps(frame).encode()
