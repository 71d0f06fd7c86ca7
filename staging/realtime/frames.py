"""The two serializers of Phoenix channels, as Supabase Realtime speaks them.

Pure. Version 1.0.0 is a JSON object a frame; 2.0.0 is a JSON array, plus binary frames for broadcasts: kind 3 from a
client, kind 4 to it. Frames for a socket are text (str) or binary (bytes).
"""

from dataclasses import dataclass
from enum import Enum

import orjson

__all__ = [
    "Broadcast",
    "Incoming",
    "MalformedFrameError",
    "Version",
    "broadcast_frame",
    "change_frame",
    "decode",
    "encode",
]

USER_BROADCAST_PUSH = 3
USER_BROADCAST = 4


class Version(Enum):
    """Of the serializer, from the query parameter `vsn`."""

    V1 = "1.0.0"
    V2 = "2.0.0"


class MalformedFrameError(ValueError):
    """A frame that the server drops."""


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A user's broadcast. `payload` is JSON, or raw bytes if `is_json` is False (version 2 only)."""

    event: str
    payload: bytes
    is_json: bool = True


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a client sent. `payload` is a `Broadcast` for a binary push, and any JSON value otherwise."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: object


def decode(version: Version, data: str | bytes) -> Incoming:
    """One frame from a client.

    Raises:
        MalformedFrameError: not of this version.
    """
    if isinstance(data, bytes):
        if version is Version.V1:
            raise MalformedFrameError("version 1 has no binary frames")
        return _decode_binary(data)
    try:
        message = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise MalformedFrameError("no JSON") from error
    if version is Version.V1:
        if not isinstance(message, dict) or not {"topic", "event", "payload", "ref"} <= message.keys():
            raise MalformedFrameError("expected an object with topic, event, payload and ref")
        fields = [message.get("join_ref"), *(message[key] for key in ("ref", "topic", "event", "payload"))]
    else:
        if not isinstance(message, list) or len(message) < 5:
            raise MalformedFrameError("expected an array of five")
        fields = message[:5]
    join_ref, ref, topic, event, payload = fields
    if not isinstance(topic, str) or not isinstance(event, str):
        raise MalformedFrameError("topic and event must be texts")
    return Incoming(_reference(join_ref), _reference(ref), topic, event, payload)


def _reference(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    raise MalformedFrameError("a reference must be a text")


def _decode_binary(data: bytes) -> Incoming:
    if len(data) < 7 or data[0] != USER_BROADCAST_PUSH:
        raise MalformedFrameError("no broadcast push")
    lengths = data[1:6]
    parts = []
    at = 7
    for length in lengths:
        if at + length > len(data):
            raise MalformedFrameError("cut short")
        try:
            parts.append(data[at : at + length].decode())
        except UnicodeDecodeError as error:
            raise MalformedFrameError("not UTF-8") from error
        at += length
    join_ref, ref, topic, event, _metadata = parts
    is_json = data[6] != 0
    if is_json:
        try:
            orjson.loads(data[at:])
        except orjson.JSONDecodeError as error:
            raise MalformedFrameError("payload is no JSON") from error
    return Incoming(join_ref or None, ref or None, topic, "broadcast", Broadcast(event, data[at:], is_json))


def encode(
    version: Version,
    topic: str,
    event: str,
    payload: object,
    *,
    ref: str | None = None,
    join_ref: str | None = None,
) -> str:
    """One text frame to a client. Version 1 has no place for `join_ref`."""
    if version is Version.V1:
        message: object = {"topic": topic, "event": event, "payload": payload, "ref": ref}
    else:
        message = [join_ref, ref, topic, event, payload]
    return orjson.dumps(message).decode()


def change_frame(version: Version, topic: str, ids: tuple[int, ...], data: bytes) -> str:
    """A `postgres_changes` push. `data` is JSON that is written as it stands, so that it is made once for all."""
    return encode(version, topic, "postgres_changes", {"ids": ids, "data": orjson.Fragment(data)})


def broadcast_frame(version: Version, topic: str, payload: object) -> str | bytes | None:
    """A user's broadcast to a client: a `Broadcast`, or what a text push carried, which is passed on as it is.

    None: raw bytes cannot be told to a client of version 1.
    """
    if not isinstance(payload, Broadcast):
        return encode(version, topic, "broadcast", payload)
    if version is Version.V1:
        if not payload.is_json:
            return None
        wrapped = {"type": "broadcast", "event": payload.event, "payload": orjson.Fragment(payload.payload)}
        return encode(version, topic, "broadcast", wrapped)
    name, event = topic.encode(), payload.event.encode()
    head = bytes((USER_BROADCAST, len(name), len(event), 0, int(payload.is_json)))
    return head + name + event + payload.payload
