"""Faults between Supabase Realtime and one of its listeners: events that get lost, doubled, swapped or invented."""

import copy
import time
import uuid
from datetime import datetime, timedelta
from typing import Any

from analysis.evidence import Evidence
from analysis.record.codes import SocketEvent
from tests.adversary.faults import ChatFault, encoded
from tests.adversary.truth import is_change, is_confirmation

HOW = "proxy (WebSocket)"
SHOWN_S = 5.0  # an event that has passed has arrived by then


class OnEvent(ChatFault):
    """Does something to one event of its chat, as one listener would get it: the first that can be known to the truth.

    Attributes:
        kind: INSERT or UPDATE.
        at: how manieth of them at the earliest, over all listeners of the chat.
    """

    how = HOW
    kind = "INSERT"
    at = 4

    def __init__(self) -> None:
        super().__init__()
        self._count = 0

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        if not is_change(frame, self.kind) or self.struck:
            return [raw]
        record = frame[4]["data"]["record"]
        if record["client_generated_id"] is None:  # from before the run, or somebody else's
            return [raw]
        self._count += 1
        return self.tampered(listener, frame, raw) if self._count >= self.at else [raw]

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """What becomes of it."""
        raise NotImplementedError

    def touch_shown(self, listener: int, frame: list[Any], **fields: object) -> None:
        """The criteria that this breaks have to name the message, and who is shown it now."""
        now_ns = time.monotonic_ns()
        said = {
            "message_id": frame[4]["data"]["record"]["id"],
            "recipient_id": self.truth.person(listener),
            "at_ns": [now_ns, now_ns + round(SHOWN_S * 1e9)],
        }
        self.touch(**(said | fields))


def changed(frame: list[Any], **fields: Any) -> bytes:
    """The frame with other values in its record."""
    other = copy.deepcopy(frame)
    other[4]["data"]["record"].update(fields)
    return encoded(other)


class EventLost(OnEvent):
    what = "an event does not reach one of its listeners"
    breaks = ("realtime.missed",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch(message_id=frame[4]["data"]["record"]["id"], recipient_id=self.truth.person(listener))
        return []


class EventDoubled(OnEvent):
    what = "an event reaches one of its listeners twice"
    breaks = ("realtime.duplicated",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch_shown(listener, frame)
        return [raw, raw]


class EventsSwapped(OnEvent):
    what = "two events reach one of their listeners the wrong way round"
    breaks = ("realtime.reordered",)

    def __init__(self) -> None:
        super().__init__()
        self._held: tuple[int, list[Any], bytes] | None = None

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        """The next INSERT to the same listener overtakes it."""
        if self._held is None:
            return super().event(listener, frame, raw)
        whose, held, held_raw = self._held
        if self.struck or listener != whose or not is_change(frame, "INSERT"):
            return [raw]
        self.touch_shown(listener, held)
        return [raw, held_raw]

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self._held = (listener, frame, raw)
        return []


class EventInvented(OnEvent):
    what = "an event tells of a message that does not exist"
    breaks = ("realtime.phantom",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        record = frame[4]["data"]["record"]
        ghost, seq = str(uuid.uuid4()), record["seq"] + 1000
        self.touch_shown(listener, frame, message_id=ghost, seq=seq, sender_id=record["sender_id"])
        return [raw, changed(frame, id=ghost, seq=seq, client_generated_id=None)]


class EventTextChanged(OnEvent):
    what = "an event shows another text than is stored"
    breaks = ("realtime.phantom",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch_shown(listener, frame)
        return [changed(frame, message_text="another")]


class EventSeqChanged(OnEvent):
    what = "an event shows another seq than is stored"
    breaks = ("realtime.phantom",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch_shown(listener, frame)
        # Below what came before, or the listener would wait for messages up to it.
        return [changed(frame, seq=frame[4]["data"]["record"]["seq"] - 1)]


class EventSenderChanged(OnEvent):
    what = "an event shows another sender than is stored"
    breaks = ("realtime.phantom",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        sender = frame[4]["data"]["record"]["sender_id"]
        self.touch_shown(listener, frame)
        return [changed(frame, sender_id=next(one for one in self.chat.participants if one != sender))]


class EventChatChanged(OnEvent):
    """To another chat of the same listener, who would be a stranger anywhere else."""

    what = "an event shows a message in another chat of its listener than it is stored in"
    breaks = ("realtime.phantom",)
    spares = 1

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        (other,) = self.others
        of_chat = frame[4]["data"]["record"]["chat_id"] == self.chat.id
        if not of_chat or self.truth.person(listener) not in other.participants:
            return [raw]
        self.touch_shown(listener, frame)
        return [changed(frame, chat_id=other.id)]


class DeletionInvented(OnEvent):
    what = "an event tells that a message was deleted, which is still there"
    breaks = ("realtime.phantom",)

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch_shown(listener, frame)
        later = copy.deepcopy(frame)
        data = later[4]["data"]
        # Under row level security a DELETE shows no more than the key.
        data |= {"type": "DELETE", "old_record": {"id": data.pop("record")["id"]}}
        return [raw, encoded(later)]


class EventToAStranger(OnEvent):
    what = "an event reaches somebody who is not in the chat"
    breaks = ("realtime.phantom",)
    reaches_others = True

    def __init__(self) -> None:
        super().__init__()
        self._astray: tuple[list[Any], bytes] | None = None

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self._astray = self._astray or (frame, raw)
        return [raw]

    def beside(self, listener: int) -> list[bytes]:
        person = self.truth.person(listener)
        if self._astray is None or self.struck or not person or person in self.chat.participants:
            return []
        frame, raw = self._astray
        self.touch_shown(listener, frame)
        return [raw]


class StatusSeenGoingBack(OnEvent):
    what = "an event shows a message that was read as sent"
    breaks = ("status.regressed",)
    kind = "UPDATE"

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        record = frame[4]["data"]["record"]
        if record["status"] != "read":
            return [raw]
        self.touch(message_id=record["id"])
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

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.touch(message_id=frame[4]["data"]["record"]["id"])
        return [raw, changed(frame, status="seen")]


# What must disturb nobody


class UpdateLost(OnEvent):
    what = "an UPDATE event does not reach one of its listeners"
    kind = "UPDATE"

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.struck = True
        return []


class UnknownFrame(OnEvent):
    what = "a frame comes that nobody asked for"

    def tampered(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        self.struck = True
        return [raw, encoded([None, None, frame[2], "presence_state", {}])]


class SubscriptionConfirmedTwice(ChatFault):
    what = "a subscription is confirmed a second time, as after a new token"
    how = HOW
    from_the_start = True

    def event(self, listener: int, frame: list[Any], raw: bytes) -> list[bytes]:
        if is_confirmation(frame) and not self.struck:
            self.struck = True
            return [raw, raw]
        return [raw]

    def shows(self, record: Evidence) -> bool:
        """It began twice on one socket."""
        steps = self.part(record, "sockets")
        began = steps[steps["event"] == SocketEvent.SUBSCRIBED]
        return bool(began.duplicated(["process", "socket"]).any())
