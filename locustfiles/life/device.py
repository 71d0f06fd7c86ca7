"""A person's device: a socket that comes back by itself, and what it remembers of its chats.

The rule that makes every message accountable: after each reconnect, history is read from the newest message down
to the newest one known before, and only after the server has confirmed the subscriptions, so that what was
written meanwhile arrives either by the socket or by the catch-up.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import gevent
from gevent.event import Event
from locust.env import Environment

from analysis.record import Person
from analysis.record.codes import Outcome, PagePurpose, SocketEvent
from locustfiles.clients.events import Row
from locustfiles.clients.messages import MessagesClient
from locustfiles.clients.realtime import RealtimeSocket
from locustfiles.clients.websocket import RealtimeError
from locustfiles.life.gaps import Gap, Gaps, ShutOutError, further, missed
from locustfiles.life.login import CannotSignIn, Login
from locustfiles.life.memory import ChatMemory
from locustfiles.life.newest import newest_seq
from locustfiles.life.receipts import Receipts
from locustfiles.run.load import Load

logger = logging.getLogger(__name__)

JOIN_S = 15.0
TUNNEL_S = (1.0, 4.0)  # how long somebody has no network
BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 15.0
FIRST_SEQ = 1  # of every chat
PROBE_S = 2.0  # how long a drain waits for a sign of life of the socket
FIRST_EVENTS_S = 2.0  # twice the delivery target: by then the events are here of what was written while somebody came online
LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message of somebody else that has just arrived."""

    chat_id: str
    message_id: str
    sender_id: str
    seq: int


class Device:
    """What one person's app does by itself. See `Online` for how a run ends it."""

    def __init__(
        self, load: Load, person: Person, environment: Environment, on_message: Callable[[Incoming], None]
    ) -> None:
        self.person = person
        self.circle = load.pool.circle_of(person)
        self.memory: defaultdict[str, ChatMemory] = defaultdict(ChatMemory)
        self._load = load
        self._rng = Random(f"{load.settings.chatsoak_seed}/{person.id}")
        self._on_message = on_message
        self._ledger = load.ledger(environment.events.request.fire)
        self._login = Login(load, person, self._ledger, self._rng, self._renewed)
        self.receipts = Receipts(self._send_receipt, self._rng)
        self._socket: RealtimeSocket | None = None
        self._shut_out: dict[str, str] = {}  # chats, and what was said
        self._online = Event()
        self._was_online = False
        self._was_subscribed = False  # to all their chats at once
        self._coming = False  # for the first time
        self._came = False  # and knows what was there before
        self._unsure_until = 0.0  # by `time.monotonic`: events may be under way that nobody can ask for
        self._gaps = Gaps()
        self._obstacle = ""  # why the last attempt to come online failed
        self._draining = Event()
        self._ended = False
        self._background: list[gevent.Greenlet] = []

    @property
    def messages(self) -> MessagesClient:
        """What this person says and reads over HTTP, once signed in."""
        return self._login.messages

    def sign_in(self) -> None:
        """Become this person.

        Raises:
            CannotSignIn: Supabase Auth refused.
        """
        self._login.sign_in()

    def go_online(self) -> None:
        """Open the socket and wait until every chat is subscribed; keeps trying until the run stops.

        Raises:
            CannotSignIn: the run stopped before it worked.
        """
        self._load.online.add(self)
        if not self._begin():
            raise CannotSignIn("")

    def lose_connection(self) -> None:
        """The network is gone for a while; the device comes back and reads what it missed."""
        if self._socket is None or not self._online.is_set():
            return
        self._online.clear()
        self._socket.cut()
        self._background.append(gevent.spawn_later(self._rng.uniform(*TUNNEL_S), self._come_online))
        while not self._online.wait(LOOK_EVERY_S) and not self._load.gate.closed:
            pass  # once the load stops, coming back is the drain's concern

    def trespass(self) -> None:
        """Try something that has to be refused."""
        self._login.trespass()

    def mark_read(self, chat_id: str) -> None:
        """Everything in the chat is read."""
        self.messages.mark_read(chat_id, self.memory[chat_id].look())

    def browse(self, chat_id: str, page: int, pages: int) -> None:
        """Read history from the newest message backwards, at most so many pages."""
        walk, before = self._load.next_walk(), None
        for _ in range(pages):
            answer = self.messages.history(chat_id, before, page, PagePurpose.BROWSE, walk)
            before = further(before, answer, above=FIRST_SEQ - 1)
            if before is None:
                return

    def drain(self, deadline: float) -> str | None:
        """Wait until every chat's newest message is here, acknowledge, and go offline. See `Online.drain`."""
        newest = {
            chat_id: newest_seq(
                chat_id,
                seen=self.memory[chat_id].seen,
                load=self._load,
                ledger=self._ledger,
                messages=self.messages,
                user_id=self.person.id,
            )
            for chat_id in self._chats()
        }
        self._draining.set()
        if (
            not self._was_online and not self._coming
        ):  # the server may have let them into some of their chats already
            self._background.append(gevent.spawn(self._begin))
        missing = self._wait_for(newest, deadline)
        if not self.receipts.wait_idle(max(0.0, deadline - time.monotonic())) and missing is None:
            missing = f"{self.person.email}: a receipt was still under way"
        self._ended = True
        if not self._online.is_set():
            for chat_id in newest:
                self._give_up(chat_id, self._obstacle)
        elif self._socket is not None:
            self._socket.finish(newest, max(PROBE_S, deadline - time.monotonic()))
        for chat_id, said in self._shut_out.items():
            self._give_up(chat_id, said)
        if self._socket is not None:
            self._socket.close()
        gevent.killall(self._background, block=False)
        self._login.close()
        self._load.online.discard(self)
        return missing

    def _wait_for(self, newest: Mapping[str, int], deadline: float) -> str | None:
        """Until nothing is lacking any more; once the run has stopped sending, each chat's newest seq is final.

        A connection may have died without a word. Who waits in vain asks it, so that there is time left to come back by another one.
        """
        asked = 0.0
        while (lacking := self._lacking(newest)) is not None or time.monotonic() < self._unsure_until:
            now = time.monotonic()
            if now > deadline:
                return lacking and f"{self.person.email} {lacking}"
            if lacking and self._socket is not None and self._online.is_set() and now > asked + PROBE_S:
                self._socket.probe(min(PROBE_S, deadline - now))
                asked = now
            gevent.sleep(LOOK_EVERY_S)
        return None

    def _lacking(self, newest: Mapping[str, int]) -> str | None:
        """What this person still has to see of these chats, or to read of what they missed."""
        for chat_id, seq in newest.items():
            if (seen := self.memory[chat_id].seen) < seq or not self._online.is_set():
                return f"saw chat {chat_id} up to seq {seen} of {seq}"
        unread = self._gaps.first_of(newest)
        return unread and f"could not read in history what they had missed of chat {unread[0]}"

    def _begin(self) -> bool:
        """Come online for the first time; False when the run is over first."""
        self._coming = True
        try:
            if not self._come_online():
                return False
        finally:
            self._coming = False
        for chat in self.circle.chats:
            # What was written before we came is not owed to us, and the drain must not wait for it. What was written since, and
            # has not come yet, cannot be told from it.
            seq, memory = self.messages.latest_seq(chat.id), self.memory[chat.id]
            if seq and seq > memory.seen:
                memory.seen = seq
                if self._socket is not None:
                    self._socket.note_known(chat.id, seq)
                self._unsure_until = time.monotonic() + FIRST_EVENTS_S
        self._came = True
        return True

    def _come_online(self) -> bool:
        """Try until it works, with pauses that grow and differ between people; False when the run is over first."""
        pause_s = BACKOFF_S
        while not self._ended:
            try:
                self._connect()
            except RealtimeError as error:
                logger.debug("%s: %s", self.person.email, error)
                self._obstacle = str(error)
            else:
                return True
            if self._load.gate.closed and not self._was_online and not self._draining.is_set():
                return False
            pause_s = self._pause(pause_s)
        return False

    def _pause(self, pause_s: float) -> float:
        """Wait about so many seconds before the next try; returns how many before the one after that."""
        jitter = self._rng.uniform(0.5, 1.5)
        if self._draining.is_set():  # the last chance to come back: no long pauses any more
            gevent.sleep(BACKOFF_S * jitter)
            return pause_s
        self._draining.wait(pause_s * jitter)
        return min(2 * pause_s, LONGEST_BACKOFF_S)

    def _chats(self) -> list[str]:
        """The chats that this person is in, as far as the app lets them."""
        return [chat.id for chat in self.circle.chats if chat.id not in self._shut_out]

    def _give_up(self, chat_id: str, why: str) -> None:
        number = 0  # of no socket
        row = (
            self.person.id,
            number,
            chat_id,
            SocketEvent.GAVE_UP,
            time.monotonic_ns(),
            None,
            why,
        )
        self._ledger.sockets(row)

    def _connect(self) -> None:
        """A socket, its subscriptions, and what was missed."""
        session = self._login.session
        if session is None:
            raise RealtimeError("not signed in")
        settings = self._load.settings
        chats = self._chats()
        if self._was_subscribed:
            for chat_id in chats:
                self._gaps.open(chat_id, self._known(chat_id))
        socket = RealtimeSocket(
            url=settings.next_public_supabase_url,
            api_key=settings.next_public_supabase_anon_key.get_secret_value(),
            number=self._load.next_socket(),
            user_id=self.person.id,
            ledger=self._ledger,
            heartbeat_s=settings.chatsoak_heartbeat_s,
            timeout_s=settings.chatsoak_request_timeout_s,
            on_insert=self._arrived,
            on_gap=self._gap,
            on_down=self._went_down,
        )
        socket.open()
        self._socket = socket
        try:
            socket.join(chats, session.access_token, JOIN_S)
            self._was_subscribed = True  # from now on something may be missed
            while (gap := self._gaps.first_of(chats)) is not None:
                self._catch_up(socket, *gap)
            if not socket.is_open:  # its end was nobody else's concern so far: see `_went_down`
                raise RealtimeError("the socket went down while history was read")
        except RealtimeError as error:
            if isinstance(error, ShutOutError):  # the other chats are not to suffer from that
                self._shut_out[error.chat_id] = str(error)
                self._gaps.forget(error.chat_id)
            socket.close()
            raise
        self._was_online = True
        self._online.set()

    def _known(self, chat_id: str, last_seq: int | None = None) -> int | None:
        """The newest seq that is known of a chat whose events went up to `last_seq`; None: not even what was there before us."""
        seen = self.memory[chat_id].seen
        known = seen if last_seq is None else min(seen, last_seq)
        return known if known or self._came else None

    def _catch_up(self, socket: RealtimeSocket, chat_id: str, gap: Gap) -> None:
        newest = gap.known or 0
        for message in missed(self.messages, chat_id, gap, self._load.next_walk()):
            assert message.seq is not None
            newest = max(newest, message.seq)
            self.memory[chat_id].note(message.seq, own=message.sender_id == self.person.id)
        self._gaps.close(chat_id, gap)
        socket.note_caught_up(chat_id, newest)
        if newest > (gap.known or 0):
            self.receipts.arrived(chat_id)

    def _went_down(self, reason: str) -> None:
        if self._ended or not self._online.is_set():
            return  # whoever is connecting at this moment notices by itself
        logger.debug("%s: %s", self.person.email, reason)
        self._online.clear()
        self._background.append(gevent.spawn_later(BACKOFF_S * self._rng.uniform(0, 2), self._come_online))

    def _gap(self, chat_id: str, last_seq: int | None) -> None:
        """The server subscribed a chat anew: what was written meanwhile is read from history."""
        gap = self._gaps.open(chat_id, self._known(chat_id, last_seq))
        if self._socket is not None and self._online.is_set():  # otherwise whoever is connecting reads it
            self._background.append(gevent.spawn(self._close_gap, self._socket, chat_id, gap))

    def _close_gap(self, socket: RealtimeSocket, chat_id: str, gap: Gap) -> None:
        """Try until it is read, or is the concern of a later one, such as after a reconnect."""
        pause_s = BACKOFF_S
        while self._gaps.is_open(chat_id, gap) and not self._ended:
            try:
                self._catch_up(socket, chat_id, gap)
            except ShutOutError as error:  # nothing is owed to them; whether that is right the judge knows
                self._gaps.forget(chat_id)
                logger.warning("%s: %s", self.person.email, error)
            except RealtimeError as error:
                logger.warning("%s: %s", self.person.email, error)
                pause_s = self._pause(pause_s)

    def _arrived(self, row: Row) -> None:
        if row.chat_id is None or row.id is None or row.seq is None:
            return  # recorded as it came; there is nothing that a device could show
        own = row.sender_id == self.person.id
        self.memory[row.chat_id].note(row.seq, own=own)
        if not own:
            self._on_message(Incoming(row.chat_id, row.id, row.sender_id or "", row.seq))

    def _send_receipt(self, chat_id: str) -> bool:
        return self.messages.mark_delivered(chat_id, self.memory[chat_id].seen).outcome is Outcome.OK

    def _renewed(self, access_token: str) -> None:
        if self._socket is not None and self._online.is_set():
            self._socket.refresh(access_token)
