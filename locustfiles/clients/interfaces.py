"""The two interfaces that a chat's messages may have: the app's own, or Supabase's REST. Pure: bytes in and out.

Names of paths and fields come from the settings, so that a real app needs configuration and no code.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from analysis.record.codes import Status
from analysis.settings import Settings
from locustfiles.clients.session import Session, app_headers, head, supabase_headers
from locustfiles.clients.stream import Origin

REST_TABLE: Final = "/rest/v1/chat_messages"
END: Final = b"\r\n"


@dataclass(frozen=True, slots=True)
class Stored:
    """What an answer says of a stored message; None where it says nothing. A send's answer is not asked for text and status."""

    message_id: str | None
    seq: int | None
    sender_id: str | None = None
    text: str | None = None
    status: Status | None = None


class Interface(Protocol):
    """How to speak to one server about messages.

    Attributes:
        path: as in Locust's statistics.
        url: of `path`, for listeners of Locust's `request` event.
    """

    path: str
    url: str

    def send_head(self, session: Session) -> bytes:
        """A send's head, to be completed by `with_body`."""

    def send_body(self, session: Session, chat_id: str, text: str, client_generated_id: str) -> bytes:
        """A send's body."""

    def read_send(self, content: bytes) -> Stored:
        """The message in a send's answer."""

    def history(self, session: Session, chat_id: str, before_seq: int | None, limit: int) -> bytes:
        """A whole request for the newest messages below `before_seq`."""

    def read_history(self, content: bytes) -> Sequence[Stored] | None:
        """The messages in a history's answer, in its order; None when there is no list of them."""


class AppInterface:
    """The app's own ``/api/messages``.

    Args:
        host: the app's URL.
    """

    def __init__(self, settings: Settings, host: str) -> None:
        self._settings = settings
        self._target = urlsplit(host).path.rstrip("/") + settings.chatsoak_messages_path
        self._host = Origin.of(host).header
        self.path = settings.chatsoak_messages_path
        self.url = host.rstrip("/") + settings.chatsoak_messages_path
        self._chat_id = settings.chatsoak_field_chat_id
        self._text = settings.chatsoak_field_text
        self._key = settings.chatsoak_field_client_generated_id
        self._to_message = _steps(settings.chatsoak_answer_message)
        self._to_messages = _steps(settings.chatsoak_answer_messages)
        self._names = _Names(
            settings.chatsoak_answer_id,
            settings.chatsoak_answer_seq,
            settings.chatsoak_answer_text,
            settings.chatsoak_answer_status,
        )

    def send_head(self, session: Session) -> bytes:
        """A send's head."""
        return head("POST", self._target, self._host, app_headers(self._settings, session))

    def send_body(self, session: Session, chat_id: str, text: str, client_generated_id: str) -> bytes:  # noqa: ARG002
        """A send's body. The app knows the sender by the session."""
        body = {self._chat_id: chat_id, self._text: text}
        if self._key:
            body[self._key] = client_generated_id
        return orjson.dumps(body)

    def read_send(self, content: bytes) -> Stored:
        """The message in a send's answer."""
        try:
            found = orjson.loads(content)
        except orjson.JSONDecodeError:
            return NOTHING
        return _stored(_walk(found, self._to_message) if self._to_message else found, self._names)

    def history(self, session: Session, chat_id: str, before_seq: int | None, limit: int) -> bytes:
        """A whole request for the newest messages below `before_seq`."""
        query = {self._chat_id: chat_id, "limit": str(limit)}
        if before_seq is not None:
            query[self._settings.chatsoak_field_before_seq] = str(before_seq)
        target = f"{self._target}?{urlencode(query)}"
        return head("GET", target, self._host, app_headers(self._settings, session)) + END

    def read_history(self, content: bytes) -> Sequence[Stored] | None:
        """The messages in a history's answer."""
        return _listed(content, self._to_messages, self._names)


class RestInterface:
    """Supabase's REST interface to table ``chat_messages``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        supabase = settings.next_public_supabase_url
        self._base = urlsplit(supabase).path
        self._host = Origin.of(supabase).header
        self.path = REST_TABLE
        self.url = supabase + REST_TABLE

    def send_head(self, session: Session) -> bytes:
        """A send's head."""
        return head(
            "POST",
            f"{self._base}{REST_TABLE}?select=id,seq",
            self._host,
            supabase_headers(self._settings, session) + "Prefer: return=representation\r\n",
        )

    def send_body(self, session: Session, chat_id: str, text: str, client_generated_id: str) -> bytes:
        """A send's body: the row to insert."""
        return orjson.dumps(
            {
                "chat_id": chat_id,
                "sender_id": session.user_id,
                "message_text": text,
                "client_generated_id": client_generated_id,
            }
        )

    def read_send(self, content: bytes) -> Stored:
        """The first row of the answer."""
        rows = self.read_history(content)
        return rows[0] if rows else NOTHING

    def repeat(self, session: Session, client_generated_id: str) -> bytes:
        """A whole request for the caller's message that is stored under `client_generated_id`."""
        query = f"select=id,seq&sender_id=eq.{session.user_id}&client_generated_id=eq.{quote(client_generated_id)}"
        return self._get(session, query)

    def history(self, session: Session, chat_id: str, before_seq: int | None, limit: int) -> bytes:
        """A whole request for the newest messages below `before_seq`."""
        below = "" if before_seq is None else f"&seq=lt.{before_seq}"
        return self._get(session, f"select=*&chat_id=eq.{quote(chat_id)}{below}&order=seq.desc&limit={limit}")

    def read_history(self, content: bytes) -> Sequence[Stored] | None:
        """The rows of the answer."""
        return _listed(content, (), COLUMNS)

    def _get(self, session: Session, query: str) -> bytes:
        lines = supabase_headers(self._settings, session)
        return head("GET", f"{self._base}{REST_TABLE}?{query}", self._host, lines) + END


@dataclass(frozen=True, slots=True)
class _Names:
    """Of the fields of a message in an answer; empty: it has no such field."""

    id: str
    seq: str
    text: str
    status: str


NOTHING: Final = Stored(None, None)
COLUMNS: Final = _Names("id", "seq", "message_text", "status")


def _steps(dotted: str) -> tuple[str, ...]:
    return tuple(dotted.split(".")) if dotted else ()


def _walk(found: Any, steps: tuple[str, ...]) -> Any:
    for step in steps:
        if not isinstance(found, dict):
            return None
        found = found.get(step)
    return found


def _stored(message: Any, names: _Names) -> Stored:
    if isinstance(message, list) and len(message) == 1:
        message = message[0]
    if not isinstance(message, dict):
        return NOTHING
    message_id, seq, text = message.get(names.id), message.get(names.seq), message.get(names.text)
    sender_id = message.get("sender_id", message.get("senderId"))
    return Stored(
        message_id if isinstance(message_id, str) else None,
        seq if isinstance(seq, int) else _number(seq),
        sender_id if isinstance(sender_id, str) else None,
        text if isinstance(text, str) else None,
        _status(message[names.status]) if names.status in message else None,
    )


def _number(seq: object) -> int | None:
    """A seq that an app answers as text, since JavaScript's numbers end at 2^53."""
    return int(seq) if isinstance(seq, str) and seq.isascii() and seq.isdecimal() else None


def _status(shown: object) -> Status:
    """The code of a status; whatever is no text is none of the three either."""
    return Status.of(shown) if shown is None or isinstance(shown, str) else Status.OTHER


def _listed(content: bytes, steps: tuple[str, ...], names: _Names) -> list[Stored] | None:
    try:
        found = _walk(orjson.loads(content), steps)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, list):
        return None
    return [_stored(message, names) for message in found]
