"""Promise: a frame is decoded to what `json.loads` finds in it; what does not fit is left out, never guessed."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locustfiles.clients.events import CHANGE, EVENT_TYPES, MalformedFrameError, decode

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
JSON = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
BIGINT = st.integers(-(2**63), 2**63 - 1)
ROW_TEXTS = ("id", "chat_id", "sender_id", "message_text", "status", "client_generated_id")


def known_and_unknown(known: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these fields, and others that a server may add one day."""
    unknown = st.dictionaries(TEXT.filter(lambda name: name not in known), JSON, max_size=2)
    return st.builds(
        lambda ours, theirs: {**theirs, **ours}, st.fixed_dictionaries({}, optional=known), unknown
    )


ROW = known_and_unknown({**dict.fromkeys(ROW_TEXTS, st.none() | TEXT), "seq": st.none() | BIGINT})
DATA = known_and_unknown(
    {
        "commit_timestamp": st.none() | TEXT,
        "record": st.none() | ROW,
        "old_record": st.none() | ROW,
        "errors": st.none() | st.lists(TEXT, max_size=2),
        "columns": JSON,
        "table": JSON,
    }
)
TYPED = st.builds(
    lambda data, kind: {**data, "type": kind}, DATA, st.sampled_from([*EVENT_TYPES, "TRUNCATE"])
)
PAYLOAD = known_and_unknown(
    {
        "data": st.none() | TYPED,
        "status": st.none() | TEXT,
        "response": JSON,
        "extension": st.none() | TEXT,
        "message": st.none() | TEXT,
        "ids": JSON,
    }
)


def assert_row(row: Any, found: Any) -> None:
    if found is None:
        assert row is None
    else:
        for name in (*ROW_TEXTS, "seq"):
            assert getattr(row, name) == found.get(name)


@given(
    join_ref=st.none() | TEXT,
    ref=st.none() | TEXT,
    topic=TEXT,
    event=TEXT,
    payload=PAYLOAD,
    ascii_only=st.booleans(),
)
def test_a_frame_is_what_json_says(
    join_ref: str | None, ref: str | None, topic: str, event: str, payload: dict[str, Any], ascii_only: bool
) -> None:
    message = json.dumps([join_ref, ref, topic, event, payload], ensure_ascii=ascii_only).encode()
    frame = decode(message)
    found = json.loads(message)
    assert [frame.join_ref, frame.ref, frame.topic, frame.event] == found[:4]
    said = found[4]
    for name in ("status", "response", "extension", "message"):
        assert getattr(frame.payload, name) == said.get(name)
    data, expected = frame.payload.data, said.get("data")
    if expected is None:
        assert data is None
        return
    assert data is not None
    for name in ("type", "commit_timestamp", "errors"):
        assert getattr(data, name) == expected.get(name)
    assert_row(data.record, expected.get("record"))
    assert_row(data.old_record, expected.get("old_record"))


@given(
    row=st.dictionaries(st.sampled_from([*ROW_TEXTS, "seq", "new"]), JSON),
    data=st.dictionaries(st.sampled_from(["type", "commit_timestamp", "errors", "old_record"]), JSON),
    payload=st.dictionaries(st.sampled_from(["status", "message", "extension"]), JSON),
    refs=st.tuples(JSON, JSON),
)
def test_what_does_not_fit_is_left_out_and_the_rest_stays(
    row: dict[str, Any], data: dict[str, Any], payload: dict[str, Any], refs: tuple[Any, Any]
) -> None:
    frame = decode(json.dumps([*refs, "t", CHANGE, {**payload, "data": {**data, "record": row}}]).encode())

    def text(value: Any) -> str | None:
        return value if isinstance(value, str) else None

    assert [frame.join_ref, frame.ref] == [text(refs[0]), text(refs[1])]
    for name in ("status", "message", "extension"):
        assert getattr(frame.payload, name) == text(payload.get(name))
    assert frame.payload.data is not None
    assert frame.payload.data.type == (text(data.get("type")) or "")
    assert frame.payload.data.commit_timestamp == text(data.get("commit_timestamp"))
    read = frame.payload.data.record
    assert read is not None
    for name in ROW_TEXTS:
        assert getattr(read, name) == text(row.get(name))
    if read.seq is not None:
        assert read.seq == row["seq"]
        assert isinstance(read.seq, int)
    elif isinstance(row.get("seq"), int):
        assert isinstance(row["seq"], bool), "a whole number is a seq; true is none"


@given(payload=JSON.filter(lambda payload: not isinstance(payload, dict)))
def test_a_payload_that_is_no_object_says_nothing(payload: Any) -> None:
    frame = decode(json.dumps(["1", "2", "t", "phx_error", payload]).encode())
    assert (frame.topic, frame.event) == ("t", "phx_error")
    assert (frame.payload.data, frame.payload.status, frame.payload.response) == (None, None, None)


@pytest.mark.parametrize("seq", [2**31, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_a_seq_keeps_every_digit(seq: int) -> None:
    message = [None, None, "t", CHANGE, {"data": {"type": "INSERT", "record": {"seq": seq}}}]
    plain, lenient = decode(json.dumps(message).encode()), decode(json.dumps([7, *message[1:]]).encode())
    for frame in (plain, lenient):
        assert frame.payload.data is not None
        assert frame.payload.data.record is not None
        assert frame.payload.data.record.seq == seq


def test_a_number_beyond_any_column_takes_nothing_else_with_it() -> None:
    row = {"id": "m", "seq": 10**30}
    frame = decode(
        json.dumps([None, None, "t", CHANGE, {"data": {"type": "INSERT", "record": row}}]).encode()
    )
    assert frame.payload.data is not None
    assert frame.payload.data.record is not None
    assert frame.payload.data.record.id == "m"


def test_more_than_five_elements_are_none_of_our_business() -> None:
    assert decode(b'["1","2","t","e",{},"later versions"]').topic == "t"
    assert decode(b'[1,"2","t","e",{},"later versions"]').join_ref is None


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"null",
        b"{",
        b"[",
        b"[1,2,3,4]",
        b"[]",
        b'"text"',
        b'[null,null,1,"e",{}]',
        b'[null,null,"t",null,{}]',
        b'[null,null,"t","e",{}] and more',
        b'{"topic":"t","event":"phx_reply","payload":{},"ref":"1"}',  # serializer 1.0.0, which we did not ask for
        b'[null,null,"t","e",{"data":NaN}]',
        b"[" * 100_000,
    ],
    ids=lambda message: repr(message[:40]),
)
def test_what_is_no_frame_is_said_to_be_none(message: bytes) -> None:
    with pytest.raises(MalformedFrameError):
        decode(message)
