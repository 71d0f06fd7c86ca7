"""Supabase Auth, as far as a chat needs it: password and refresh grants, the admin's calls, the caller's own account.

Answers and errors have the shape of Supabase Auth's.
Source: https://supabase.com/docs/reference/api/introduction and the errors page /docs/guides/auth/debugging/error-codes
"""

import asyncio
import secrets
import time
import uuid
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staging import passwords
from staging.database import sql
from staging.gateway import behind_gateway, token_of
from staging.http import Handler, NotJsonError, json_body, json_response
from staging.stage import Stage
from staging.tokens import Claims, TokenError, new_session_id

SHORTEST_PASSWORD = 6
PAGE = 50


class _AuthError(Exception):
    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


def auth_routes(stage: Stage) -> list[Route]:
    """The routes below ``/auth/v1``."""
    auth = _Auth(stage)

    def route(path: str, handler: Handler, *methods: str) -> Route:
        return Route(f"/auth/v1{path}", behind_gateway(stage, _answering(handler)), methods=list(methods))

    return [
        Route("/auth/v1/health", auth.health, methods=["GET"]),
        route("/settings", auth.settings, "GET"),
        route("/token", auth.token, "POST"),
        route("/logout", auth.logout, "POST"),
        route("/user", auth.user, "GET"),
        route("/admin/users", auth.create_user, "POST"),
        route("/admin/users", auth.list_users, "GET"),
        route("/admin/users/{id}", auth.one_user, "GET", "PUT", "DELETE"),
    ]


def _answering(handler: Handler) -> Handler:
    async def answering(request: Request) -> Response:
        try:
            return await handler(request)
        except _AuthError as error:
            return json_response(
                {"code": error.status, "error_code": error.code, "msg": str(error)},
                error.status,
                {"x-sb-error-code": error.code},
            )
        except NotJsonError:
            return json_response(
                {"code": 400, "error_code": "bad_json", "msg": "Could not parse request body as JSON"}, 400
            )

    return answering


class _Auth:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._pool = stage.pool

    async def health(self, request: Request) -> Response:  # noqa: ARG002 - a handler takes the request
        """That it is up."""
        return json_response(
            {"name": "GoTrue", "description": "GoTrue is a user registration and authentication API"}
        )

    async def settings(self, request: Request) -> Response:  # noqa: ARG002 - a handler takes the request
        """Which ways to sign in there are."""
        return json_response({"external": {"email": True, "phone": False}, "disable_signup": True})

    async def token(self, request: Request) -> Response:
        """A session, for a password or a refresh token."""
        grant = request.query_params.get("grant_type")
        body = await _object(request)
        if grant == "password":
            return json_response(await self._sign_in(body))
        if grant == "refresh_token":
            return json_response(await self._refresh(body))
        raise _AuthError(400, "validation_failed", "unsupported_grant_type")

    async def logout(self, request: Request) -> Response:
        """Void the session's refresh tokens."""
        claims = self._signed_in(request)
        await self._pool.execute(sql("auth_end_session"), uuid.UUID(claims["session_id"]))
        return Response(status_code=204)

    async def user(self, request: Request) -> Response:
        """The caller's own account."""
        claims = self._signed_in(request)
        row = await self._pool.fetchrow(sql("auth_user_by_id"), uuid.UUID(claims["sub"]))
        if row is None:
            raise _AuthError(403, "user_not_found", "User from sub claim in JWT does not exist")
        return json_response(_user(row))

    async def create_user(self, request: Request) -> Response:
        """A new account (service role only)."""
        self._admin(request)
        body = await _object(request)
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or "@" not in email:
            raise _AuthError(400, "validation_failed", "Unable to validate email address: invalid format")
        digest = await self._digest(password) if password is not None else None
        row = await self._pool.fetchrow(
            sql("auth_create_user"),
            _uuid(body["id"]) if "id" in body else uuid.uuid4(),
            email.lower(),
            digest,
            bool(body.get("email_confirm")),
            body.get("user_metadata") or {},
        )
        if row is None:
            raise _AuthError(
                422, "email_exists", "A user with this email address has already been registered"
            )
        return json_response(_user(row))

    async def list_users(self, request: Request) -> Response:
        """A page of accounts (service role only)."""
        self._admin(request)
        page, size = _number(request, "page", 1), _number(request, "per_page", PAGE)
        rows = await self._pool.fetch(sql("auth_list_users"), size, (page - 1) * size)
        return json_response({"users": [_user(row) for row in rows], "aud": "authenticated"})

    async def one_user(self, request: Request) -> Response:
        """Read, change or delete one account (service role only)."""
        self._admin(request)
        user_id = _uuid(request.path_params["id"])
        if request.method == "DELETE":
            if await self._pool.fetchval(sql("auth_delete_user"), user_id) is None:
                raise _AuthError(404, "user_not_found", "User not found")
            return json_response({})
        if request.method == "PUT":
            body = await _object(request)
            digest = await self._digest(body["password"]) if "password" in body else None
            row = await self._pool.fetchrow(
                sql("auth_update_user"), user_id, body.get("email"), digest, body.get("user_metadata")
            )
        else:
            row = await self._pool.fetchrow(sql("auth_user_by_id"), user_id)
        if row is None:
            raise _AuthError(404, "user_not_found", "User not found")
        return json_response(_user(row))

    async def _sign_in(self, body: dict[str, Any]) -> dict[str, Any]:
        email, password = body.get("email"), body.get("password")
        if not isinstance(email, str) or not isinstance(password, str):
            raise _AuthError(400, "validation_failed", "missing email or phone")
        row = await self._pool.fetchrow(sql("auth_user_by_email"), email)
        stored = row["encrypted_password"] if row else None
        if row is None or not await asyncio.to_thread(passwords.matches, password, stored):
            raise _AuthError(400, "invalid_credentials", "Invalid login credentials")
        if row["email_confirmed_at"] is None:
            raise _AuthError(400, "email_not_confirmed", "Email not confirmed")
        return await self._session(row, new_session_id())

    async def _refresh(self, body: dict[str, Any]) -> dict[str, Any]:
        token = body.get("refresh_token")
        used = (
            await self._pool.fetchrow(sql("auth_use_refresh_token"), token)
            if isinstance(token, str)
            else None
        )
        if used is None:
            raise _AuthError(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found")
        row = await self._pool.fetchrow(sql("auth_user_by_id"), used["user_id"])
        return await self._session(row, str(used["session_id"]))

    async def _session(self, row: asyncpg.Record, session_id: str) -> dict[str, Any]:
        lifetime_s = int(self._stage.faults.value("token_lifetime_s", self._stage.tokens.lifetime_s))
        refresh_token = secrets.token_urlsafe(16)
        await self._pool.execute(sql("auth_start_session"), refresh_token, row["id"], uuid.UUID(session_id))
        return {
            "access_token": self._stage.tokens.access_token(
                str(row["id"]), row["email"], session_id, lifetime_s
            ),
            "token_type": "bearer",
            "expires_in": lifetime_s,
            "expires_at": int(time.time()) + lifetime_s,
            "refresh_token": refresh_token,
            "user": _user(row),
        }

    async def _digest(self, password: object) -> str:
        if not isinstance(password, str) or len(password) < SHORTEST_PASSWORD:
            raise _AuthError(
                422, "weak_password", f"Password should be at least {SHORTEST_PASSWORD} characters."
            )
        return await asyncio.to_thread(passwords.hashed, password)

    def _claims(self, request: Request) -> Claims:
        try:
            return self._stage.tokens.verify(token_of(request))
        except TokenError as error:
            raise _AuthError(
                403, "bad_jwt", f"invalid JWT: unable to parse or verify signature, {error}"
            ) from None

    def _signed_in(self, request: Request) -> Claims:
        claims = self._claims(request)
        if "sub" not in claims:
            raise _AuthError(403, "bad_jwt", "invalid claim: missing sub claim")
        return claims

    def _admin(self, request: Request) -> None:
        if self._claims(request)["role"] not in ("service_role", "supabase_admin"):
            raise _AuthError(403, "not_admin", "User not allowed")


async def _object(request: Request) -> dict[str, Any]:
    body = await json_body(request)
    if not isinstance(body, dict):
        raise _AuthError(400, "bad_json", "Could not parse request body as JSON: expected an object")
    if any("\0" in value for value in body.values() if isinstance(value, str)):
        raise _AuthError(400, "validation_failed", "The character NUL cannot be stored")
    return body


def _user(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "aud": "authenticated",
        "role": "authenticated",
        "email": row["email"],
        "email_confirmed_at": row["email_confirmed_at"],
        "confirmed_at": row["email_confirmed_at"],
        "phone": "",
        "last_sign_in_at": row["last_sign_in_at"],
        "app_metadata": row["raw_app_meta_data"] or {},
        "user_metadata": row["raw_user_meta_data"] or {},
        "identities": [],
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
        "is_anonymous": False,
    }


def _uuid(text: object) -> uuid.UUID:
    try:
        return uuid.UUID(str(text))
    except ValueError:
        raise _AuthError(404, "validation_failed", "user_id must be an UUID") from None


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() else default
