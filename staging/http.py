"""What all HTTP parts share: JSON answers, who is calling, and the wait that latency faults add."""

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson
from starlette.requests import Request
from starlette.responses import Response

from staging.faults import Faults

Handler = Callable[[Request], Awaitable[Response]]

DEFAULT_STALL_MS = 2000


def json_response(data: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`data` as JSON; dates as ISO 8601, UUIDs (asyncpg has a type of its own) as text."""
    return Response(orjson.dumps(data, default=str), status, headers, media_type="application/json")


class NotJsonError(Exception):
    """A body that is no JSON."""


async def json_body(request: Request) -> Any:
    """The request's body.

    Raises:
        NotJsonError: it is empty or no JSON.
    """
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise NotJsonError(str(error)) from None


def bearer(request: Request) -> str | None:
    """The token of the Authorization header."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None


def session_cookie(request: Request) -> str | None:
    """The access token in Supabase's session cookie ``sb-<ref>-auth-token``, as its server-side clients set it.

    Source: https://supabase.com/docs/guides/auth/server-side/advanced-guide
    """
    for name, value in request.cookies.items():
        if name.startswith("sb-") and name.endswith("-auth-token"):
            text = unquote(value)
            try:
                if text.startswith("base64-"):
                    encoded = text.removeprefix("base64-")
                    text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
                session = orjson.loads(text)
            except ValueError:  # no base64, no UTF-8 or no JSON
                return None
            token = (
                session.get("access_token") if isinstance(session, dict) else session[0] if session else None
            )
            return token if isinstance(token, str) else None
    return None


class Delay:
    """Holds requests up as the latency faults say."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._started = time.monotonic()

    async def wait(self) -> None:
        """Wait for as long as this request must."""
        delay_s = self._faults.latency_s() + self._stall_s()
        if delay_s > 0:
            await asyncio.sleep(delay_s)

    def _stall_s(self) -> float:
        every_s = self._faults.value("stall_every_s")
        if not every_s:
            return 0.0
        into_s = (time.monotonic() - self._started) % every_s
        # The first `stall_ms` of each period, but for the very first, are the stall.
        stall_s = self._faults.value("stall_ms", DEFAULT_STALL_MS) / 1000
        first = time.monotonic() - self._started < every_s
        return 0.0 if first else max(0.0, stall_s - into_s)
