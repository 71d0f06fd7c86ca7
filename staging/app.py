"""The chat app's own API: ``POST`` and ``GET /api/messages``, each request under its caller's rights.

Row level security decides; the app itself only says in words what the database refused.
"""

import uuid
from typing import Any

import asyncpg
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from staging import misdeeds
from staging.callers import claims_of
from staging.database import as_caller, plain, sql
from staging.http import Delay, NotJsonError, bearer, json_body, json_response, session_cookie
from staging.stage import Stage
from staging.tokens import Claims, TokenError

LONGEST_TEXT = 10_000
PAGE, LONGEST_PAGE = 50, 200


class _Refused(Exception):  # noqa: N818 - an answer, not a fault of ours
    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


def app_routes(stage: Stage) -> list[Route]:
    """The app's routes."""
    app = _App(stage)
    return [
        Route("/api/messages", app.send, methods=["POST"]),
        Route("/api/messages", app.history, methods=["GET"]),
    ]


class _App:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._delay = Delay(stage.faults)

    async def send(self, request: Request) -> Response:
        """Store a message: 201 and the message, 200 when it was stored before."""
        await self._delay.wait()
        faults = self._stage.faults
        try:
            claims = self._caller(request)
            body = await json_body(request)
            chat_id, text, client_generated_id = _message(body)
            if body.get("senderId") is not None and faults.hit("sender_unchecked"):
                claims = await self._pretended(claims, chat_id, _uuid(body["senderId"], "senderId"))
            if faults.hit("error_rate"):
                return json_response({"error": "Internal server error"}, 500)
            message, is_new = await self._store(claims, chat_id, text, client_generated_id)
        except _Refused as refused:
            return json_response({"error": str(refused)}, refused.status)
        except NotJsonError:
            return json_response({"error": "The body is not JSON"}, 400)
        if is_new:
            await misdeeds.after_send(self._stage, message["id"])
        if faults.hit("error_after_commit_rate"):
            return json_response({"error": "Internal server error"}, 500)
        if faults.hit("refuse_stored_rate"):
            return json_response({"error": "You are not in this chat"}, 403)
        if faults.hit("wrong_seq_answer_rate"):
            message["seq"] += 1
        return json_response(message, 201 if is_new else 200)

    async def history(self, request: Request) -> Response:
        """A page of messages, newest first, below `beforeSeq`."""
        await self._delay.wait()
        try:
            claims = self._reader(request)
            query = request.query_params
            chat_id = _uuid(query.get("chatId"), "chatId")
            before = _whole(query.get("beforeSeq"), "beforeSeq", None)
            limit = min(_whole(query.get("limit"), "limit", PAGE) or PAGE, LONGEST_PAGE)
            async with as_caller(self._stage.pool, claims) as connection:
                rows = await connection.fetch(sql("read_history"), chat_id, before, limit)
        except _Refused as refused:
            return json_response({"error": str(refused)}, refused.status)
        return json_response([plain(row) for row in rows if not self._stage.faults.hit("history_skip_rate")])

    def _caller(self, request: Request) -> Claims:
        token = bearer(request) or session_cookie(request)
        if token is None:
            raise _Refused(401, "Sign in first")
        try:
            claims = claims_of(self._stage, token)
        except TokenError as error:
            raise _Refused(401, str(error)) from None
        if claims["role"] != "authenticated":
            raise _Refused(401, "Sign in first")
        if self._stage.faults.hit("access_open"):
            return {**claims, "role": "service_role"}
        return claims

    def _reader(self, request: Request) -> Claims:
        try:
            return self._caller(request)
        except _Refused:
            token = bearer(request) or session_cookie(request)
            if token in (None, self._stage.anon_key) and self._stage.faults.hit("anonymous_accepted"):
                return {"role": "service_role"}
            raise

    async def _pretended(self, claims: Claims, chat_id: uuid.UUID, sender_id: uuid.UUID) -> Claims:
        """Fault: whoever is in the chat acts for the one whom the message names as its sender."""
        async with as_caller(self._stage.pool, claims) as connection:
            if not await connection.fetchval(sql("is_participant"), chat_id):
                raise _Refused(403, "You are not in this chat")
        return {**claims, "sub": str(sender_id)}

    async def _store(
        self, claims: Claims, chat_id: uuid.UUID, text: str, client_generated_id: uuid.UUID | None
    ) -> tuple[dict[str, Any], bool]:
        """The stored message, and whether this call stored it."""
        faults = self._stage.faults
        if faults.hit("lost_ack_rate"):
            return await self._pretend(claims, chat_id, text, client_generated_id)
        try:
            async with as_caller(self._stage.pool, claims) as connection:
                row = await connection.fetchrow(sql("send_message"), chat_id, text, client_generated_id)
                if row is not None:
                    return plain(row), True
                if faults.hit("forget_idempotency_rate"):
                    row = await connection.fetchrow(sql("send_message"), chat_id, text, None)
                else:
                    row = await connection.fetchrow(sql("find_repeat"), client_generated_id)
                # Who was removed while the insert waited no longer sees what they sent: it is there nevertheless.
                if row is None and not await connection.fetchval(sql("is_participant"), chat_id):
                    raise _Refused(403, "You are not in this chat")
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError):
            raise _Refused(403, "You are not in this chat") from None
        if row is None:
            raise _Refused(409, "This message was deleted")
        return plain(row), False

    async def _pretend(
        self, claims: Claims, chat_id: uuid.UUID, text: str, client_generated_id: uuid.UUID | None
    ) -> tuple[dict[str, Any], bool]:
        """Fault: store, answer as `_store` does, and take it back."""
        answer: dict[str, Any] = {}
        is_new = False

        class TakeBack(Exception):  # noqa: N818 - rolls the transaction back, nothing more
            pass

        try:
            async with as_caller(self._stage.pool, claims) as connection:
                row = await connection.fetchrow(sql("send_message"), chat_id, text, client_generated_id)
                is_new = row is not None
                row = row or await connection.fetchrow(sql("find_repeat"), client_generated_id)
                answer = plain(row) if row else {}
                raise TakeBack
        except TakeBack:
            return answer, is_new
        except (asyncpg.InsufficientPrivilegeError, asyncpg.ForeignKeyViolationError):
            raise _Refused(403, "You are not in this chat") from None


def _message(body: object) -> tuple[uuid.UUID, str, uuid.UUID | None]:
    if not isinstance(body, dict):
        raise _Refused(400, "The body is not a JSON object")
    text = body.get("text")
    if not isinstance(text, str) or not text:
        raise _Refused(400, "text: expected some text")
    if len(text) > LONGEST_TEXT:
        raise _Refused(400, f"text: expected at most {LONGEST_TEXT} characters, found {len(text)}")
    if "\0" in text:
        raise _Refused(400, "text: the character NUL cannot be stored")
    key = body.get("clientGeneratedId")
    return (
        _uuid(body.get("chatId"), "chatId"),
        text,
        None if key is None else _uuid(key, "clientGeneratedId"),
    )


def _uuid(text: object, name: str) -> uuid.UUID:
    try:
        return uuid.UUID(text) if isinstance(text, str) else uuid.UUID("")
    except ValueError:
        raise _Refused(400, f"{name}: expected a UUID") from None


def _whole(text: str | None, name: str, default: int | None) -> int | None:
    if text is None:
        return default
    # The length is asked first: Python refuses to convert thousands of digits.
    if not text.isascii() or not text.isdecimal() or len(text) > 19 or not 0 < int(text) < 2**63:
        raise _Refused(400, f"{name}: expected a positive whole number")
    return int(text)
