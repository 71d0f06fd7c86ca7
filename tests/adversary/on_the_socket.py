"""Faults between Supabase Realtime and one of its listeners: events that get lost, doubled, swapped or invented."""

import copy
import uuid
from datetime import datetime, timedelta
from typing import Any

from tests.adversary.faults import ChatFault, encoded

HOW = "proxy (WebSocket)"


class OnEvent(ChatFault):
    """Does something to one event of its chat, as one listener would get it.

    Attributes:
        kind: INSERT or UPDATE.
        at: how manieth of them, over all listeners of the chat.
    """

    how = HOW
    kind = "INSERT"
    at = 6

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        if frame[3] != "postgres_changes" or frame[4]["data"]["type"] != self.kind:
            return [raw]
        self._count += 1
        if self._count < self.at or self.struck:
            return [raw]
        return self.tampered(frame, frame[4]["data"]["record"], raw)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        """What becomes of it."""
        raise NotImplementedError


def changed(frame: list[Any], **fields: Any) -> bytes:
    """The frame with other values in its record."""
    other = copy.deepcopy(frame)
    other[4]["data"]["record"].update(fields)
    return encoded(other)


class EventLost(OnEvent):
    what = "an event does not reach one of its listeners"
    breaks = ("realtime.missed",)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.touch(record["id"])
        return []


class EventDoubled(OnEvent):
    what = "an event reaches one of its listeners twice"
    breaks = ("realtime.duplicated",)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.touch(record["id"])
        return [raw, raw]


class EventsSwapped(OnEvent):
    what = "two events reach one of their listeners the wrong way round"
    breaks = ("realtime.reordered",)

    def __init__(self) -> None:
        super().__init__()
        self._held: tuple[int, dict[str, Any], bytes] | None = None

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """The next INSERT to the same listener overtakes it."""
        if frame[3] != "postgres_changes" or frame[4]["data"]["type"] != "INSERT" or self.struck:
            return [raw]
        if self._held is None:
            self._count += 1
            if self._count < self.at:
                return [raw]
            self._held = (listener, frame[4]["data"]["record"], raw)
            return []
        whose, record, held = self._held
        if listener != whose:
            return [raw]
        self.touch(record["id"])
        return [raw, held]


class EventInvented(OnEvent):
    what = "an event tells of a message that does not exist"
    breaks = ("realtime.phantom",)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        ghost = str(uuid.uuid4())
        self.touch(ghost)
        return [raw, changed(frame, id=ghost, seq=record["seq"] + 1000, client_generated_id=None)]


class EventTextChanged(OnEvent):
    what = "an event shows another text than is stored"
    breaks = ("realtime.phantom",)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.touch(record["id"])
        return [changed(frame, message_text="another")]


class EventSeqChanged(OnEvent):
    what = "an event shows another seq than is stored"
    breaks = ("realtime.phantom",)

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.touch(record["id"])
        # Below what came before, or the listener would wait for messages up to it.
        return [changed(frame, seq=record["seq"] - 1)]


class StatusSeenGoingBack(OnEvent):
    what = "an event shows a message that was read as sent"
    breaks = ("status.regressed",)
    kind = "UPDATE"

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        if record["status"] != "read":
            return [raw]
        self.touch(record["id"])
        later = copy.deepcopy(frame)
        data = later[4]["data"]
        committed = datetime.fromisoformat(data["commit_timestamp"]) + timedelta(milliseconds=50)
        data["commit_timestamp"] = committed.isoformat().replace("+00:00", "Z")
        data["record"]["status"] = "sent"
        return [raw, encoded(later)]


class StatusSeenInvented(OnEvent):
    what = "an event shows a status outside the three"
    breaks = ("status.invalid",)
    kind = "UPDATE"

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.touch(record["id"])
        return [raw, changed(frame, status="seen")]


# What must disturb nobody


class UpdateLost(OnEvent):
    what = "an UPDATE event does not reach one of its listeners"
    kind = "UPDATE"

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.struck = True
        return []


class UnknownFrame(OnEvent):
    what = "a frame comes that nobody asked for"

    def tampered(self, frame: list[Any], record: dict[str, Any], raw: bytes) -> list[bytes]:
        self.struck = True
        return [raw, encoded([None, None, frame[2], "presence_state", {}])]


class SubscriptionConfirmedTwice(ChatFault):
    what = "a subscription is confirmed a second time, as after a new token"
    how = HOW

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        if frame[3] == "system" and not self.struck:
            self.struck = True
            return [raw, raw]
        return [raw]
