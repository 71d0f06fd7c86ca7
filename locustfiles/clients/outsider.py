"""Tries what should be refused, over HTTP and Realtime. Each attempt is a row of table `attempts` and a statistic.

In Locust's statistics a refusal is a success: an attempt fails there when it was *not* refused.
"""

import time
import uuid
from typing import Any, Final
from urllib.parse import urlsplit

import gevent
import orjson

from analysis.record.codes import (
    REDIRECTIONS,
    TOO_MANY_REQUESTS,
    AttemptKind,
    EventType,
    Guise,
    MarkKind,
    Outcome,
    Way,
)
from analysis.record.tables import EVENTS
from analysis.settings import Settings
from locustfiles.clients.channel import Wrong
from locustfiles.clients.events import Row
from locustfiles.clients.guises import Attempt, disguised
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.interfaces import NOTHING, AppInterface, Interface, RestInterface
from locustfiles.clients.ledger import Ledger, RequestFailedError
from locustfiles.clients.messages import MARKS, RPC, updated_count
from locustfiles.clients.realtime import RealtimeSocket, RefusedError
from locustfiles.clients.session import Session, head, supabase_headers, with_body
from locustfiles.clients.stream import Origin
from locustfiles.clients.websocket import RealtimeError

PAGE: Final = 5  # messages: one would do
LISTEN_S: Final = (
    3.0  # how long a subscription is held; the judge asks whether anything was written meanwhile
)
JOIN_S: Final = 5.0
# Reasons for which Realtime refuses a join whoever asks: its own limits and troubles.
TROUBLED: Final = (
    "RateLimitReached",
    "UnableToConnectToProject",
    "InitializingProjectConnection",
    "DatabaseLackOfConnections",
    "phx_error",
)
SUFFIX: Final = " (outsider)"
WAS_LET: Final = "was not refused"

_MESSAGE_ID, _TYPE = (EVENTS.get_field_index(name) for name in ("message_id", "type"))
_MARK_KIND = {
    AttemptKind.MARK_DELIVERED: MarkKind.DELIVERED,
    AttemptKind.MARK_READ: MarkKind.READ,
}


class OutsiderClient:
    """One person's attempts at what they may not.

    Args:
        host: the app's URL.
        supabase: this user's connections to Supabase.
        user_id: who they really are.
    """

    def __init__(
        self, settings: Settings, host: str, ledger: Ledger, supabase: HttpClient, user_id: str
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._supabase = supabase
        self._user_id = user_id
        self._anon_key = settings.next_public_supabase_anon_key.get_secret_value()
        self._app = AppInterface(settings, host)
        self._rest = RestInterface(settings)
        self._owns_http = Origin.of(host) != supabase.origin
        self._http = HttpClient(host, settings.chatsoak_request_timeout_s) if self._owns_http else supabase

    def attempt(self, tried: Attempt, session: Session, chat_id: str, victim_id: str, socket: int) -> None:
        """Try it.

        Args:
            session: the person's own; for `Guise.EXPIRED_TOKEN` an old one of theirs.
            chat_id: not one of theirs when it is tried `elsewhere`, one of theirs otherwise.
            victim_id: another participant of the chat.
            socket: a number for a socket, unique within this process.
        """
        pretended = disguised(session, tried.guise, victim_id, self._anon_key)
        match tried.kind:
            case AttemptKind.READ:
                self._read(tried, pretended, chat_id)
            case AttemptKind.LATEST:
                self._ask(tried, pretended, chat_id, "get_latest_seq", {})
            case AttemptKind.UNREAD:
                self._ask(tried, pretended, chat_id, "get_unread_count", {"p_user_id": pretended.user_id})
            case AttemptKind.SEND:
                self._send(tried, pretended, chat_id, victim_id)
            case AttemptKind.SUBSCRIBE:
                self._subscribe(tried, pretended, chat_id, socket)
            case AttemptKind.MARK_DELIVERED | AttemptKind.MARK_READ:
                self._mark(tried, pretended, chat_id)

    def close(self) -> None:
        """Close the connections that this client opened."""
        if self._owns_http:
            self._http.close()

    def _read(self, tried: Attempt, session: Session, chat_id: str) -> None:
        interface, answer = self._interface(tried.way), Answer()
        got: int | None = None
        first: str | None = None
        try:
            self._exchange(tried.way, interface.history(session, chat_id, None, PAGE), answer)
            if answer.outcome is Outcome.OK or answer.status_code in REDIRECTIONS:
                # An app that sends somebody to its sign-in page may still have written the messages.
                found = interface.read_history(answer.content)
                got = None if found is None else len(found)
                first = next((one.message_id for one in found or () if one.message_id), None)
        finally:
            granted = self._note(tried, chat_id, answer, got=got, message_id=first)
            self._show("GET", interface.path, interface.url, answer, granted=granted)

    def _ask(
        self, tried: Attempt, session: Session, chat_id: str, function: str, arguments: dict[str, str]
    ) -> None:
        """Call a function that answers a number."""
        answer = Answer()
        got: int | None = None
        try:
            self._call(function, {"p_chat_id": chat_id, **arguments}, session, answer)
            found = answer.json() if answer.outcome is Outcome.OK else None
            got = found if isinstance(found, int) else None
        finally:
            granted = self._note(tried, chat_id, answer, got=got)
            self._show_call(function, answer, granted=granted)

    def _send(self, tried: Attempt, session: Session, chat_id: str, victim_id: str) -> None:
        interface, answer = self._interface(tried.way), Answer()
        key = str(uuid.uuid4())
        text = f"Nobody should read this ({key})"
        body = interface.send_body(session, chat_id, text, key)
        if tried.guise is Guise.ANOTHER_PERSON and tried.way is Way.APP:  # for an app that believes it
            body = orjson.dumps({**orjson.loads(body), "sender_id": victim_id, "senderId": victim_id})
        told = NOTHING
        try:
            self._exchange(tried.way, with_body(interface.send_head(session), body), answer)
            if answer.outcome is Outcome.OK:
                told = interface.read_send(answer.content)
        finally:
            granted = self._note(tried, chat_id, answer, message_id=told.message_id, key=key, text=text)
            granted = granted or _in_another_s_name(tried, told.sender_id, victim_id)
            self._show("POST", interface.path, interface.url, answer, granted=granted)

    def _mark(self, tried: Attempt, session: Session, chat_id: str) -> None:
        function, own_argument = MARKS[_MARK_KIND[tried.kind]]
        answer = Answer()
        got: int | None = None
        try:
            self._call(function, {"p_chat_id": chat_id, own_argument: session.user_id}, session, answer)
            if answer.outcome is Outcome.OK:
                got = updated_count(answer.json())
        finally:
            granted = self._note(tried, chat_id, answer, got=got)
            self._show_call(function, answer, granted=granted)

    def _subscribe(self, tried: Attempt, session: Session, chat_id: str, number: int) -> None:
        unheard = _Overheard()
        settings = self._settings
        socket = RealtimeSocket(
            url=settings.next_public_supabase_url,
            api_key=self._anon_key,
            number=number,
            user_id=self._user_id,
            ledger=unheard,
            heartbeat_s=settings.chatsoak_heartbeat_s,
            timeout_s=settings.chatsoak_request_timeout_s,
            on_insert=lambda _: None,
            on_gap=lambda _, __: None,
            on_down=lambda _: None,
        )
        answer = Answer()
        try:
            socket.open()
            socket.join([chat_id], session.access_token, JOIN_S)
            answer.left_ns = time.monotonic_ns()
            gevent.sleep(LISTEN_S)
            whole = socket.is_open
            answer.outcome, answer.error = (
                (Outcome.OK, None) if whole else (Outcome.INFO, "the socket went down")
            )
        except RefusedError as error:
            answer.error = str(error)
            if any(word in answer.error for word in TROUBLED):
                answer.outcome = Outcome.INFO
        except RealtimeError as error:
            answer.outcome, answer.error = Outcome.INFO, str(error)
        finally:
            answer.answered_ns = time.monotonic_ns()
            socket.close()
            granted = self._note(tried, chat_id, answer, got=unheard.seen, message_id=unheard.first)
            unclear = answer.outcome is Outcome.INFO
            problem = WAS_LET if granted else answer.error if unclear else None
            self._ledger.step("subscribe" + SUFFIX, None, error=problem)

    def _interface(self, way: Way) -> Interface:
        return self._app if way is Way.APP else self._rest

    def _exchange(self, way: Way, request: bytes, answer: Answer) -> None:
        (self._http if way is Way.APP else self._supabase).exchange(request, answer)

    def _call(self, function: str, arguments: dict[str, str], session: Session, answer: Answer) -> None:
        target = urlsplit(self._settings.next_public_supabase_url).path + RPC + function
        request = head(
            "POST", target, self._supabase.origin.header, supabase_headers(self._settings, session)
        )
        self._supabase.exchange(with_body(request, orjson.dumps(arguments)), answer)

    def _note(
        self, tried: Attempt, chat_id: str, answer: Answer, *,
        got: int | None = None, message_id: str | None = None, key: str | None = None, text: str | None = None,
    ) -> bool:  # fmt: skip
        """Write the attempt down; whether it was certainly granted."""
        self._ledger.attempts(
            (
                self._user_id,
                chat_id,
                tried.kind,
                tried.guise,
                tried.way,
                answer.left_ns,
                answer.answered_ns,
                answer.outcome,
                answer.status_code,
                got,
                message_id,
                key,
                text,
                answer.error,
            )
        )
        return self._ledger.watch.granted(tried, self._user_id, chat_id, got, message_id)

    def _show_call(self, function: str, answer: Answer, *, granted: bool) -> None:
        url = f"{self._settings.next_public_supabase_url}{RPC}{function}"
        self._show("POST", RPC + function, url, answer, granted=granted)

    def _show(self, method: str, name: str, url: str, answer: Answer, *, granted: bool) -> None:
        unclear = answer.outcome is Outcome.INFO or answer.status_code in (0, TOO_MANY_REQUESTS)
        problem = WAS_LET if granted else f"HTTP {answer.status_code}" if unclear else None
        error = RequestFailedError(problem) if problem else None
        self._ledger.fire(method, name + SUFFIX, url, answer, error)


def _in_another_s_name(tried: Attempt, sender_id: str | None, victim_id: str) -> bool:
    """Whether an answer says that a message of one's own chat was stored in another's name. The database has the last word."""
    return tried.guise is Guise.ANOTHER_PERSON and not tried.elsewhere and sender_id == victim_id


class _Overheard:
    """A ledger for a socket that should hear nothing: it counts, and writes nothing down.

    Attributes:
        seen: events that came.
        first: the message that the first of them told of.
    """

    def __init__(self) -> None:
        self.seen = 0
        self.first: str | None = None

    def events(self, row: tuple[Any, ...]) -> None:
        """A row of the table of that name."""
        # Realtime cannot ask row level security about a row that is gone; DELETE shows no more than a key.
        if row[_TYPE] is not EventType.DELETE:
            self.seen += 1
            self.first = self.first or row[_MESSAGE_ID]

    def sockets(self, row: tuple[Any, ...]) -> None:
        """A row of the table of that name."""

    def step(self, name: str, elapsed_ns: int | None, length: int = 0, error: str | None = None) -> None:
        """A step of the socket."""

    def note_delivery(self, client_generated_id: str, received_ns: int, length: int) -> None:
        """A message that arrived."""

    def note_wrong(self, wrong: Wrong, row: Row, recipient_id: str) -> None:
        """A message that came again, or after a later one."""

    def note_stray(self, row: Row, recipient_id: str) -> None:
        """An event of another chat."""
