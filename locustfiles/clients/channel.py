"""One chat's channel on a Realtime socket: what is asked of the server, and what it has said so far."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from gevent.event import Event

from locustfiles.clients.events import TABLE

TOPIC: Final = "realtime:chat:"
TWICE: Final = "came twice"
OUT_OF_ORDER: Final = "came out of order"
NOTHING: Final = -(1 << 63)  # below every seq
RECENT: Final = 100  # messages of a chat among which one that comes again is known


@dataclass(slots=True)
class Channel:
    """A chat on this socket: asked for, then subscribed, or refused in words.

    Attributes:
        settled: it is subscribed or refused.
        denied: it was the server who refused.
        refreshed_ns: when a new token was pushed whose confirmation is not here yet; 0 = none.
        last_ns: by `time.monotonic_ns`, the newest proof that events flow.
        last_seq: newest seq that came by it.
        read_seq: newest seq that was read in history since it is subscribed.
        highest_seq, recent: of those that came by this subscription; the last ones.
    """

    chat_id: str
    join_ref: str
    asked_ns: int
    subscribed: bool = False
    refused: str | None = None
    denied: bool = False
    settled: Event = field(default_factory=Event)
    refreshed_ns: int = 0
    last_ns: int = 0
    last_seq: int | None = None
    read_seq: int = NOTHING
    highest_seq: int = NOTHING
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def topic(self) -> str:
        """Its name on the wire."""
        return TOPIC + self.chat_id

    def came(self, seq: int) -> str | None:
        """A new message came; what is wrong with that, as far as this subscription can tell at once."""
        wrong = None
        if seq > self.highest_seq:
            self.highest_seq = seq
        else:
            wrong = TWICE if seq in self.recent else OUT_OF_ORDER
        self.recent.append(seq)
        self.last_seq = seq
        return wrong

    def awaited(self, newest: int) -> int | None:
        """Up to which seq the events have certainly come, if they ever do, once `newest` has been seen; None: not known.

        Who had read it in history waited for no event: one that is slow may still be under way.
        """
        if newest > self.read_seq:
            return newest
        return None if self.highest_seq == NOTHING else min(newest, self.highest_seq)

    def begin_anew(self) -> None:
        """The server has made another subscription: what came by the one before may come again."""
        self.highest_seq = NOTHING
        self.recent.clear()

    def join_payload(self, access_token: str) -> dict[str, Any]:
        """What ``phx_join`` carries: every change of the chat's messages, and nothing else of Realtime."""
        binding = {"event": "*", "schema": "public", "table": TABLE, "filter": f"chat_id=eq.{self.chat_id}"}
        config = {
            "broadcast": {"ack": False, "self": False},
            "presence": {"key": "", "enabled": False},
            "postgres_changes": [binding],
            "private": False,
        }
        return {"config": config, "access_token": access_token}
