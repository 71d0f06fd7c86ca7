"""Calls on a running stage for tests: the app, REST and Auth, each as somebody."""

import uuid
from typing import Any

import httpx

from tests.staging.stages import Person, RunningStage


class Calls:
    """A caller: a person, or the service role, or nobody."""

    def __init__(self, stage: RunningStage, http: httpx.Client, token: str | None, api_key: str) -> None:
        self._stage = stage
        self._http = http
        self.headers = {"apikey": api_key} | ({"Authorization": f"Bearer {token}"} if token else {})

    def app(self, body: Any = None, **changes: Any) -> httpx.Response:
        """`POST /api/messages` with this body."""
        return self._http.post(
            f"{self._stage.app_url}/api/messages", headers=self.headers, json=body, **changes
        )

    def send(self, chat_id: str, text: str, **fields: str) -> httpx.Response:
        """Send `text`."""
        return self.app({"chatId": chat_id, "text": text, **fields})

    def history(self, **query: Any) -> httpx.Response:
        """`GET /api/messages`."""
        return self._http.get(f"{self._stage.app_url}/api/messages", headers=self.headers, params=query)

    def rest(
        self, method: str, path: str, body: Any = None, prefer: str = "", **query: Any
    ) -> httpx.Response:
        """A request to ``/rest/v1/<path>``; `query` holds PostgREST's filters."""
        return self._http.request(
            method,
            f"{self._stage.supabase_url}/rest/v1/{path}",
            headers=self.headers | ({"Prefer": prefer} if prefer else {}),
            json=body,
            params=query or None,
        )

    def rpc(self, function: str, **arguments: Any) -> httpx.Response:
        """A call of a function."""
        return self.rest("POST", f"rpc/{function}", arguments)

    def auth(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A request to ``/auth/v1/<path>``."""
        return self._http.request(
            method, f"{self._stage.supabase_url}/auth/v1/{path}", headers=self.headers, json=body
        )

    def stored(self, chat_id: str) -> list[dict[str, Any]]:
        """All messages of a chat as REST gives them, in the order of seq."""
        answer = self.rest("GET", "chat_messages", chat_id=f"eq.{chat_id}", order="seq.asc.nullslast,id")
        answer.raise_for_status()
        rows: list[dict[str, Any]] = answer.json()
        return rows


class Office:
    """Hands out callers on one stage; they share connections."""

    def __init__(self, stage: RunningStage, http: httpx.Client) -> None:
        self.stage = stage
        self.http = http

    def of(self, person: Person) -> Calls:
        """Calls of this person."""
        return self.with_token(person.token)

    def with_token(self, token: str) -> Calls:
        """Calls with this token, whatever it is."""
        return Calls(self.stage, self.http, token, self.stage.anon_key)

    @property
    def nobody(self) -> Calls:
        """Calls with the anon key alone."""
        return Calls(self.stage, self.http, None, self.stage.anon_key)

    @property
    def service(self) -> Calls:
        """Calls past row level security."""
        return Calls(self.stage, self.http, self.stage.service_role_key, self.stage.service_role_key)


def new_key() -> str:
    """A fresh client_generated_id."""
    return str(uuid.uuid4())
