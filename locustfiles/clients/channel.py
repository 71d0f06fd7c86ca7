"""One chat's channel on a Realtime socket: what is asked of the server, and what it has said so far."""

from dataclasses import dataclass, field
from typing import Any, Final

from gevent.event import Event

from locustfiles.clients.events import TABLE

TOPIC: Final = "realtime:chat:"


@dataclass(slots=True)
class Channel:
    """A chat on this socket: asked for, then subscribed, or refused in words.

    Attributes:
        settled: it is subscribed or refused.
        denied: it was the server who refused.
        refreshed_ns: when a new token was pushed whose confirmation is not here yet; 0 = none.
        last_ns: by `time.monotonic_ns`, the newest proof that events flow.
        last_seq: newest seq that came by it.
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

    @property
    def topic(self) -> str:
        """Its name on the wire."""
        return TOPIC + self.chat_id

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
