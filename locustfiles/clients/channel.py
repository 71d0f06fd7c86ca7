"""One chat's channel on a Realtime socket: what is asked of the server, and what it has said so far."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from gevent.event import Event

from locustfiles.clients.events import TABLE

TOPIC: Final = "realtime:chat:"
TWICE: Final = "came twice"
OUT_OF_ORDER: Final = "came out of order"
NOTHING: Final = -(1 << 63)  # below every seq
ENDLESS_NS: Final = 1 << 63  # later than every moment
RECENT: Final = 50  # messages of a chat among which one that comes again, or was overtaken, is known


class Wrong(NamedTuple):
    """What is wrong with an event, if its message is the one that it tells of.

    Attributes:
        words: `TWICE` or `OUT_OF_ORDER`.
        later: ids and seqs of those that came before it, and whose seq is higher.
    """

    words: str
    later: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class Channel:
    """A chat on this socket: asked for, then subscribed, or refused in words.

    Attributes:
        settled: it is subscribed or refused.
        denied: it was the server who refused.
        refreshed_ns: when a new token was pushed whose confirmation is not here yet; 0 = none.
        last_ns: by `time.monotonic_ns`, the newest proof that events flow.
        last_seq: newest seq that came by it.
        known_seq: newest seq that was learned of otherwise than by events since it is subscribed.
        unsure_until_ns: what has come by then may be of this subscription or of the one before.
        highest_seq: of those that came by this subscription.
        recent: of the last ones that certainly came by it id, seq, and the highest seq of those before it.
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
    known_seq: int = NOTHING
    unsure_until_ns: int = 0
    highest_seq: int = NOTHING
    recent: deque[tuple[str, int, int]] = field(default_factory=lambda: deque(maxlen=RECENT))

    @property
    def topic(self) -> str:
        """Its name on the wire."""
        return TOPIC + self.chat_id

    def came(self, seq: int, message_id: str | None, received_ns: int) -> Wrong | None:
        """A new message came; what is wrong with that, as far as this subscription can tell at once.

        Until the server has confirmed a new token, what comes may be of either subscription, and each may bring it once.
        """
        wrong, highest = None, self.highest_seq
        if seq > highest:
            self.highest_seq = seq
        if received_ns > self.unsure_until_ns and message_id is not None:
            if seq <= highest:
                wrong = self._late(seq, message_id)
            self.recent.append((message_id, seq, highest))
        self.last_seq = seq
        return wrong

    def awaited(self, newest: int) -> int | None:
        """Up to which seq the events have certainly come, if they ever do, once `newest` has been seen; None: not known.

        Who had read it in history, or was told of it, waited for no event: one that is slow may still be under way.
        """
        if newest > self.known_seq:
            return newest
        return None if self.highest_seq == NOTHING else min(newest, self.highest_seq)

    def refresh(self, now_ns: int) -> None:
        """A new token is pushed."""
        self.refreshed_ns, self.unsure_until_ns = now_ns, ENDLESS_NS

    def begin_anew(self, now_ns: int) -> None:
        """The server has made another subscription: what came by the one before may come again."""
        self.unsure_until_ns = now_ns
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

    def _late(self, seq: int, message_id: str) -> Wrong | None:
        """What is wrong with a message whose seq is no higher than all before; None where we have forgotten too much to tell."""
        recent = self.recent
        if any(message_id == known for known, _, _ in reversed(recent)):
            return Wrong(TWICE)
        forgotten_seq = recent[0][2] if len(recent) == RECENT else NOTHING
        later = tuple((known, other) for known, other, _ in recent if other > seq)
        return Wrong(OUT_OF_ORDER, later) if later and seq > forgotten_seq else None
