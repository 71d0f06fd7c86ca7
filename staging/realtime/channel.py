"""One joined channel of one socket: what the client pushes into it, and what it is sent.

Follows lib/realtime_web/channels/realtime_channel.ex of supabase/realtime. Its random waits of 1 to 10 seconds before
a subscription is retried are left out or short.
"""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Protocol

from staging.faults import Faults
from staging.realtime.binding import Binding, BindingError, JoinConfig, parse_binding
from staging.realtime.credentials import Credentials, RefusedError, authorize, expired
from staging.realtime.frames import Broadcast, Incoming, Version, broadcast_frame, change_frame
from staging.realtime.hub import Hub
from staging.realtime.registrar import NotSubscribedError, Registrar
from staging.realtime.subscriptions import Subscription
from staging.tokens import Tokens

__all__ = ["Channel", "Client", "Services"]

log = logging.getLogger(__name__)

# Supabase looks at a channel's token when it expires, and at least this often.
CONFIRM_TOKEN_S = 300.0
# Between two attempts to subscribe while the database cannot be reached.
RETRY_S = 0.5
# An event that a fault holds back until the next one leaves by then at the latest.
HELD_BACK_S = 2.0


@dataclass(frozen=True, slots=True)
class Services:
    """What channels and sockets need of the environment."""

    hub: Hub
    registrar: Registrar
    tokens: Tokens
    faults: Faults


class Client(Protocol):
    """The socket that a channel belongs to.

    Attributes:
        is_deaf: it gets no events: a fault.
    """

    version: Version
    is_deaf: bool

    def send(self, frame: str | bytes) -> None:
        """Send a frame."""

    def push(
        self, topic: str, event: str, payload: object, ref: str | None = None, join_ref: str | None = None
    ) -> None:
        """Send an event."""

    def reply(self, to: Incoming, status: str, response: object) -> None:
        """Answer a push."""

    def forget(self, channel: "Channel") -> None:
        """The channel is closed."""


class Channel:
    """A joined channel. Subscribes to its database changes by itself, and says so by a `system` message."""

    def __init__(
        self, services: Services, client: Client, join: Incoming, config: JoinConfig, credentials: Credentials
    ) -> None:
        self.topic = join.topic
        self.join_ref = join.join_ref
        self._name = join.topic.removeprefix("realtime:")
        self._services = services
        self._client = client
        self._config = config
        self._credentials = credentials
        self._subscriptions: list[Subscription] = []
        self._subscribing: asyncio.Task[None] | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._held_back: dict[str, str] = {}

    def open(self) -> None:
        """Start, after the join has been answered."""
        self._services.hub.join(self.topic, self)
        self._watch_token()
        if self._config.presence:
            self._client.push(self.topic, "presence_state", {})
        if self._config.replication_ready:
            self._system("system", "ok", "Replication connection established")
        self.resubscribe()

    def close(self) -> None:
        """End, and say nothing."""
        self._services.hub.leave(self.topic, self)
        if self._subscribing is not None:
            self._subscribing.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        self._end_subscriptions()
        self._client.forget(self)

    def close_and_tell(self) -> None:
        """End with `phx_close`."""
        self.close()
        self._client.push(self.topic, "phx_close", {}, ref=self.join_ref, join_ref=self.join_ref)

    def handle(self, message: Incoming) -> None:
        """A push into this channel. What Supabase does not know it ignores."""
        if message.event == "phx_leave":
            self._client.reply(message, "ok", {})
            self.close_and_tell()
        elif message.event == "access_token":
            self._refresh(message.payload)
        elif message.event == "broadcast":
            self._user_broadcast(message)
        elif message.event == "presence":
            self._presence(message)

    # Database changes

    def resubscribe(self) -> None:
        """Subscribe to the changes that the join asked for, anew."""
        if self._subscribing is not None:
            self._subscribing.cancel()
        if self._config.entries:
            self._subscribing = asyncio.create_task(self._subscribe(), name=f"subscribe {self.topic}")

    async def _subscribe(self) -> None:
        if self._services.faults.hit("realtime_no_system_rate"):
            return
        try:
            bindings = [parse_binding(entry) for entry in self._config.entries]
            subscriptions = await self._registered(bindings)
        except (BindingError, NotSubscribedError) as error:
            self._end_subscriptions()
            self._system("postgres_changes", "error", str(error))
            return
        self._end_subscriptions()
        self._subscriptions = subscriptions
        for subscription in subscriptions:
            self._services.hub.subscriptions.add(subscription)
        self._system("postgres_changes", "ok", "Subscribed to PostgreSQL")

    async def _registered(self, bindings: list[Binding]) -> list[Subscription]:
        while True:
            # Only with a slot can it be promised that a change will be seen.
            await self._services.hub.feed_ready.wait()
            try:
                return await self._services.registrar.check(self, self._credentials, bindings)
            except OSError as error:
                log.warning("realtime: cannot subscribe (%s); trying again", type(error).__name__)
                await asyncio.sleep(RETRY_S)

    def _end_subscriptions(self) -> None:
        for subscription in self._subscriptions:
            self._services.hub.subscriptions.remove(subscription)
        self._subscriptions = []

    def deliver(self, kind: str, ids: tuple[int, ...], data: bytes) -> None:
        """A database change."""
        if self._client.is_deaf:
            return
        frame = change_frame(self._client.version, self.topic, ids, data)
        held_back = self._held_back.pop(kind, None)
        if held_back is None and self._services.faults.hit("realtime_reorder_rate"):
            self._held_back[kind] = frame
            asyncio.get_running_loop().call_later(HELD_BACK_S, self._release, kind, frame)
            return
        self._client.send(frame)
        if held_back is not None:
            self._client.send(held_back)

    def _release(self, kind: str, frame: str) -> None:
        if self._held_back.get(kind) is frame:
            self._client.send(self._held_back.pop(kind))

    # Tokens

    def _watch_token(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        life_s = self._services.faults.value("realtime_token_life_s")
        if life_s:
            self._expiry = asyncio.get_running_loop().call_later(life_s, self._shut_down, expired(0))
            return
        wait_s = min(CONFIRM_TOKEN_S, max(0.0, self._credentials.expires_at_s - time.time()))
        self._expiry = asyncio.get_running_loop().call_later(wait_s, self._confirm_token)

    def _confirm_token(self) -> None:
        try:
            self._credentials = authorize(self._services.tokens, self._credentials.token)
        except RefusedError as refused:
            self._shut_down(refused)
        else:
            self._watch_token()

    def _refresh(self, payload: object) -> None:
        token = payload.get("access_token") if isinstance(payload, dict) else None
        if not isinstance(token, str) or token.startswith("sb_") or token == self._credentials.token:
            return
        try:
            self._credentials = authorize(self._services.tokens, token)
        except RefusedError as refused:
            self._shut_down(refused)
            return
        self._watch_token()
        self.resubscribe()

    def _shut_down(self, why: RefusedError) -> None:
        self._system("system", "error", why.message)
        self.close_and_tell()

    # Broadcast and presence

    def _user_broadcast(self, message: Incoming) -> None:
        if not isinstance(message.payload, dict | Broadcast):
            return
        beside = None if self._config.self_broadcast else self
        self._services.hub.broadcast(self.topic, message.payload, beside=beside)
        if self._config.ack:
            self._client.reply(message, "ok", {})

    def broadcast(self, payload: object) -> None:
        """A broadcast of another client, or of one's own."""
        frame = broadcast_frame(self._client.version, self.topic, payload)
        if frame is not None and not self._client.is_deaf:
            self._client.send(frame)

    def _presence(self, message: Incoming) -> None:
        # Answered, and shown to nobody: a chat's load uses none.
        event = message.payload.get("event") if isinstance(message.payload, dict) else None
        known = event is None or str(event).lower() in ("track", "untrack")
        self._client.reply(message, "ok" if known else "error", {})

    def _system(self, extension: str, status: str, message: str) -> None:
        payload = {"extension": extension, "status": status, "message": message, "channel": self._name}
        self._client.push(self.topic, "system", payload)
