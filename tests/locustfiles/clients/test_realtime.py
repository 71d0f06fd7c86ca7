"""Promise: what the record says of a socket is what happened, and a socket that only looks open is found out."""

import json
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import gevent
import httpx
import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from analysis.record.codes import EventType, SocketEvent, Status
from locustfiles.clients.channel import OUT_OF_ORDER, TWICE, Channel
from locustfiles.clients.events import CHANGE, Row
from locustfiles.clients.realtime import TOPIC, RealtimeSocket
from locustfiles.clients.watch import Watch
from locustfiles.clients.websocket import RealtimeError
from tests.locustfiles.clients.recorded import Recorded, wait_until
from tests.locustfiles.clients.scripted import Connection, serving
from tests.staging.stages import Person, RunningStage, running_stage

PATIENCE_S = 10.0


@dataclass
class Listener:
    """A socket, and what it has called back."""

    socket: RealtimeSocket
    inserted: list[Row] = field(default_factory=list)
    gaps: list[tuple[str, int | None]] = field(default_factory=list)
    downs: list[str] = field(default_factory=list)


@contextmanager
def listening(
    url: str, key: str, user_id: str, recorded: Recorded, heartbeat_s: float = PATIENCE_S
) -> Iterator[Listener]:
    """A socket that is not open yet; closed afterwards."""
    inserted: list[Row] = []
    gaps: list[tuple[str, int | None]] = []
    downs: list[str] = []
    socket = RealtimeSocket(
        url=url,
        api_key=key,
        number=1,
        user_id=user_id,
        ledger=recorded.ledger,
        heartbeat_s=heartbeat_s,
        timeout_s=PATIENCE_S,
        on_insert=inserted.append,
        on_gap=lambda chat_id, seq: gaps.append((chat_id, seq)),
        on_down=downs.append,
    )
    try:
        yield Listener(socket, inserted, gaps, downs)
    finally:
        socket.close()


@contextmanager
def subscribed(
    stage: RunningStage, recorded: Recorded, heartbeat_s: float = PATIENCE_S
) -> Iterator[tuple[Listener, Person, str]]:
    """Somebody who listens to a chat of their own."""
    person = stage.person()
    chat_id = stage.chat(person)
    with listening(stage.supabase_url, stage.anon_key, person.id, recorded, heartbeat_s) as listener:
        listener.socket.open()
        listener.socket.join([chat_id], person.token, PATIENCE_S)
        yield listener, person, chat_id


def send(stage: RunningStage, sender: Person, chat_id: str, text: str) -> str:
    """Store a message; its id."""
    answer = httpx.post(
        f"{stage.app_url}/api/messages",
        headers={"Authorization": f"Bearer {sender.token}"},
        json={"chatId": chat_id, "text": text},
    )
    answer.raise_for_status()
    return str(answer.json()["id"])


def test_join_then_subscribed_then_events(stage: RunningStage, recorded: Recorded) -> None:
    with subscribed(stage, recorded) as (listener, person, chat_id):
        assert recorded.steps() == [SocketEvent.CONNECTED, SocketEvent.JOINED, SocketEvent.SUBSCRIBED]
        text = 'He said "שלום" 🎉\nand left'
        before_ns = time.monotonic_ns()
        sent = [send(stage, person, chat_id, text) for _ in range(3)]
        wait_until(lambda: len(listener.inserted) == 3)
        assert [row.id for row in listener.inserted] == sent
        assert [row.seq for row in listener.inserted] == [1, 2, 3]
        assert {row.message_text for row in listener.inserted} == {text}
        for event, message_id in zip(recorded.rows("events"), sent, strict=True):
            assert str(uuid.UUID(bytes=event["message_id"])) == message_id
            assert str(uuid.UUID(bytes=event["chat_id"])) == chat_id
            assert str(uuid.UUID(bytes=event["user_id"])) == person.id
            assert event["type"] == EventType.INSERT
            assert event["status"] == Status.SENT
            assert event["text_crc32"] == zlib.crc32(text.encode())
            assert before_ns < event["received_ns"] < time.monotonic_ns()
    assert listener.downs == [], "we closed it ourselves"
    assert recorded.steps()[-1] is SocketEvent.CLOSED
    names = [(kind, name, error) for kind, name, _, error in recorded.requests]
    assert names == [("WS", "connect", None), ("WS", "join", None), ("WS", "subscribe", None)]


def test_a_heartbeat_is_answered_and_what_is_owed_ends_with_finish(
    stage: RunningStage, recorded: Recorded
) -> None:
    with subscribed(stage, recorded, heartbeat_s=0.05) as (listener, _, chat_id):
        wait_until(lambda: sum(name == "heartbeat" for _, name, *_ in recorded.requests) >= 3)
        assert listener.socket.probe(PATIENCE_S)
        before_ns = time.monotonic_ns()
        assert listener.socket.finish({chat_id: 7, str(uuid.uuid4()): 1}, PATIENCE_S)
        finished = [row for row in recorded.rows("sockets") if row["event"] == SocketEvent.FINISHED]
        assert [(str(uuid.UUID(bytes=row["chat_id"])), row["seq"]) for row in finished] == [(chat_id, 7)]
        assert finished[0]["at_ns"] >= before_ns
        assert not listener.downs
        listener.socket.cut()
        assert not listener.socket.finish({chat_id: 8}, PATIENCE_S), "a socket that is down promises nothing"
        assert recorded.step(SocketEvent.CLOSED)["detail"] == "cut by us"
        assert not listener.downs


def test_what_was_read_in_history_was_no_wait_for_events(stage: RunningStage, recorded: Recorded) -> None:
    with subscribed(stage, recorded) as (listener, _, chat_id):
        listener.socket.note_caught_up(chat_id, 7)
        assert listener.socket.finish({chat_id: 7}, PATIENCE_S)
        assert recorded.step(SocketEvent.CAUGHT_UP)["seq"] == 7
        assert recorded.step(SocketEvent.FINISHED)["seq"] is None


def test_what_was_told_otherwise_was_no_wait_for_events(stage: RunningStage, recorded: Recorded) -> None:
    with subscribed(stage, recorded) as (listener, _, chat_id):
        listener.socket.note_known(chat_id, 7)
        assert listener.socket.finish({chat_id: 7}, PATIENCE_S)
        assert recorded.step(SocketEvent.FINISHED)["seq"] is None
        assert SocketEvent.CAUGHT_UP not in recorded.steps()


def test_a_new_token_is_a_gap_until_the_server_has_confirmed_it(
    stage: RunningStage, recorded: Recorded
) -> None:
    with subscribed(stage, recorded) as (listener, person, chat_id):
        send(stage, person, chat_id, "before")
        wait_until(lambda: len(listener.inserted) == 1)
        token, refresh_token = person.token, person.refresh_token
        while token == person.token:  # tokens of one second are the same
            renewed = httpx.post(
                f"{stage.supabase_url}/auth/v1/token?grant_type=refresh_token",
                headers={"apikey": stage.anon_key},
                json={"refresh_token": refresh_token},
            ).json()
            token, refresh_token = renewed["access_token"], renewed["refresh_token"]
        pushed_after_ns = time.monotonic_ns()
        listener.socket.refresh(token)
        wait_until(lambda: listener.gaps)
        assert listener.gaps == [(chat_id, 1)]
        assert recorded.steps()[-2:] == [SocketEvent.UNSUBSCRIBED, SocketEvent.SUBSCRIBED]
        ended, again = recorded.step(SocketEvent.UNSUBSCRIBED), recorded.step(SocketEvent.SUBSCRIBED)
        assert pushed_after_ns <= ended["at_ns"] <= again["at_ns"]
        send(stage, person, chat_id, "after")
        wait_until(lambda: len(listener.inserted) == 2)
        assert not listener.downs


def test_who_is_not_let_in_hears_why(stage: RunningStage, recorded: Recorded) -> None:
    person = stage.person()
    with listening(stage.supabase_url, "no key", person.id, recorded) as listener:
        with pytest.raises(RealtimeError, match="the WebSocket was refused: 401"):
            listener.socket.open()
        assert not listener.socket.is_open
    with listening(stage.supabase_url, stage.anon_key, person.id, recorded) as listener:
        listener.socket.open()
        with pytest.raises(RealtimeError, match="JWT"):
            listener.socket.join([str(uuid.uuid4())], "no token", PATIENCE_S)
    assert recorded.steps()[:3] == [SocketEvent.REFUSED, SocketEvent.CONNECTED, SocketEvent.REFUSED]
    assert next(error for _, name, _, error in recorded.requests if name == "connect")


def test_a_server_that_is_none(recorded: Recorded) -> None:
    def hang_up(connection: Connection) -> None:
        connection.request()

    with (
        serving(hang_up) as server,
        listening(server.url, "k", CHAT, recorded) as listener,
        pytest.raises(RealtimeError, match="is no HTTP"),
    ):
        listener.socket.open()


@pytest.mark.parametrize("asked", [False, True])
def test_a_deaf_socket_is_down_from_its_last_sign_of_life(
    stage: RunningStage, recorded: Recorded, asked: bool
) -> None:
    """When a heartbeat is missed, or as soon as somebody asks."""
    heartbeat_s = PATIENCE_S if asked else 0.3
    with running_stage("realtime_deaf_rate=1", database_url=stage.database_url) as deaf:
        person = deaf.person()
        with listening(deaf.supabase_url, deaf.anon_key, person.id, recorded, heartbeat_s) as listener:
            listener.socket.open()
            opened_ns = recorded.step(SocketEvent.CONNECTED)["at_ns"]
            if asked:
                assert not listener.socket.finish({}, 0.05), "it looks open, and does not answer"
            wait_until(lambda: listener.downs)
            assert listener.downs == ["the server did not answer a heartbeat"]
            closed = recorded.step(SocketEvent.CLOSED)
            assert closed["at_ns"] == opened_ns
            assert asked or time.monotonic_ns() - closed["at_ns"] >= heartbeat_s * 1e9
            assert not listener.socket.is_open


@pytest.mark.parametrize(
    ("fault", "reason", "lost"),
    [
        ("realtime_cut_every_s=1", "the connection ended without a close frame", []),
        ("realtime_close_every_s=1", "the server closed the socket with code 1000", []),
        ("realtime_token_life_s=0.5", "a channel ended: Token has expired", [SocketEvent.UNSUBSCRIBED]),
    ],
)
def test_a_socket_that_ends_says_why(
    stage: RunningStage, recorded: Recorded, fault: str, reason: str, lost: list[SocketEvent]
) -> None:
    with (
        running_stage(fault, database_url=stage.database_url) as faulty,
        subscribed(faulty, recorded) as (listener, _, chat_id),
    ):
        wait_until(lambda: listener.downs)
        assert len(listener.downs) == 1
        assert listener.downs[0].startswith(reason)
        assert recorded.steps()[3:] == [*lost, SocketEvent.CLOSED]
        with pytest.raises(RealtimeError, match="the socket is down"):
            listener.socket.join([chat_id], "token", PATIENCE_S)
        assert [error for _, name, _, error in recorded.requests if name == "lost"] == listener.downs


def test_joined_is_not_subscribed(stage: RunningStage, recorded: Recorded) -> None:
    with running_stage("realtime_no_system_rate=1", database_url=stage.database_url) as faulty:
        person = faulty.person()
        chat_id = faulty.chat(person)
        with listening(faulty.supabase_url, faulty.anon_key, person.id, recorded) as listener:
            listener.socket.open()
            with pytest.raises(RealtimeError, match=r"not confirmed within 0\.5 s"):
                listener.socket.join([chat_id], person.token, 0.5)
    assert recorded.steps()[:3] == [SocketEvent.CONNECTED, SocketEvent.JOINED, SocketEvent.REFUSED]


# Servers that no Supabase is: on purpose


def upgraded(connection: Connection) -> ServerProtocol:
    """Shake hands as a server."""
    protocol = ServerProtocol()
    protocol.receive_data(connection.request() or b"")
    (request,) = protocol.events_received()
    assert isinstance(request, Request)
    protocol.send_response(protocol.accept(request))
    connection.send(b"".join(protocol.data_to_send()))
    return protocol


def change(
    seq: int, padding: str = "", *, message_id: str | None = None, chat_id: str | None = None
) -> bytes:
    row = {
        "id": message_id or str(uuid.uuid4()),
        "chat_id": chat_id or CHAT,
        "sender_id": CHAT,
        "seq": seq,
        "message_text": padding,
    }
    data = {"type": "INSERT", "table": "chat_messages", "record": row, "errors": None}
    message = json.dumps([None, None, TOPIC + CHAT, CHANGE, {"data": data, "ids": [1]}])
    return Frame(Opcode.TEXT, message.encode()).serialize(mask=False)


CHAT = "00000000-0000-4000-8000-000000000001"
ELSEWHERE = "00000000-0000-4000-8000-000000000002"


def saying(*parts: bytes) -> Callable[[Connection], None]:
    """Shakes hands, sends these parts, and waits for the client to go."""

    def script(connection: Connection) -> None:
        upgraded(connection)
        for part in parts:
            connection.send(part)
        connection.request()

    return script


def test_a_flood_leaves_others_their_turn(recorded: Recorded) -> None:
    """A server that has a megabyte ready: between two reads of 64 KiB, everybody else is asked."""
    flood = b"".join(change(seq, "x" * 1000) for seq in range(1, 1001))
    turns = 0
    at: list[int] = []

    def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    with serving(saying(flood)) as server, listening(server.url, "k", CHAT, recorded) as listener:
        listener.socket._on_insert = lambda _: at.append(turns)
        listener.socket.open()
        time.sleep(0.2)  # not gevent's: nobody reads meanwhile, so that the flood stands ready
        job = gevent.spawn(other)
        wait_until(lambda: len(at) == 1000)
        job.kill()
        assert sum(before != after for before, after in pairwise(at)) >= len(flood) // 65_536 - 2


def test_what_comes_again_late_or_astray_is_noticed(recorded: Recorded) -> None:
    """As soon as the answers vouch for it; Locust's statistics count it anyway."""
    one, other, foreign, unknown = (str(uuid.uuid4()) for _ in range(4))
    events = [
        change(1, message_id=one),
        change(1, message_id=one),
        change(3, message_id=other),
        change(2, message_id=foreign),
        change(4, message_id=unknown),
        change(4, message_id=unknown),
        change(9, chat_id=ELSEWHERE),
    ]
    watch = recorded.ledger.watch = Watch({CHAT: [CHAT], ELSEWHERE: ["somebody"]})
    recorded.ledger.note_wrong, recorded.ledger.note_stray = watch.event, watch.stray
    for message, seq in ((one, 1), (other, 3), (foreign, 2)):
        watch.answered.note(message, CHAT, seq)
    with serving(saying(*events)) as server, listening(server.url, "k", CHAT, recorded) as listener:
        listener.socket._channels[TOPIC + CHAT] = Channel(CHAT, "1", 0)
        listener.socket.open()
        wait_until(lambda: len(listener.inserted) == len(events))
    found = [said["finding"] for said in watch.notices.take(0.0)]
    assert [(said["criterion"], said["message_id"], said["recipient_id"]) for said in found[:2]] == [
        ("realtime.duplicated", one, CHAT),
        ("realtime.reordered", foreign, CHAT),
    ]
    assert [said["criterion"] for said in found[2:]] == ["realtime.phantom"]
    assert [error for _, name, _, error in recorded.requests if name == "event"] == [
        TWICE,
        OUT_OF_ORDER,
        TWICE,
    ]


def test_nonsense_is_counted_and_does_not_end_the_socket(recorded: Recorded) -> None:
    nonsense = [
        Frame(Opcode.TEXT, data).serialize(mask=False)
        for data in (b"not JSON", b"{}", b'[null,null,"t","e"]', b"[]")
    ]
    with (
        serving(saying(*nonsense, change(1))) as server,
        listening(server.url, "k", CHAT, recorded) as listener,
    ):
        listener.socket.open()
        wait_until(lambda: listener.inserted)
        assert listener.socket.is_open
    assert sum(name == "malformed frame" for _, name, *_ in recorded.requests) == len(nonsense)


def test_frames_that_come_with_the_handshake_are_not_lost(recorded: Recorded) -> None:
    def eager(connection: Connection) -> None:
        protocol = ServerProtocol()
        protocol.receive_data(connection.request() or b"")
        (request,) = protocol.events_received()
        protocol.send_response(protocol.accept(request))
        connection.send(b"".join(protocol.data_to_send()) + change(1) + change(2))
        connection.request()

    with serving(eager) as server, listening(server.url, "k", CHAT, recorded) as listener:
        listener.socket.open()
        wait_until(lambda: [row.seq for row in listener.inserted] == [1, 2])


def test_a_server_that_breaks_the_rules_is_left(recorded: Recorded) -> None:
    masked = Frame(Opcode.TEXT, b"masked").serialize(mask=True)
    with (
        serving(saying(change(1), masked, change(2))) as server,
        listening(server.url, "k", CHAT, recorded) as listener,
    ):
        listener.socket.open()
        wait_until(lambda: listener.downs)
        assert listener.downs == ["the server broke the protocol: incorrect masking"]
        assert [row.seq for row in listener.inserted] == [1]


def said(event: str, payload: dict[str, object], ref: str | None = None) -> bytes:
    message = json.dumps([None, ref, TOPIC + CHAT, event, payload]).encode()
    return Frame(Opcode.TEXT, message).serialize(mask=False)


CONFIRMED = said("system", {"status": "ok", "extension": CHANGE, "message": "Subscribed to PostgreSQL"})


def test_nothing_is_subscribed_or_refused_after_the_end(recorded: Recorded) -> None:
    """What the server had sent before it read our goodbye still comes in, and is no new promise."""

    def late(connection: Connection) -> None:
        protocol = upgraded(connection)
        heard: list[Frame] = []

        def hear(opcode: Opcode) -> Frame:
            while not any(frame.opcode is opcode for frame in heard):
                protocol.receive_data(connection.socket.recv(65_536))
                heard.extend(event for event in protocol.events_received() if isinstance(event, Frame))
            return next(frame for frame in heard if frame.opcode is opcode)

        ref = json.loads(hear(Opcode.TEXT).data)[1]
        connection.send(said("phx_reply", {"status": "ok", "response": {}}, ref) + CONFIRMED)
        hear(Opcode.CLOSE)
        connection.send(CONFIRMED + said("phx_close", {}) + b"".join(protocol.data_to_send()))

    with serving(late) as server, listening(server.url, "k", CHAT, recorded) as listener:
        listener.socket.open()
        listener.socket.join([CHAT], "token", PATIENCE_S)
        listener.socket.close()
    assert recorded.steps() == [
        SocketEvent.CONNECTED,
        SocketEvent.JOINED,
        SocketEvent.SUBSCRIBED,
        SocketEvent.CLOSED,
    ]
    assert [error for *_, error in recorded.requests] == [None] * 3
