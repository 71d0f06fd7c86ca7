"""Broadcast over HTTP: POST /realtime/v1/api/broadcast, a batch of messages for whoever has joined their topics."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from staging.http import Handler
from staging.realtime.channel import Services
from staging.realtime.credentials import RefusedError, authorize

__all__ = ["broadcast_endpoint"]

BLANK = "can't be blank"
INVALID = "is invalid"


def broadcast_endpoint(services: Services) -> Handler:
    """The handler."""

    async def broadcast(request: Request) -> Response:
        try:
            authorize(services.tokens, _token(request))
        except RefusedError:
            return _answer(401, {"message": "Unauthorized"})
        try:
            body = orjson.loads(await request.body())
        except orjson.JSONDecodeError:
            return _answer(400, {"message": "Bad Request"})
        messages = body.get("messages") if isinstance(body, dict) else None
        if not isinstance(messages, list) or not messages:
            return _answer(422, {"errors": {"messages": [INVALID if messages else BLANK]}})
        errors = [_errors(message) for message in messages]
        if any(errors):
            return _answer(422, {"errors": {"messages": errors}})
        for message in messages:
            # Private messages need a policy of realtime.messages; there are none here, and Supabase is silent then.
            if message.get("private") is not True:
                payload = {"type": "broadcast", "event": message["event"], "payload": message["payload"]}
                services.hub.broadcast(f"realtime:{message['topic']}", payload)
        return Response(status_code=202)

    return broadcast


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else request.headers.get("apikey", "")


def _errors(message: object) -> dict[str, list[str]]:
    if not isinstance(message, dict):
        return {"topic": [BLANK], "payload": [BLANK], "event": [BLANK]}
    expected = {"topic": str, "payload": dict, "event": str}
    return {
        field: [INVALID if message.get(field) else BLANK]
        for field, kind in expected.items()
        if not isinstance(message.get(field), kind) or message[field] == ""
    }


def _answer(status: int, body: object) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")
