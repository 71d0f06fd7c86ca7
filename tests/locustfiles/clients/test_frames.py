"""Promise: however the bytes arrive, the reader finds the messages that the `websockets` library finds, and ends like it."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from locustfiles.clients.frames import LARGEST_MESSAGE, FrameReader

Seen = tuple[list[bytes], State, int | None, list[tuple[Opcode, bytes]]]


def connected() -> ClientProtocol:
    return ClientProtocol(parse_uri("ws://127.0.0.1/"), state=State.OPEN, max_size=LARGEST_MESSAGE)


def answers(protocol: ClientProtocol) -> list[tuple[Opcode, bytes]]:
    """What the client sent, as a server reads it: it must be masked, or this fails."""
    server = ServerProtocol(state=State.OPEN)
    for data in protocol.data_to_send():
        if data:
            server.receive_data(data)
    assert server.parser_exc is None
    return [
        (frame.opcode, bytes(frame.data) if frame.opcode is not Opcode.CLOSE else bytes(frame.data[:2]))
        for frame in server.events_received()
        if isinstance(frame, Frame)
    ]


def outcome(protocol: ClientProtocol, messages: list[bytes]) -> Seen:
    closed = protocol.close_sent.code if protocol.close_sent is not None else None
    return messages, protocol.state, closed, answers(protocol)


def by_the_library(frames: list[bytes]) -> Seen:
    """Frame by frame through the library, whose parser does not look whether texts are UTF-8."""
    protocol = connected()
    messages: list[bytes] = []
    parts: list[bytes] = []
    is_text = False
    for data in frames:
        protocol.receive_data(data)
        for frame in protocol.events_received():
            if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
                parts, is_text = [], frame.opcode is Opcode.TEXT
            elif frame.opcode is not Opcode.CONT:
                continue
            parts.append(bytes(frame.data))
            if frame.fin and is_text:
                try:
                    b"".join(parts).decode()
                except UnicodeDecodeError:
                    protocol.fail(CloseCode.INVALID_DATA, "")
                else:
                    messages.append(b"".join(parts))
    return outcome(protocol, messages)


def by_the_reader(reads: list[bytes]) -> Seen:
    protocol = connected()
    reader = FrameReader(protocol)
    messages = [message for data in reads for message in reader.receive(data)]
    return outcome(protocol, messages)


def wire(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """`data` in pieces, none of them empty: an empty read is the end of a stream."""
    bounds = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in itertools.pairwise(bounds)]


# Frames as a server may send them

LENGTHS = st.one_of(st.integers(0, 30), st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, 66_000]))
ASCII = LENGTHS.map(lambda length: bytes(itertools.islice(itertools.cycle(b'{"seq":1} '), length)))
TEXTS = st.one_of(
    ASCII,
    st.text(st.characters(codec="utf-8"), max_size=40).map(str.encode),
    LENGTHS.map(lambda length: ("é" * length).encode()),
)
CONTROLS = st.one_of(
    st.builds(wire, st.sampled_from([Opcode.PING, Opcode.PONG]), st.binary(max_size=125)),
    st.just(wire(Opcode.PING, b"x" * 125)),
)


@st.composite
def fragmented(draw: st.DrawFn) -> list[bytes]:
    """A message in fragments, cut anywhere (also within a character), with control frames between them."""
    opcode = draw(st.sampled_from([Opcode.TEXT, Opcode.BINARY]))
    pieces = cut(draw(TEXTS), draw(st.lists(st.integers(0, 70_000), max_size=4))) or [b""]
    if draw(st.booleans()):
        pieces.append(b"")
    frames = []
    for number, piece in enumerate(pieces):
        fin = number == len(pieces) - 1
        frames.append(wire(Opcode.CONT if number else opcode, piece, fin=fin))
        if not fin:
            frames += draw(st.lists(CONTROLS, max_size=2))
    return frames


def one(frame: bytes) -> list[bytes]:
    return [frame]


GOOD = st.one_of(
    st.builds(wire, st.just(Opcode.TEXT), TEXTS).map(one),
    st.builds(wire, st.just(Opcode.TEXT), TEXTS).map(one),
    st.builds(wire, st.just(Opcode.BINARY), ASCII).map(one),
    CONTROLS.map(one),
    fragmented(),
)

ENDS = {
    "closed": wire(Opcode.CLOSE, b"\x03\xe8bye"),
    "closed without a code": wire(Opcode.CLOSE, b""),
    "closed with a code of one byte": wire(Opcode.CLOSE, b"\x03"),
    "closed with a code that is none": wire(Opcode.CLOSE, b"\x03\xed"),
    "closed with words that are no UTF-8": wire(Opcode.CLOSE, b"\x03\xe8\xff"),
    "no UTF-8": wire(Opcode.TEXT, b"ok \xff"),
    "half a character": wire(Opcode.TEXT, "é".encode()[:1]),
    "a surrogate": wire(Opcode.TEXT, b"\xed\xa0\x80"),
    "masked": Frame(Opcode.TEXT, b"masked").serialize(mask=True),
    "masked and empty": b"\x81\x80abcd",
    "first reserved bit": b"\xc1\x02ab",
    "second reserved bit": b"\xa1\x02ab",
    "third reserved bit": b"\x91\x02ab",
    "unknown data opcode": b"\x83\x02ab",
    "unknown control opcode": b"\x8b\x02ab",
    "continuation of nothing": wire(Opcode.CONT, b"ab"),
    "ping in fragments": b"\x09\x02ab",
    "ping too long": b"\x89\x7e\x00\x7e" + b"x" * 126,
    "close too long": b"\x88\x7e\x00\x7e" + b"x" * 126,
    "longer than allowed": b"\x81\x7f" + (LARGEST_MESSAGE + 1).to_bytes(8, "big") + b"begin",
    "longer than anything": b"\x81\x7f" + b"\xff" * 8 + b"begin",
}
MISPLACED = {
    "a message amid another": [wire(Opcode.TEXT, b"a", fin=False), wire(Opcode.TEXT, b"b")],
    "no UTF-8 in fragments": [wire(Opcode.TEXT, b"a", fin=False), wire(Opcode.CONT, b"\xff")],
    "too long in fragments": [
        wire(Opcode.TEXT, b"x" * LARGEST_MESSAGE, fin=False),
        wire(Opcode.CONT, b"x"),
    ],
}

CUTS = st.lists(st.integers(0, 300_000), max_size=12)


@given(groups=st.lists(GOOD, max_size=8), cuts=CUTS)
@example(groups=[], cuts=[])
def test_messages_are_found_however_they_are_cut(groups: list[list[bytes]], cuts: list[int]) -> None:
    frames = [frame for group in groups for frame in group]
    found = by_the_reader(cut(b"".join(frames), cuts))
    assert found == by_the_library(frames)
    assert found[1] is State.OPEN, "nothing here breaks a rule"


@given(
    before=st.lists(GOOD, max_size=3),
    end=st.sampled_from([*([frame] for frame in ENDS.values()), *list(MISPLACED.values())[:2]]),
    after=st.lists(GOOD, max_size=3),
    cuts=CUTS,
)
@example(before=[], end=[b"\xc1\x02ab"], after=[], cuts=[3])  # seen as soon as it begins, and not whole yet
@example(
    before=[], end=[b"\x81\x80abcd"], after=[[wire(Opcode.TEXT, b"x" * 200)]], cuts=[]
)  # 0x80 is no length
def test_an_end_ends_it_however_it_is_cut(
    before: list[list[bytes]], end: list[bytes], after: list[list[bytes]], cuts: list[int]
) -> None:
    frames = [frame for group in (*before, end, *after) for frame in group]
    found = by_the_reader(cut(b"".join(frames), cuts))
    assert found == by_the_library(frames)
    assert found[1] is not State.OPEN
    assert found[0] == by_the_library([frame for group in before for frame in group])[0]


@pytest.mark.parametrize(
    "frames", [*([end] for end in ENDS.values()), *MISPLACED.values()], ids=[*ENDS, *MISPLACED]
)
def test_each_end_ends_like_the_library(frames: list[bytes]) -> None:
    assert by_the_reader([b"".join(frames)]) == by_the_library(frames)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, LARGEST_MESSAGE])
@pytest.mark.parametrize("letter", ["x", "é"])
def test_a_message_of_any_length_arrives_whole(length: int, letter: str) -> None:
    message = (letter * length).encode()[: length - length % len(letter.encode())]
    reads = cut(wire(Opcode.TEXT, message) * 2, list(range(0, 2 * length + 40, 65_536)))
    messages, state, *_ = by_the_reader(reads)
    assert messages == [message] * 2
    assert state is State.OPEN


def test_byte_by_byte() -> None:
    frames = [
        wire(Opcode.TEXT, b"x" * 200),
        wire(Opcode.PING, b"are you there"),
        wire(Opcode.TEXT, b"gr", fin=False),
        wire(Opcode.PING, b"still?"),
        wire(Opcode.CONT, "ü".encode()[:1], fin=False),
        wire(Opcode.CONT, "üß".encode()[1:]),
        wire(Opcode.TEXT, b""),
        wire(Opcode.TEXT, b"y" * 65_536),
        wire(Opcode.CLOSE, b"\x03\xe9"),
        wire(Opcode.TEXT, b"too late"),
    ]
    stream = b"".join(frames)
    found = by_the_reader([stream[at : at + 1] for at in range(len(stream))])
    assert found == by_the_library(frames)
    assert found[0] == [b"x" * 200, "grüß".encode(), b"", b"y" * 65_536]
    assert found[2:] == (
        1001,
        [
            (Opcode.PONG, b"are you there"),
            (Opcode.PONG, b"still?"),
            (Opcode.CLOSE, b"\x03\xe9"),
        ],
    )


@pytest.mark.parametrize(
    "name", ["masked", "masked and empty", "longer than allowed", "longer than anything"]
)
def test_what_is_clear_from_a_head_is_not_waited_for(name: str) -> None:
    head = ENDS[name][: 10 if name.startswith("longer") else 2]
    assert by_the_reader([head]) == by_the_library([head])
    assert by_the_reader([head])[1] is not State.OPEN


def test_messages_still_arrive_while_we_are_closing() -> None:
    protocol = connected()
    reader = FrameReader(protocol)
    protocol.send_close(CloseCode.NORMAL_CLOSURE)
    assert reader.receive(wire(Opcode.TEXT, b"on its way") + wire(Opcode.CLOSE, b"\x03\xe8")) == [
        b"on its way"
    ]
    assert protocol.close_rcvd is not None


def test_a_large_message_in_many_reads_is_put_together_once() -> None:
    """Each byte is looked at a bounded number of times: four times the reads take about four times as long."""
    reader = FrameReader(connected())
    frame = wire(Opcode.TEXT, b"x" * LARGEST_MESSAGE)
    reads = [frame[at : at + 500] for at in range(0, len(frame), 500)]
    assert [message for data in reads[:-1] for message in reader.receive(data)] == []
    assert len(reader._parts) >= len(reads) - 2, "kept as they came, not joined at each read"
    assert reader.receive(reads[-1]) == [b"x" * LARGEST_MESSAGE]
