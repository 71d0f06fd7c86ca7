"""One person's Supabase Realtime socket: a channel for each chat, events into the record, down when it is down.

Joined is not subscribed: after the join's reply the server still sends nothing until its ``system`` ok. Steps are
rows of table `sockets`, so that later it is known exactly which events were owed. Serializer 2.0.0 (arrays) is
used, as by the official JavaScript client: its frames are smaller and cost less to parse than 1.0.0's objects.
Sources: supabase/realtime, lib/realtime_web/channels/realtime_channel.ex; supabase-js, packages/core/realtime-js.
"""

import time
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import gevent
import orjson
from gevent.event import Event

from analysis.record import RecordWriter
from analysis.record.tables import EventType, SocketEvent, Status
from locustfiles.clients.errors import RealtimeError
from locustfiles.clients.frames import FrameError
from locustfiles.clients.meter import Meter
from locustfiles.clients.websocket import Opcode, WebSocket

TOPIC = "realtime:chatsoak-"
BUSY_NS = 2_000_000  # a socket that has read for this long without waiting lets the others go first
MISSED_HEARTBEATS = 2  # without any reply for this many intervals, the socket is down

_TYPES = {"INSERT": EventType.INSERT, "UPDATE": EventType.UPDATE, "DELETE": EventType.DELETE}
_STATUS = {None: Status.NULL, "sent": Status.SENT, "delivered": Status.DELIVERED, "read": Status.READ}

Row = dict[str, Any]


@dataclass(slots=True)
class _Channel:
    """A chat on this socket. `state` grows: asked, joined, subscribed; or it is refused, in words."""

    chat_id: str
    join_ref: str
    asked_ns: int
    subscribed: bool = False
    refused: str | None = None
    changed: Event = field(default_factory=Event)


class RealtimeSocket:
    """A socket, from `open` to `close`. It is opened once; after it is down, make a new one.

    Args:
        url: of the Supabase project.
        api_key: the anon key.
        number: of this socket within the process.
        user_id: the person, as 16 bytes.
        on_insert: called with the new row of each INSERT; must not wait.
        on_down: called once, with a reason, when the socket is down without having been closed by us.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        number: int,
        user_id: bytes,
        record: RecordWriter,
        meter: Meter,
        heartbeat_s: float,
        on_insert: Callable[[Row], None],
        on_down: Callable[[str], None],
    ) -> None:
        self._url = (
            "ws" + url.removeprefix("http") + f"/realtime/v1/websocket?apikey={quote(api_key)}&vsn=2.0.0"
        )
        self._number = number
        self._user_id = user_id
        self._add_event = record.adder("events")
        self._add_socket = record.adder("sockets")
        self._meter = meter
        self._heartbeat_s = heartbeat_s
        self._on_insert = on_insert
        self._on_down = on_down
        self._socket: WebSocket | None = None
        self._channels: dict[str, _Channel] = {}  # by topic
        self._ref = 0
        self._alive_ns = 0  # the last sign of life
        self._heartbeats: dict[str, int] = {}  # ref → when it left
        self._greenlets: list[gevent.Greenlet] = []

    @property
    def is_open(self) -> bool:
        """Whether the WebSocket is up, as far as we know."""
        return self._socket is not None

    def open(self, timeout_s: float) -> None:
        """Connect.

        Raises:
            RealtimeError: refused or unreachable.
        """
        began_ns = time.monotonic_ns()
        try:
            self._socket = WebSocket(self._url, timeout_s)
        except RealtimeError as error:
            self._note(SocketEvent.REFUSED, None, detail=str(error))
            self._meter.record("WS", "connect", began_ns, time.monotonic_ns(), error=error)
            raise
        self._alive_ns = time.monotonic_ns()
        self._meter.record("WS", "connect", began_ns, self._alive_ns)
        self._note(SocketEvent.CONNECTED, None, at_ns=self._alive_ns)
        self._greenlets = [gevent.spawn(self._read, self._socket), gevent.spawn(self._beat)]

    def join(self, chat_ids: Iterable[str], access_token: str, timeout_s: float) -> None:
        """Join the chats and wait until the server has confirmed each subscription.

        Raises:
            RealtimeError: a join was refused, not confirmed in time, or the socket went down.
        """
        joined = []
        for chat_id in chat_ids:
            channel = _Channel(chat_id, self._next_ref(), time.monotonic_ns())
            topic = TOPIC + chat_id
            self._channels[topic] = channel
            joined.append(channel)
            changes = {
                "event": "*",
                "schema": "public",
                "table": "chat_messages",
                "filter": f"chat_id=eq.{chat_id}",
            }
            config = {
                "broadcast": {"ack": False, "self": False},
                "presence": {"key": "", "enabled": False},
                "postgres_changes": [changes],
                "private": False,
            }
            self._push(topic, "phx_join", {"config": config, "access_token": access_token}, channel.join_ref)
        deadline = time.monotonic() + timeout_s
        for channel in joined:
            if not channel.changed.wait(timeout=max(0.0, deadline - time.monotonic())):
                channel.refused = f"the subscription was not confirmed within {timeout_s:g} s"
                self._note(SocketEvent.REFUSED, channel.chat_id, detail=channel.refused)
            if channel.refused:
                error = RealtimeError(channel.refused)
                self._meter.record("WS", "subscribe", channel.asked_ns, time.monotonic_ns(), error=error)
                raise error

    def refresh(self, access_token: str) -> None:
        """Give every channel a new token; the server confirms each with another ``system`` ok."""
        for topic, channel in self._channels.items():
            self._push(topic, "access_token", {"access_token": access_token}, channel.join_ref)

    def note_caught_up(self, chat_id: str, seq: int) -> None:
        """History was read up to `seq` after a reconnect."""
        self._note(SocketEvent.CAUGHT_UP, chat_id, seq=seq)

    def finish(self, chat_ids: Iterable[str]) -> None:
        """Nothing more is owed: the subscriptions that still hold were whole up to this moment."""
        at_ns = time.monotonic_ns()
        for chat_id in chat_ids:
            channel = self._channels.get(TOPIC + chat_id)
            if self.is_open and channel is not None and channel.subscribed:
                self._note(SocketEvent.FINISHED, chat_id, at_ns=at_ns)

    def close(self) -> None:
        """Close in good order."""
        self._end("closed by us", WebSocket.close)

    def cut(self) -> None:
        """Drop the connection without a word, as a phone in a tunnel does."""
        self._end("cut by us", WebSocket.cut)

    def _end(self, reason: str, how: Callable[[WebSocket], None]) -> None:
        socket, self._socket = self._socket, None
        if socket is None:
            return
        self._note(SocketEvent.CLOSED, None, detail=reason)
        how(socket)
        current = gevent.getcurrent()
        gevent.killall([one for one in self._greenlets if one is not current], block=False)

    def _down(self, reason: str) -> None:
        """It ended without our doing: from its last sign of life on, nothing is promised."""
        socket, self._socket = self._socket, None
        if socket is None:
            return
        self._note(SocketEvent.CLOSED, None, at_ns=self._alive_ns, detail=reason)
        socket.cut()
        for channel in self._channels.values():
            channel.subscribed = False
            channel.refused = channel.refused or f"the socket went down: {reason}"
            channel.changed.set()
        current = gevent.getcurrent()
        gevent.killall([one for one in self._greenlets if one is not current], block=False)
        self._on_down(reason)

    def _read(self, socket: WebSocket) -> None:
        """The socket's greenlet: everything that comes in."""
        loads = orjson.loads
        turn_ns = time.monotonic_ns()
        reason = "the server closed the socket"
        try:
            while messages := socket.receive():
                now_ns = self._alive_ns = time.monotonic_ns()
                for kind, payload in messages:
                    if kind == Opcode.TEXT:
                        self._receive(loads(payload), now_ns)
                    elif kind == Opcode.PING:
                        socket.pong(payload)
                    elif kind == Opcode.CLOSE:
                        code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
                        reason = f"the server closed the socket with code {code}"
                # `receive` does not wait while there is data: let the others have their turn.
                if time.monotonic_ns() - turn_ns > BUSY_NS:
                    gevent.sleep(0)
                    turn_ns = time.monotonic_ns()
        except (OSError, FrameError, orjson.JSONDecodeError) as error:
            reason = f"{type(error).__name__}: {error}"
        self._down(reason)

    def _receive(self, frame: Any, now_ns: int) -> None:
        join_ref, ref, topic, event, payload = frame
        if event == "postgres_changes":
            self._change(payload["data"], now_ns)
        elif event == "phx_reply":
            self._reply(join_ref, ref, topic, payload, now_ns)
        elif event == "system":
            self._system(topic, payload, now_ns)
        elif event in ("phx_close", "phx_error"):
            channel = self._channels.get(topic)
            if channel is not None and join_ref in (None, channel.join_ref):
                self._lost(channel, f"{event} from the server")

    def _change(self, data: Row, now_ns: int) -> None:
        kind = data["type"]
        row = data["old_record"] if kind == "DELETE" else data["record"]
        text = row.get("message_text")
        self._add_event(
            (
                self._user_id,
                self._number,
                row.get("chat_id"),
                row.get("id"),
                row.get("sender_id"),
                row.get("seq"),
                _TYPES[kind],
                _STATUS.get(row.get("status"), Status.OTHER),
                zlib.crc32(text.encode()) if text is not None else None,
                data["commit_timestamp"],
                now_ns,
            )
        )
        if kind == "INSERT":
            self._on_insert(row)

    def _reply(self, join_ref: str | None, ref: str | None, topic: str, payload: Row, now_ns: int) -> None:
        if topic == "phoenix":
            left_ns = self._heartbeats.pop(ref or "", None)
            if left_ns is not None:
                self._meter.record("WS", "heartbeat", left_ns, now_ns)
            return
        channel = self._channels.get(topic)
        if channel is None or ref != channel.join_ref or join_ref not in (None, channel.join_ref):
            return
        if payload["status"] == "ok":
            self._note(SocketEvent.JOINED, channel.chat_id, at_ns=now_ns)
            self._meter.record("WS", "join", channel.asked_ns, now_ns)
        else:
            response = payload.get("response")
            reason = response.get("reason") if isinstance(response, dict) else None
            self._refuse(channel, str(reason or "refused without a reason"))

    def _system(self, topic: str, payload: Row, now_ns: int) -> None:
        channel = self._channels.get(topic)
        if channel is None:
            return
        if payload.get("status") != "ok":
            if channel.subscribed:
                self._lost(channel, str(payload.get("message")))
            else:
                self._refuse(channel, str(payload.get("message")))
        elif payload.get("extension") == "postgres_changes":
            if channel.subscribed and channel.changed.is_set():
                # Once more: the server has made the subscription anew, and does not say since when it was without.
                self._note(SocketEvent.SUBSCRIBED, channel.chat_id, at_ns=now_ns, detail="again")
                return
            channel.subscribed = True
            self._note(SocketEvent.SUBSCRIBED, channel.chat_id, at_ns=now_ns)
            self._meter.record("WS", "subscribe", channel.asked_ns, now_ns)
            channel.changed.set()

    def _refuse(self, channel: _Channel, reason: str) -> None:
        channel.refused = reason
        self._note(SocketEvent.REFUSED, channel.chat_id, detail=reason)
        channel.changed.set()

    def _lost(self, channel: _Channel, reason: str) -> None:
        """A channel ended by itself. The device comes back with a new socket, which is one way for all losses."""
        channel.subscribed = False
        self._note(SocketEvent.UNSUBSCRIBED, channel.chat_id, detail=reason)
        self._down(f"the channel of chat {channel.chat_id} ended: {reason}")

    def _beat(self) -> None:
        """Heartbeats: a socket whose server does not answer them is deaf, however open it looks."""
        while True:
            gevent.sleep(self._heartbeat_s)
            silent_ns = time.monotonic_ns() - self._alive_ns
            if silent_ns > MISSED_HEARTBEATS * self._heartbeat_s * 1e9:
                self._down(f"no sign of life for {silent_ns / 1e9:.1f} s")
                return
            ref = self._next_ref()
            self._heartbeats[ref] = time.monotonic_ns()
            self._push("phoenix", "heartbeat", {}, None, ref)

    def _push(
        self, topic: str, event: str, payload: Row, join_ref: str | None, ref: str | None = None
    ) -> None:
        if ref is None:
            ref = join_ref if event == "phx_join" else self._next_ref()
        socket = self._socket
        if socket is None:
            return
        try:
            socket.send_text(orjson.dumps([join_ref, ref, topic, event, payload]))
        except OSError as error:
            self._down(f"{type(error).__name__}: {error}")

    def _next_ref(self) -> str:
        self._ref += 1
        return str(self._ref)

    def _note(
        self,
        event: SocketEvent,
        chat_id: str | None,
        *,
        at_ns: int | None = None,
        seq: int | None = None,
        detail: str | None = None,
    ) -> None:
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        self._add_socket((self._user_id, self._number, chat_id, event, at_ns, seq, detail))
