"""Realtime's frames, decoded: only the fields that anybody needs. Pure.

Serializer 2.0.0 is used, as by the official JavaScript client: an array ``[join_ref, ref, topic, event, payload]``,
shorter than 1.0.0's object, and it says to which join of a topic a frame belongs.

msgspec decodes straight into these types and skips the rest, chiefly the list of columns that every event repeats:
a third of orjson's time for a frame of 1 kB, with nothing left for the garbage collector. What does not fit the
types is rare and goes through orjson, cell by cell.
"""

from typing import Any, Final

import msgspec
import orjson

from analysis.record.codes import EventType, Status

CHANGE: Final = "postgres_changes"
TABLE: Final = "chat_messages"


class Row(msgspec.Struct, gc=False):
    """A row of ``chat_messages``, as far as an event has it. `id` is the message's."""

    id: str | None = None
    chat_id: str | None = None
    sender_id: str | None = None
    message_text: str | None = None
    seq: int | None = None
    status: str | None = None
    client_generated_id: str | None = None


class Data(msgspec.Struct, gc=False):
    """What a ``postgres_changes`` event says."""

    type: str
    commit_timestamp: str | None = None
    record: Row | None = None
    old_record: Row | None = None
    errors: list[str] | None = None


class Payload(msgspec.Struct, gc=False):
    """The payload of any event: `data` of changes, `status` and `response` of replies, the rest of ``system``."""

    data: Data | None = None
    status: str | None = None
    response: Any = None
    extension: str | None = None
    message: str | None = None


class Frame(msgspec.Struct, array_like=True, gc=False):
    """A frame from the server."""

    join_ref: str | None
    ref: str | None
    topic: str
    event: str
    payload: Payload


class MalformedFrameError(ValueError):
    """A frame that is none of Realtime's."""


EVENT_TYPES: Final = {"INSERT": EventType.INSERT, "UPDATE": EventType.UPDATE, "DELETE": EventType.DELETE}
STATUSES: Final = {None: Status.NULL, "sent": Status.SENT, "delivered": Status.DELIVERED, "read": Status.READ}

_decode = msgspec.json.Decoder(Frame).decode


def decode(message: bytes) -> Frame:
    """A text message as a frame.

    Raises:
        MalformedFrameError: it is none.
    """
    try:
        return _decode(message)
    except msgspec.ValidationError:
        return _leniently(message)
    except msgspec.DecodeError:
        raise MalformedFrameError(f"{len(message)} bytes that are no JSON") from None


def _leniently(message: bytes) -> Frame:
    """A frame in which some value is of another type than expected: such values are left out."""
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise MalformedFrameError(f"{len(message)} bytes that are no JSON") from None
    if not isinstance(found, list) or len(found) < 5:
        raise MalformedFrameError("JSON that is no array of five")
    join_ref, ref, topic, event, payload = found[:5]
    if not isinstance(topic, str) or not isinstance(event, str):
        raise MalformedFrameError("a frame whose topic or event is no text")
    given = payload if isinstance(payload, dict) else {}
    kept = _kept(Payload, given)
    if isinstance(data := given.get("data"), dict):
        rows = {
            name: Row(**_kept(Row, data[name]))
            for name in ("record", "old_record")
            if isinstance(data.get(name), dict)
        }
        kept["data"] = Data(**{"type": ""} | _kept(Data, data) | rows)
    return Frame(
        join_ref if isinstance(join_ref, str) else None,
        ref if isinstance(ref, str) else None,
        topic,
        event,
        Payload(**kept),
    )


def _kept(type_: type[msgspec.Struct], given: dict[str, Any]) -> dict[str, Any]:
    """The fields of `given` that fit `type_`."""
    kept: dict[str, Any] = {}
    for field in msgspec.structs.fields(type_):
        if field.name in given:
            try:
                kept[field.name] = msgspec.convert(given[field.name], field.type)
            except msgspec.ValidationError:
                continue
    return kept
