"""One person's Supabase Realtime socket: a channel for each chat, events into the record, down when it is down.

Joined is not subscribed: after the join's reply the server still sends nothing until its ``system`` ok. Each step is
a row of table `sockets`, so that later it is known exactly which events were owed. A channel that ends by itself
takes the socket down with it: the user then comes back one way, whatever was lost, and reads what was missed.
Sources: supabase/realtime, lib/realtime_web/channels/realtime_channel.ex; supabase-js, packages/core/realtime-js.
"""

import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

import gevent
import orjson

from analysis.record.codes import EventType, SocketEvent, Status
from locustfiles.clients.channel import TOPIC, Channel
from locustfiles.clients.events import (
    CHANGE,
    EVENT_TYPES,
    STATUSES,
    Data,
    Frame,
    MalformedFrameError,
    Row,
    decode,
)
from locustfiles.clients.heart import Heart
from locustfiles.clients.ledger import SocketLedger
from locustfiles.clients.websocket import GOODBYE_S, RealtimeError, WebSocket

VERSION: Final = "2.0.0"  # of the serializer
SILENT: Final = "the server did not answer a heartbeat"

# Reading a member of an enum costs a tenth of what an event may cost in all.
_INSERT, _DELETE, _OTHER = EventType.INSERT, EventType.DELETE, Status.OTHER


class RefusedError(RealtimeError):
    """The server refused a join, in its own words."""


class RealtimeSocket:
    """A socket, from `open` to its end. It is opened once; when it is down, make a new one.

    The callbacks are called by the greenlet that reads and must not wait for anything.

    Args:
        url: of the Supabase project.
        api_key: the anon key.
        number: of this socket within the process.
        user_id: the person's UUID.
        heartbeat_s: seconds between heartbeats; one that is unanswered when the next is due ends the socket.
        timeout_s: for connecting, and for each write.
        on_insert: called with the row of each message that arrives.
        on_gap: called with a chat's id and the newest seq that had come by then (None: none had): the server has made
            its subscription anew, and what was written meanwhile has to be read from history.
        on_down: called once, with a reason, when the socket ends without our having ended it.
    """

    def __init__(
        self,
        *,
        url: str,
        api_key: str,
        number: int,
        user_id: str,
        ledger: SocketLedger,
        heartbeat_s: float,
        timeout_s: float,
        on_insert: Callable[[Row], None],
        on_gap: Callable[[str, int | None], None],
        on_down: Callable[[str], None],
    ) -> None:
        query = f"apikey={quote(api_key, safe='')}&vsn={VERSION}"
        self._url = f"ws{url.removeprefix('http')}/realtime/v1/websocket?{query}"
        self._number = number
        self._user_id = user_id
        self._ledger = ledger
        self._timeout_s = timeout_s
        self._on_insert = on_insert
        self._on_gap = on_gap
        self._on_down = on_down
        self._socket: WebSocket | None = None
        self._ended: str | None = None  # why
        self._channels: dict[str, Channel] = {}  # by topic
        self._ref = 0
        self._reader: gevent.Greenlet | None = None
        self._heart = Heart(
            heartbeat_s,
            self._next_ref,
            lambda ref: self._push(None, ref, "phoenix", "heartbeat", {}),
            lambda: self._socket is not None and self._socket.has_unread(),
            lambda: self._down(SILENT),
        )

    @property
    def is_open(self) -> bool:
        """Whether the WebSocket is up, as far as we know."""
        return self._socket is not None and self._ended is None

    def open(self) -> None:
        """Connect.

        Raises:
            RealtimeError: refused or unreachable.
        """
        began_ns = time.monotonic_ns()
        try:
            self._socket = WebSocket(self._url, self._timeout_s)
        except RealtimeError as error:
            self._note(SocketEvent.REFUSED, None, detail=str(error))
            self._ledger.step("connect", time.monotonic_ns() - began_ns, error=str(error))
            raise
        opened_ns = self._socket.received_ns
        self._ledger.step("connect", opened_ns - began_ns)
        self._note(SocketEvent.CONNECTED, None, at_ns=opened_ns)
        self._reader = gevent.spawn(self._read, self._socket)
        self._heart.start()

    def join(self, chat_ids: Iterable[str], access_token: str, timeout_s: float) -> None:
        """Join the chats and wait until the server has confirmed each subscription.

        Raises:
            RefusedError: a join was refused.
            RealtimeError: a join was not confirmed in time, or the socket went down.
        """
        asked = [self._ask(chat_id, access_token) for chat_id in chat_ids]
        deadline = time.monotonic() + timeout_s
        for channel in asked:
            if not channel.settled.wait(timeout=max(0.0, deadline - time.monotonic())):
                self._refuse(channel, f"the subscription was not confirmed within {timeout_s:g} s")
            if channel.refused:
                raise (RefusedError if channel.denied else RealtimeError)(channel.refused)

    def refresh(self, access_token: str) -> None:
        """Give every channel a new token. The server confirms each with another ``system`` ok: see `on_gap`."""
        for topic, channel in self._channels.items():
            if channel.subscribed and self.is_open:
                channel.refresh(time.monotonic_ns())
                self._push(
                    channel.join_ref, self._next_ref(), topic, "access_token", {"access_token": access_token}
                )

    def note_caught_up(self, chat_id: str, seq: int) -> None:
        """History was read after a gap; `seq` is the newest message known now."""
        self._note(SocketEvent.CAUGHT_UP, chat_id, seq=seq)
        self.note_known(chat_id, seq)

    def note_known(self, chat_id: str, seq: int) -> None:
        """Messages up to `seq` are known by something else than their events, for which nobody waits therefore."""
        if (channel := self._channels.get(TOPIC + chat_id)) is not None:
            channel.known_seq = max(channel.known_seq, seq)

    def probe(self, timeout_s: float) -> bool:
        """Whether the server answers a heartbeat now, and so everything that it had sent before has arrived.

        A socket whose server does not answer is down, since its last sign of life, whatever it looks like.
        """
        if self.is_open and not self._heart.probe(timeout_s):
            self._down(SILENT)
        return self.is_open

    def finish(self, newest: Mapping[str, int], timeout_s: float) -> bool:
        """Nothing more is owed: the subscriptions that still hold were whole up to this moment.

        Asks the server first: a socket that only looks open promises nothing. Returns whether it does hold.

        Args:
            newest: by chat, the newest seq that is known: by an event, which was waited for, or otherwise.
        """
        at_ns = time.monotonic_ns()
        if not self.probe(timeout_s):
            return False
        for chat_id, seq in newest.items():
            channel = self._channels.get(TOPIC + chat_id)
            if channel is not None and channel.subscribed:
                self._note(SocketEvent.FINISHED, chat_id, at_ns=at_ns, seq=channel.awaited(seq))
        return True

    def close(self) -> None:
        """Close in good order, and wait until that is done, for a moment at most."""
        socket = self._socket
        if socket is None or not self._end("closed by us", None):
            return
        try:
            socket.say_goodbye()
        except OSError:  # it is gone already, which is what we want
            socket.cut()
        if self._reader is not None and self._reader is not gevent.getcurrent():
            self._reader.join(timeout=GOODBYE_S)
            socket.cut()

    def cut(self) -> None:
        """Drop the connection without a word, as a phone in a tunnel does."""
        if self._socket is not None and self._end("cut by us", None):
            self._socket.cut()

    # What the user's greenlets ask for

    def _ask(self, chat_id: str, access_token: str) -> Channel:
        channel = Channel(chat_id, self._next_ref(), time.monotonic_ns())
        self._channels[channel.topic] = channel
        if not self.is_open:
            self._refuse(channel, f"the socket is down: {self._ended}")
            return channel
        payload = channel.join_payload(access_token)
        self._push(channel.join_ref, channel.join_ref, channel.topic, "phx_join", payload)
        return channel

    def _push(self, join_ref: str | None, ref: str, topic: str, event: str, payload: dict[str, Any]) -> None:
        if self._socket is None or self._ended is not None:
            return
        try:
            self._socket.send_text(orjson.dumps([join_ref, ref, topic, event, payload]))
        except OSError as error:
            self._down((error.strerror or str(error)).lower())

    def _next_ref(self) -> str:
        self._ref += 1
        return str(self._ref)

    # The greenlet that reads

    def _read(self, socket: WebSocket) -> None:
        """Everything that comes in, until the end. A read is bounded, and the next one passes gevent's loop."""
        reason = None
        try:
            while (messages := socket.receive()) is not None:
                received_ns = socket.received_ns
                for message in messages:
                    try:
                        frame = decode(message)
                    except MalformedFrameError as error:
                        self._ledger.step("malformed frame", None, len(message), str(error))
                        continue
                    if frame.event == CHANGE and frame.payload.data is not None:
                        self._change(frame.topic, frame.payload.data, received_ns, len(message))
                    else:
                        self._control(frame, received_ns)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
        finally:
            self._down(reason or socket.end)
            socket.release()

    def _change(self, topic: str, data: Data, received_ns: int, length: int) -> None:
        kind = EVENT_TYPES.get(data.type)
        row = data.old_record if kind is _DELETE else data.record
        if row is None or kind is None or data.errors:
            self._ledger.step("event", None, length, "; ".join(data.errors or ()) or "an event without a row")
            if row is None or kind is None:
                return
        text = row.message_text
        self._ledger.events(
            (
                self._user_id,
                self._number,
                row.chat_id,
                row.id,
                row.sender_id,
                row.seq,
                kind,
                STATUSES.get(row.status, _OTHER),
                None if text is None else zlib.crc32(text.encode()),
                data.commit_timestamp,
                received_ns,
            )
        )
        if (channel := self._channels.get(topic)) is not None:
            channel.last_ns = received_ns
        if (channel is None or channel.chat_id != row.chat_id) and kind is not _DELETE:
            self._ledger.note_stray(row, self._user_id)
        if kind is _INSERT:
            if channel is not None and row.seq is not None:
                wrong = channel.came(row.seq, row.id, received_ns)
                if wrong is not None:
                    self._ledger.step("event", None, length, wrong.words)
                    self._ledger.note_wrong(wrong, row, self._user_id)
            if row.client_generated_id is not None:
                self._ledger.note_delivery(row.client_generated_id, received_ns, length)
            self._on_insert(row)

    def _control(self, frame: Frame, now_ns: int) -> None:
        if frame.topic == "phoenix":
            if (left_ns := self._heart.answer(frame.ref or "")) is not None:
                self._ledger.step("heartbeat", now_ns - left_ns)
            return
        channel = self._channels.get(frame.topic)
        if channel is None or frame.join_ref not in {None, channel.join_ref}:
            return  # of an earlier join of this topic
        if frame.event == "phx_reply":
            self._reply(channel, frame, now_ns)
        elif frame.event == "system":
            self._system(channel, frame, now_ns)
        elif frame.event in {"phx_close", "phx_error"}:
            self._lost(channel, f"{frame.event} from the server")

    def _reply(self, channel: Channel, frame: Frame, now_ns: int) -> None:
        if frame.ref != channel.join_ref:
            return
        if frame.payload.status == "ok":
            self._note(SocketEvent.JOINED, channel.chat_id, at_ns=now_ns)
            self._ledger.step("join", now_ns - channel.asked_ns)
            return
        response = frame.payload.response
        reason = response.get("reason") if isinstance(response, dict) else None
        channel.denied = True
        self._refuse(channel, str(reason or "refused without a reason"))

    def _system(self, channel: Channel, frame: Frame, now_ns: int) -> None:
        payload = frame.payload
        if payload.status != "ok":
            self._lost(channel, payload.message or "a system error without words")
        elif payload.extension == CHANGE and channel.subscribed:
            self._subscribed_again(channel, now_ns)
        elif payload.extension == CHANGE and not channel.settled.is_set():  # settled: its end came before
            channel.subscribed = True
            channel.last_ns = now_ns
            self._note(SocketEvent.SUBSCRIBED, channel.chat_id, at_ns=now_ns)
            self._ledger.step("subscribe", now_ns - channel.asked_ns)
            channel.settled.set()

    def _subscribed_again(self, channel: Channel, now_ns: int) -> None:
        """The server has made the subscription anew: after a new token, or for reasons of its own.

        It does not say since when it was without. What is certain: it held until the token was pushed, or until
        the last event that came.
        """
        since_ns, channel.refreshed_ns = channel.refreshed_ns or channel.last_ns, 0
        self._note(SocketEvent.UNSUBSCRIBED, channel.chat_id, at_ns=since_ns, detail="subscribed anew")
        self._note(SocketEvent.SUBSCRIBED, channel.chat_id, at_ns=now_ns, detail="again")
        channel.last_ns = now_ns
        channel.begin_anew(now_ns)
        self._on_gap(channel.chat_id, channel.last_seq)

    def _refuse(self, channel: Channel, reason: str) -> None:
        channel.refused = reason
        self._note(SocketEvent.REFUSED, channel.chat_id, detail=reason)
        self._ledger.step("subscribe", time.monotonic_ns() - channel.asked_ns, error=reason)
        channel.settled.set()

    def _lost(self, channel: Channel, reason: str) -> None:
        if not channel.subscribed:
            if not channel.settled.is_set():
                channel.denied = True
                self._refuse(channel, reason)
            return
        channel.subscribed = False
        self._note(SocketEvent.UNSUBSCRIBED, channel.chat_id, detail=reason)
        self._down(f"a channel ended: {reason}")

    # The end

    def _down(self, reason: str) -> None:
        """It ended without our doing: from its last sign of life on, nothing is promised."""
        socket = self._socket
        if socket is not None and self._end(reason, socket.received_ns):
            self._ledger.step("lost", None, error=reason)
            socket.cut()
            self._on_down(reason)

    def _end(self, reason: str, at_ns: int | None) -> bool:
        """Note the end, once, and tell whoever waits for something. False when it had ended before."""
        if self._ended is not None:
            return False
        self._ended = reason
        self._note(SocketEvent.CLOSED, None, at_ns=at_ns, detail=reason)
        for channel in self._channels.values():
            channel.subscribed = False
            if not channel.settled.is_set():
                self._refuse(channel, f"the socket went down: {reason}")
        self._heart.stop()
        return True

    def _note(
        self, event: SocketEvent, chat_id: str | None, *,
        at_ns: int | None = None, seq: int | None = None, detail: str | None = None,
    ) -> None:  # fmt: skip
        at_ns = time.monotonic_ns() if at_ns is None else at_ns
        self._ledger.sockets((self._user_id, self._number, chat_id, event, at_ns, seq, detail))
