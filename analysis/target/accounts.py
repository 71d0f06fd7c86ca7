"""Supabase Auth, as its administrator: finds, creates and removes the people of a run."""

import asyncio
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import httpx

from analysis.errors import TargetError
from analysis.record import Person
from analysis.settings import Settings

TIMEOUT_S = 15.0
AT_ONCE = 8  # calls under way; Supabase Auth hashes passwords and is easily overwhelmed
PER_PAGE = 1000
MARK = "chatsoak"  # in user_metadata: tells an account of ours from one of the project's whose e-mail looks like it


class Accounts:
    """An open connection to Supabase Auth with the service role key. Use it as an async context."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        key = settings.supabase_service_role_key.get_secret_value()
        self._url = settings.next_public_supabase_url
        self._client = httpx.AsyncClient(
            base_url=f"{self._url}/auth/v1",
            headers={"apikey": key, "authorization": f"Bearer {key}"},
            timeout=TIMEOUT_S,
        )
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __aenter__(self) -> "Accounts":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def ours(self) -> dict[str, Person]:
        """The people that an earlier run has created, by e-mail. Nobody else's account is among them."""
        head, _, tail = self._settings.chatsoak_person_email.partition("{n}")
        found: dict[str, Person] = {}
        seen: set[str] = set()
        page = 1
        while True:
            answer = await self._call("GET", "/admin/users", params={"page": page, "per_page": PER_PAGE})
            # Until a page brings nobody new: a server may give fewer to a page than asked.
            users = [user for user in answer.json().get("users", []) if user["id"] not in seen]
            if not users:
                return found
            for user in users:
                email = user.get("email") or ""
                number = email.removeprefix(head).removesuffix(tail)
                marked = (user.get("user_metadata") or {}).get(MARK)
                if marked and number.isdecimal() and email == f"{head}{number}{tail}":
                    found[email] = Person(user["id"], email)
            seen.update(user["id"] for user in users)
            page += 1

    async def create(self, email: str) -> Person:
        """A new person, who can sign in at once."""
        answer = await self._ask(
            "POST",
            "/admin/users",
            json={
                "email": email,
                "password": self._settings.password_of(email),
                "email_confirm": True,
                "user_metadata": {MARK: True},
            },
        )
        if answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY:
            raise TargetError(
                f"Supabase Auth at {self._url} does not create {email} ({said(answer)}); if the account is somebody else's, "
                "set CHATSOAK_PERSON_EMAIL to a pattern that nobody else uses."
            )
        return Person(self._taken(answer).json()["id"], email)

    async def check_sign_in(self, email: str) -> None:
        """Sign in as `email` once.

        Raises:
            TargetError: Supabase Auth refuses the password.
        """
        key = self._settings.next_public_supabase_anon_key.get_secret_value()
        answer = await self._ask(
            "POST",
            "/token",
            params={"grant_type": "password"},
            json={"email": email, "password": self._settings.password_of(email)},
            headers={"apikey": key, "authorization": f"Bearer {key}"},
        )
        if answer.status_code == httpx.codes.BAD_REQUEST:
            raise TargetError(
                f"{email} cannot sign in at {self._url} ({said(answer)}): the account was created with another password; "
                "set CHATSOAK_PASSWORD to that one, or remove the run's people with chatsoak clean."
            )
        if answer.is_error:
            raise TargetError(
                f"{email} cannot sign in at {self._url} ({said(answer)}); "
                "expected Supabase Auth to take a password: look at the project's Auth settings and logs."
            )

    async def remove(self, people: Sequence[Person], tell: Callable[[str], None]) -> None:
        """Delete these accounts; `tell` is told how far that is."""
        removed = 0

        async def delete(person: Person) -> None:
            nonlocal removed
            await self._call("DELETE", f"/admin/users/{person.id}")
            removed += 1
            tell(f"Removing people: {removed:,} of {len(people):,}")

        await asyncio.gather(*(delete(person) for person in people))

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        async with self._turns:
            try:
                return await self._client.request(method, path, **options)
            except httpx.HTTPError as error:
                raise TargetError(
                    f"Supabase Auth at {self._url} did not answer ({type(error).__name__}); "
                    "is NEXT_PUBLIC_SUPABASE_URL right, and is the project up?"
                ) from None

    async def _call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._taken(await self._ask(method, path, **options))

    def _taken(self, answer: httpx.Response) -> httpx.Response:
        """`answer`, unless it is a refusal."""
        if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            raise TargetError(
                f"Supabase Auth at {self._url} refuses SUPABASE_SERVICE_ROLE_KEY ({said(answer)}); "
                "take the service role key from the project's API settings."
            )
        if answer.is_error:
            asked = f"{answer.request.method} {answer.request.url.path}"
            raise TargetError(f"Supabase Auth at {self._url} refused {asked}: {said(answer)}.")
        return answer


def said(answer: httpx.Response) -> str:
    """The status and the words of an error answer."""
    try:
        body = answer.json()
        words = body.get("msg") or body.get("message") or body.get("error_description") or body.get("error")
    except (ValueError, AttributeError):
        words = None
    return f"{answer.status_code} {words or answer.reason_phrase}".strip()
