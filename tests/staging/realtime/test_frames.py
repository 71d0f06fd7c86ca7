import json

import pytest

from staging.realtime.frames import (
    Broadcast,
    Incoming,
    MalformedFrameError,
    Version,
    broadcast_frame,
    change_frame,
    decode,
    encode,
)


def test_version_1_is_objects() -> None:
    frame = '{"topic":"realtime:a","event":"phx_join","payload":{"x":1},"ref":"7","join_ref":"7"}'
    assert decode(Version.V1, frame) == Incoming("7", "7", "realtime:a", "phx_join", {"x": 1})
    assert decode(Version.V1, '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":null}').ref is None
    sent = encode(Version.V1, "realtime:a", "phx_reply", {"status": "ok"}, ref="7", join_ref="1")
    assert json.loads(sent) == {
        "topic": "realtime:a",
        "event": "phx_reply",
        "payload": {"status": "ok"},
        "ref": "7",
    }


def test_version_2_is_arrays() -> None:
    assert decode(Version.V2, '["1","7","t","e",{}]') == Incoming("1", "7", "t", "e", {})
    assert json.loads(encode(Version.V2, "t", "e", {}, ref="7", join_ref="1")) == ["1", "7", "t", "e", {}]


@pytest.mark.parametrize(
    ("version", "frame"),
    [
        (Version.V1, "no json"),
        (Version.V1, "[]"),
        (Version.V1, '{"topic":"t","event":"e","payload":{}}'),
        (Version.V1, '{"topic":1,"event":"e","payload":{},"ref":null}'),
        (Version.V1, b"\x03"),
        (Version.V2, "{}"),
        (Version.V2, '["1","2","t","e"]'),
        (Version.V2, '[[],"2","t","e",{}]'),
        (Version.V2, b""),
        (Version.V2, b"\x09aaaaaaaaa"),
        (Version.V2, bytes((3, 200, 0, 0, 0, 0, 1))),
        (Version.V2, bytes((3, 0, 0, 1, 1, 0, 1)) + b"te{"),
        (Version.V2, bytes((3, 0, 0, 1, 0, 0, 0)) + b"\xff"),
    ],
)
def test_what_is_no_frame_is_refused(version: Version, frame: str | bytes) -> None:
    with pytest.raises(MalformedFrameError):
        decode(version, frame)


def test_a_binary_push_is_a_broadcast() -> None:
    head = bytes((3, 1, 2, 10, 6, 2, 1))
    message = decode(Version.V2, head + b"1" + b"22" + b"realtime:a" + b"typing" + b"{}" + b'{"who":"ann"}')
    assert message == Incoming("1", "22", "realtime:a", "broadcast", Broadcast("typing", b'{"who":"ann"}'))
    raw = decode(Version.V2, bytes((3, 0, 0, 1, 1, 0, 0)) + b"te" + b"\x00\xff")
    assert raw.payload == Broadcast("e", b"\x00\xff", is_json=False)


def test_a_binary_broadcast_reaches_each_version_in_its_own_form() -> None:
    broadcast = Broadcast("typing", b'{"who":"ann"}')
    assert broadcast_frame(Version.V2, "realtime:a", broadcast) == (
        bytes((4, 10, 6, 0, 1)) + b"realtime:a" + b"typing" + b'{"who":"ann"}'
    )
    frame = broadcast_frame(Version.V1, "realtime:a", broadcast)
    assert frame is not None
    assert json.loads(frame) == {
        "topic": "realtime:a",
        "event": "broadcast",
        "payload": {"type": "broadcast", "event": "typing", "payload": {"who": "ann"}},
        "ref": None,
    }
    assert broadcast_frame(Version.V1, "realtime:a", Broadcast("e", b"\xff", is_json=False)) is None


def test_a_change_carries_its_data_as_it_was_written() -> None:
    data = b'{"record":{"price":1.10}}'
    assert '"data":{"record":{"price":1.10}}' in change_frame(Version.V1, "t", (3, 4), data)
    assert json.loads(change_frame(Version.V2, "t", (3, 4), data)) == [
        None,
        None,
        "t",
        "postgres_changes",
        {"ids": [3, 4], "data": {"record": {"price": 1.1}}},
    ]
