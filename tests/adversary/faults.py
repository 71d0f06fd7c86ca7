"""What a fault of one chat is, and the list of all of them.

Each acts in a chat of its own, so that dozens share a run; each writes down whom it touched, so that the verdict can be
held against the truth.
"""

import json
import time
from collections import defaultdict
from typing import Any, ClassVar

import asyncpg
import pandas as pd

from analysis.evidence import Evidence
from analysis.record import Chat
from tests.adversary.expectations import Named
from tests.adversary.intruders import Intruders
from tests.adversary.proxy import Forward, Request, Response, answer, subject_of
from tests.adversary.truth import TOPIC, Truth, chat_of, is_attempt

FAULTS: list[type["ChatFault"]] = []


class ChatFault:
    """A fault in one chat. Subclasses override where they act.

    Attributes:
        what: happens, as one phrase for the table in docs/what-is-checked.md.
        how: it is injected.
        breaks: the criteria that must fail for this chat, and no other.
        needs: about how many messages it takes; those that need most get the busiest chats.
        spares: how many further chats it needs.
        from_the_start: it acts before everybody is there.
        reaches_others: it is asked for frames to people outside its chat: see `beside`.
        chat: its own, once the run is prepared; `others` are the further ones.
        truth: what passed the proxy so far.
        named: what findings must say; see `expectations`.
        may_be_named: what they may say besides, where the truth is open.
    """

    what: ClassVar[str]
    how: ClassVar[str]
    breaks: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[int] = 8
    spares: ClassVar[int] = 0
    from_the_start: ClassVar[bool] = False
    reaches_others: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "what" in cls.__dict__:
            FAULTS.append(cls)

    def __init__(self) -> None:
        self.chat: Chat
        self.others: list[Chat] = []
        self.truth = Truth()
        self.named: dict[str, list[Named]] = defaultdict(list)
        self.may_be_named: dict[str, list[Named]] = defaultdict(list)
        self.struck = False

    @classmethod
    def name(cls) -> str:
        """As in the table."""
        return cls.__name__

    @property
    def chats(self) -> list[Chat]:
        """Its own chat, and the further ones."""
        return [self.chat, *self.others]

    def goes_with(self, other: Chat) -> int:
        """How well this would do as its further chat."""
        return bool(set(self.chat.participants) & set(other.participants))

    def touch(self, **fields: object) -> None:
        """Every criterion that this fault breaks has to name what has these fields."""
        for criterion in self.breaks:
            self.must_name(criterion, fields)

    def must_name(self, criterion: str, *either: dict[str, object]) -> None:
        """This criterion has to name one of these, once."""
        self.named[criterion].append(list(either))
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

    def beside(self, listener: int) -> list[bytes]:
        """What a listener gets after a frame of any chat."""
        return []

    async def conclude(self, database: asyncpg.Connection, record: Evidence) -> None:
        """After the run: whom it touched, as far as only the end shows it."""

    def shows(self, record: Evidence) -> bool:
        """Whether the record shows that it acted, where no finding can."""
        return True

    def part(self, record: Evidence, table: str) -> pd.DataFrame:
        """The rows of a table that are about its chat."""
        rows = getattr(record, table)
        return rows[rows["chat_id"].map(record.chats.text) == self.chat.id]

    def baseline(self, record: Evidence) -> int:
        """The newest seq that its chat had before the run."""
        return int(self.part(record, "baseline")["seq"].iloc[0])

    def longest_send_s(self, record: Evidence) -> float:
        """The longest time that a send into its chat took."""
        sends = self.part(record, "sends")
        return float((sends["answered_ns"] - sends["left_ns"]).max()) / 1e9


class Adversary:
    """All faults at once, each in its chat: what the proxy asks.

    Attributes:
        acts: everybody is there, and the faults may begin.
    """

    def __init__(self) -> None:
        self.truth = Truth()
        self.intruders = Intruders()
        self.by_chat: dict[str, ChatFault] = {}
        self.acts = False

    async def exchange(self, request: Request, forward: Forward) -> Response | None:
        """Let the chat's fault decide."""
        asked_ns = time.monotonic_ns()
        given = await self._exchange(request, forward, asked_ns)
        self.intruders.passed(request, given, asked_ns)
        return given

    async def _exchange(self, request: Request, forward: Forward, asked_ns: int) -> Response | None:
        fault = self.by_chat.get(chat_of(request) or "")

        async def noted(asked: Request) -> Response:
            left_ns = time.monotonic_ns()
            given = await forward(asked)
            self.truth.answered(asked, given, left_ns, time.monotonic_ns())
            return given

        if is_attempt(request):  # stored under its sender's own name it would be nobody's message
            return answer(403, {"error": "No"}) if fault else await noted(request)
        acting = fault if fault and (self.acts or fault.from_the_start) else None
        given: Response | None = None
        try:
            given = await (acting.exchange(request, noted) if acting else noted(request))
        finally:
            self.truth.passed(request, given, asked_ns)
        return given

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """Let the chat's fault decide."""
        fault = self.by_chat.get(str(frame[2]).removeprefix(TOPIC))
        acting = fault if fault and (self.acts or fault.from_the_start) else None
        messages = acting.event(listener, frame, raw) if acting else [raw]
        if self.acts:
            messages += [more for one in self._reaching for more in one.beside(listener)]
        for message in messages:
            self.truth.event(listener, message, time.monotonic_ns())
            self.intruders.event(listener, message, time.monotonic_ns())
        return messages

    def heard(self, listener: int, frame: list[Any]) -> None:
        """Who listens is told by their token."""
        if frame[3] == "phx_join":
            self.intruders.joined(listener, frame)
        if frame[3] == "phx_join" and (person := subject_of(frame[4].get("access_token", ""))):
            self.truth.joined(listener, person)

    @property
    def _reaching(self) -> list[ChatFault]:
        return [fault for fault in self.by_chat.values() if fault.reaches_others]


def encoded(frame: list[Any]) -> bytes:
    """A frame for the wire."""
    return json.dumps(frame).encode()
