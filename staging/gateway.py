"""The door in front of Auth and REST: no request without one of the project's API keys, as on Supabase."""

import hmac
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from staging.http import Handler, bearer, json_response
from staging.stage import Stage


def behind_gateway(stage: Stage, handler: Callable[[Request], Awaitable[Response]]) -> Handler:
    """`handler`, for requests that carry a valid ``apikey``."""
    keys = (stage.anon_key.encode(), stage.service_role_key.encode())

    async def guarded(request: Request) -> Response:
        key = request.headers.get("apikey") or request.query_params.get("apikey")
        if key is None:
            return json_response(
                {
                    "message": "No API key found in request",
                    "hint": "No `apikey` request header or url param was found.",
                },
                401,
            )
        if not any(hmac.compare_digest(key.encode(), known) for known in keys):
            return json_response(
                {
                    "message": "Invalid API key",
                    "hint": "Double check your Supabase `anon` or `service_role` API key.",
                },
                401,
            )
        return await handler(request)

    return guarded


def token_of(request: Request) -> str:
    """The caller's token: the bearer's, else the API key, which is a token too."""
    return bearer(request) or request.headers.get("apikey") or request.query_params["apikey"]
