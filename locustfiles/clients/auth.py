"""Supabase Auth, as a user meets it: sign in with a password, and renew the session before it ends."""

from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from analysis.record.codes import Outcome
from analysis.settings import Settings
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.ledger import Ledger
from locustfiles.clients.session import Session, head, supabase_headers, with_body

TOKEN_PATH: Final = "/auth/v1/token"  # noqa: S105 - a path
PASSWORD: Final = "password"  # noqa: S105 - a kind of grant
SIGN_IN: Final = f"{TOKEN_PATH} ({PASSWORD})"  # in Locust's statistics


class SignInError(Exception):
    """Supabase Auth gave no session.

    Attributes:
        status_code: 0 = no answer.
    """

    def __init__(self, words: str, status_code: int) -> None:
        super().__init__(words)
        self.status_code = status_code


class AuthClient:
    """One person's way to a session.

    Args:
        supabase: this user's connections to Supabase.
        user_id: who they are, for the record.
    """

    def __init__(self, settings: Settings, ledger: Ledger, supabase: HttpClient, user_id: str) -> None:
        self._settings = settings
        self._ledger = ledger
        self._http = supabase
        self._user_id = user_id
        self._base = urlsplit(settings.next_public_supabase_url).path + TOKEN_PATH

    def sign_in(self, email: str, password: str) -> Session:
        """A session for a password.

        Raises:
            SignInError: there is none.
        """
        return self._grant(PASSWORD, {"email": email, "password": password})

    def refresh(self, session: Session) -> Session:
        """A session that goes on where `session` ends; its refresh token is used up.

        Raises:
            SignInError: there is none.
        """
        return self._grant("refresh_token", {"refresh_token": session.refresh_token})

    def _grant(self, kind: str, body: dict[str, str]) -> Session:
        name = f"{TOKEN_PATH} ({kind})"
        answer = Answer()
        request = head(
            "POST",
            f"{self._base}?grant_type={kind}",
            self._http.origin.header,
            supabase_headers(self._settings, None),
        )
        session: Session | None = None
        try:
            self._http.exchange(with_body(request, orjson.dumps(body)), answer)
            if answer.outcome is Outcome.OK:
                session = _session(answer.json(), answer.left_ns)
                if session is None:
                    answer.outcome, answer.error = Outcome.INFO, "the answer holds no session"
        finally:
            self._ledger.calls(
                (
                    self._user_id,
                    f"POST {name}",
                    answer.left_ns,
                    answer.answered_ns,
                    answer.outcome,
                    answer.status_code,
                    answer.error,
                )
            )
            url = f"{self._settings.next_public_supabase_url}{TOKEN_PATH}?grant_type={kind}"
            self._ledger.request("POST", name, url, answer)
        if session is None:
            raise SignInError(answer.error or "no session", answer.status_code)
        return session


def _session(answer: Any, left_ns: int) -> Session | None:
    try:
        return Session(
            user_id=answer["user"]["id"],
            access_token=answer["access_token"],
            refresh_token=answer["refresh_token"],
            expires_at=left_ns / 1e9 + float(answer["expires_in"]),
            answer=answer,
        )
    except (KeyError, TypeError, ValueError):
        return None
