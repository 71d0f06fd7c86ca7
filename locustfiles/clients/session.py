"""A signed-in user, and how their requests say so."""

import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlsplit

import orjson

from analysis.settings import AppAuth, Settings

USER_AGENT: Final = "chatsoak"


@dataclass(frozen=True, slots=True, repr=False)
class Session:
    """What Supabase Auth answered to a sign-in or a refresh. It has no `repr`: its tokens are secrets.

    Attributes:
        access_token: empty = nobody is signed in.
        expires_at: by `time.monotonic`, when the access token ends.
        answer: Supabase's whole answer, for session cookies.
    """

    user_id: str
    access_token: str
    refresh_token: str
    expires_at: float
    answer: dict[str, Any]

    @property
    def remaining_s(self) -> float:
        """Seconds for which the access token is still good."""
        return self.expires_at - time.monotonic()


def app_headers(settings: Settings, session: Session) -> str:
    """The header lines that tell the app who calls."""
    if not session.access_token:
        return ""
    if settings.chatsoak_app_auth is AppAuth.BEARER:
        return f"Authorization: Bearer {session.access_token}\r\n"
    return f"Cookie: {cookie_name(settings)}={_cookie_value(session)}\r\n"


def supabase_headers(settings: Settings, session: Session | None) -> str:
    """The header lines that tell Supabase which project is meant, and who calls."""
    key = settings.next_public_supabase_anon_key.get_secret_value()
    bearer = session.access_token if session is not None else key
    if not bearer:
        return f"apikey: {key}\r\n"
    return f"apikey: {key}\r\nAuthorization: Bearer {bearer}\r\n"


def cookie_name(settings: Settings) -> str:
    """The session cookie's name: as set, or as Supabase's own libraries derive it from the project's URL."""
    host = urlsplit(settings.next_public_supabase_url).hostname or ""
    return settings.chatsoak_cookie_name or f"sb-{host.split('.')[0]}-auth-token"


def _cookie_value(session: Session) -> str:
    return quote(orjson.dumps(session.answer).decode(), safe="")


def head(method: str, target: str, host: str, lines: str) -> bytes:
    """A request's head up to and without its body's length or the empty line."""
    return (
        f"{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {USER_AGENT}\r\n"
        f"Accept: application/json\r\n{lines}"
    ).encode("ascii")


def with_body(head: bytes, body: bytes) -> bytes:
    """A whole request with a JSON body."""
    return b"%b%b%d\r\n\r\n%b" % (
        head,
        b"Content-Type: application/json\r\nContent-Length: ",
        len(body),
        body,
    )
