"""What a user does with messages over HTTP: send, read history, acknowledge. Each call is a row and a statistic."""

from collections.abc import Sequence
from typing import Final, NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

import orjson

from analysis.record.codes import MarkKind, Outcome, PagePurpose
from analysis.settings import Settings, Transport, Workload
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.interfaces import NOTHING, AppInterface, Interface, RestInterface, Stored
from locustfiles.clients.ledger import Ledger
from locustfiles.clients.session import Session, head, supabase_headers, with_body
from locustfiles.clients.stream import Origin

RPC: Final = "/rest/v1/rpc/"
CONFLICT: Final = 409
UNIQUE_VIOLATION: Final = "23505"

MARKS = {
    MarkKind.DELIVERED: ("mark_messages_as_delivered", "p_receiver_id"),
    MarkKind.READ: ("mark_messages_as_read", "p_user_id"),
}


class SendResult(NamedTuple):
    """What became of a send. `message_id` and `seq` are as answered, None where the answer has none."""

    outcome: Outcome
    message_id: str | None
    seq: int | None
    status_code: int
    error: str | None
    left_ns: int
    answered_ns: int


class Page(NamedTuple):
    """A page of history; `messages` in the order answered, newest first, empty unless `outcome` is OK."""

    outcome: Outcome
    messages: Sequence[Stored]
    status_code: int
    error: str | None


class Mark(NamedTuple):
    """What became of a receipt."""

    outcome: Outcome
    updated_count: int | None
    status_code: int
    error: str | None


class MessagesClient:
    """One user's calls about messages, over the transport that the settings name.

    Args:
        host: the app's URL (Locust's ``--host``).
        session: of the user; after a refresh give the new one to `use`.
        supabase: this user's connections to Supabase, shared with their `AuthClient`.
    """

    def __init__(
        self, settings: Settings, host: str, session: Session, ledger: Ledger, supabase: HttpClient
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._supabase = supabase
        self._rest = RestInterface(settings) if settings.chatsoak_transport is Transport.REST else None
        self._interface: Interface = self._rest or AppInterface(settings, host)
        self._owns_http = self._rest is None and Origin.of(host) != supabase.origin
        self._http = HttpClient(host, settings.chatsoak_request_timeout_s) if self._owns_http else supabase
        self._waits_since_due = settings.chatsoak_workload is Workload.OPEN
        self._takes_keys = self._rest is not None or bool(settings.chatsoak_field_client_generated_id)
        self._rpc_base = urlsplit(settings.next_public_supabase_url).path + RPC
        self.use(session)

    def use(self, session: Session) -> None:
        """Speak as `session` from now on."""
        self._session = session
        self._send_head = self._interface.send_head(session)

    def send(
        self, chat_id: str, text: str, client_generated_id: str, due_ns: int, attempt: int = 0
    ) -> SendResult:
        """Send a message. Locust's statistics get its service time, in an open workload its response time (from `due_ns`).

        Args:
            client_generated_id: the same for each attempt at one message.
            due_ns: by `time.monotonic_ns`, when the schedule wanted it to leave.
            attempt: 0 = first; 1, 2, … = repeats.
        """
        interface, ledger = self._interface, self._ledger
        body = interface.send_body(self._session, chat_id, text, client_generated_id)
        answer = Answer()
        stored = NOTHING
        if self._takes_keys:
            ledger.note_leaving(client_generated_id)
        try:
            self._http.exchange(with_body(self._send_head, body), answer)
            if answer.outcome is Outcome.OK:
                stored = interface.read_send(answer.content)
            elif attempt and answer.status_code == CONFLICT:
                stored = self._repeated(client_generated_id, answer)
            if stored.message_id is not None and stored.seq is not None:
                ledger.watch.answered.note(stored.message_id, chat_id, stored.seq)
        finally:
            ledger.sends(
                (
                    self._session.user_id,
                    chat_id,
                    client_generated_id if self._takes_keys else None,
                    attempt,
                    due_ns,
                    answer.left_ns,
                    answer.answered_ns,
                    answer.outcome,
                    answer.status_code,
                    stored.message_id,
                    stored.seq,
                    text,
                    answer.error,
                )
            )
            # A server that stalls holds up what is due meanwhile: by service time alone it would look fine on the terminal.
            since_ns = due_ns if self._waits_since_due else None
            ledger.request("POST", interface.path, interface.url, answer, since_ns)
        return SendResult(
            answer.outcome,
            stored.message_id,
            stored.seq,
            answer.status_code,
            answer.error,
            answer.left_ns,
            answer.answered_ns,
        )

    def history(
        self, chat_id: str, before_seq: int | None, limit: int, purpose: PagePurpose, walk: int
    ) -> Page:
        """Read the newest messages below `before_seq` (None: the newest of all).

        Args:
            walk: a number that all pages of one walk through a history share, unique within this process.
        """
        interface, ledger = self._interface, self._ledger
        answer = Answer()
        messages: Sequence[Stored] | None = None
        try:
            self._http.exchange(interface.history(self._session, chat_id, before_seq, limit), answer)
            if answer.outcome is Outcome.OK:
                messages = interface.read_history(answer.content)
                if messages is None:
                    answer.outcome, answer.error = Outcome.INFO, "the answer holds no list of messages"
        finally:
            ledger.pages(
                (
                    self._session.user_id,
                    chat_id,
                    walk,
                    purpose,
                    before_seq,
                    limit,
                    answer.left_ns,
                    answer.answered_ns,
                    answer.outcome,
                    answer.status_code,
                    None if messages is None else [message.seq for message in messages],
                    None if messages is None else [message.message_id for message in messages],
                    None if messages is None else [message.sender_id for message in messages],
                    None if messages is None else [_crc32(message.text) for message in messages],
                    None if messages is None else [message.status for message in messages],
                )
            )
            ledger.request("GET", interface.path, interface.url, answer)
        if messages:
            ledger.watch.page(self._session.user_id, chat_id, before_seq, messages)
        return Page(answer.outcome, messages or (), answer.status_code, answer.error)

    def mark_delivered(self, chat_id: str, up_to_seq: int) -> Mark:
        """Acknowledge that the messages of `chat_id` arrived; `up_to_seq` is the newest one known."""
        return self._mark(MarkKind.DELIVERED, chat_id, up_to_seq)

    def mark_read(self, chat_id: str, up_to_seq: int) -> Mark:
        """Say that the messages of `chat_id` were read; `up_to_seq` is the newest one known."""
        return self._mark(MarkKind.READ, chat_id, up_to_seq)

    def latest_seq(self, chat_id: str) -> int | None:
        """The newest seq of `chat_id`; 0 when the server answered with none, NULL included; None when it did not answer ok."""
        answer = Answer()
        name = f"{RPC}get_latest_seq"
        try:
            self._call("get_latest_seq", {"p_chat_id": chat_id}, answer)
        finally:
            self._ledger.calls(
                (
                    self._session.user_id,
                    f"POST {name}",
                    answer.left_ns,
                    answer.answered_ns,
                    answer.outcome,
                    answer.status_code,
                    answer.error,
                )
            )
            self._ledger.request("POST", name, self._rpc_url("get_latest_seq"), answer)
        if answer.outcome is not Outcome.OK:
            return None
        found = answer.json()
        return found if isinstance(found, int) else 0

    def close(self) -> None:
        """Close the connections that this client opened; those to Supabase belong to the user."""
        if self._owns_http:
            self._http.close()

    def _mark(self, kind: MarkKind, chat_id: str, up_to_seq: int) -> Mark:
        function, own_argument = MARKS[kind]
        answer = Answer()
        updated: int | None = None
        try:
            self._call(function, {"p_chat_id": chat_id, own_argument: self._session.user_id}, answer)
            if answer.outcome is Outcome.OK:
                updated = updated_count(answer.json())
        finally:
            self._ledger.marks(
                (
                    self._session.user_id,
                    chat_id,
                    kind,
                    answer.left_ns,
                    answer.answered_ns,
                    answer.outcome,
                    answer.status_code,
                    updated,
                    up_to_seq,
                )
            )
            self._ledger.request("POST", RPC + function, self._rpc_url(function), answer)
        return Mark(answer.outcome, updated, answer.status_code, answer.error)

    def _call(self, function: str, arguments: dict[str, str], answer: Answer) -> None:
        """Call a database function through Supabase's REST interface."""
        lines = supabase_headers(self._settings, self._session)
        request = head("POST", self._rpc_base + function, self._supabase.origin.header, lines)
        self._supabase.exchange(with_body(request, orjson.dumps(arguments)), answer)

    def _rpc_url(self, function: str) -> str:
        return f"{self._settings.next_public_supabase_url}{RPC}{function}"

    def _repeated(self, client_generated_id: str, answer: Answer) -> Stored:
        """A repeat was refused as a conflict: the first attempt may well be stored.

        Over REST the row is looked up, as an app without an endpoint of its own would do; found, the repeat is
        acknowledged. Otherwise the database decides.
        """
        conflict = answer.json()
        answer.outcome = Outcome.INFO
        if self._rest is None or not isinstance(conflict, dict) or conflict.get("code") != UNIQUE_VIOLATION:
            return NOTHING
        found = Answer()
        self._http.exchange(self._rest.repeat(self._session, client_generated_id), found)
        stored = self._rest.read_send(found.content) if found.outcome is Outcome.OK else NOTHING
        if stored.message_id is not None:
            answer.outcome, answer.error, answer.answered_ns = Outcome.OK, None, found.answered_ns
        return stored


def updated_count(found: object) -> int | None:
    """How many messages a receipt has moved, from ``[{"updated_count": n}]``, as PostgREST answers for a function that returns a table."""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, dict):
        found = found.get("updated_count")
    return found if isinstance(found, int) else None


def _crc32(text: str | None) -> int | None:
    return None if text is None else crc32(text.encode())
