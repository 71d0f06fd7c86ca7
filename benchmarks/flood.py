"""A Realtime server that does one thing: after a join it floods its socket with INSERT events of 1.2 kB.

    python -m benchmarks.flood

Prints its port. For each line on standard input it prints how many frames it has handed to the kernel so far; in
the steady state the client reads as many. Frames are made beforehand and written 200 at a time, so that the
server needs a fraction of the client's time.
"""

import base64
import hashlib
import socket
import struct
import sys
import threading
import uuid
from itertools import count

import orjson

from benchmarks.loads.common import CHAT

FRAMES_OF_A_WRITE = 200
WRITES = 50  # different ones, sent in turn

_COLUMNS = {
    "id": "uuid", "chat_id": "uuid", "sender_id": "uuid", "message_text": "text", "message_type": "text",
    "reply_to_message_id": "uuid", "media_urls": "_text", "deleted_at": "timestamptz",
    "created_at": "timestamptz", "updated_at": "timestamptz", "seq": "int8", "client_generated_id": "uuid",
    "status": "text",
}  # fmt: skip
_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3


class Flood:
    """The server. `sent` frames so far, over all connections."""

    def __init__(self) -> None:
        self.sent = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        numbers = count(1)
        self._writes = [
            b"".join(_event(next(numbers)) for _ in range(FRAMES_OF_A_WRITE)) for _ in range(WRITES)
        ]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        try:
            _shake_hands(connection)
            join_ref, ref, topic, _, payload = orjson.loads(_client_frame(connection))
            bindings = [binding | {"id": 1} for binding in payload["config"]["postgres_changes"]]
            reply = {"status": "ok", "response": {"postgres_changes": bindings}}
            connection.sendall(_frame([join_ref, ref, topic, "phx_reply", reply]))
            connection.sendall(_frame([None, None, topic, "system", _SYSTEM]))
            while True:
                for data in self._writes:
                    connection.sendall(data)
                    self.sent += FRAMES_OF_A_WRITE
        except OSError:  # the client has been measured and is gone
            connection.close()


_SYSTEM = {
    "extension": "postgres_changes",
    "status": "ok",
    "message": "Subscribed to PostgreSQL",
    "channel": f"chat:{CHAT}",
}


def _event(number: int) -> bytes:
    record = {
        "id": str(uuid.uuid4()),
        "chat_id": CHAT,
        "sender_id": str(uuid.uuid4()),
        "message_text": "See you at the station at five, at the door",
        "message_type": "text",
        "reply_to_message_id": None,
        "media_urls": None,
        "deleted_at": None,
        "created_at": "2026-11-23T16:00:00.123456+00:00",
        "updated_at": "2026-11-23T16:00:00.123456+00:00",
        "seq": number,
        "client_generated_id": str(uuid.UUID(int=number)),
        "status": "sent",
    }
    data = {
        "schema": "public",
        "table": "chat_messages",
        "commit_timestamp": "2026-11-23T16:00:00.123Z",
        "type": "INSERT",
        "columns": [{"name": name, "type": type_} for name, type_ in _COLUMNS.items()],
        "record": record,
        "errors": None,
    }
    return _frame([None, None, f"realtime:chat:{CHAT}", "postgres_changes", {"ids": [1], "data": data}])


def _frame(content: object) -> bytes:
    payload = orjson.dumps(content)
    head = (
        bytes([0x81, len(payload)]) if len(payload) < 126 else b"\x81\x7e" + struct.pack(">H", len(payload))
    )
    return head + payload


def _shake_hands(connection: socket.socket) -> None:
    request = b""
    while b"\r\n\r\n" not in request:
        request += connection.recv(65536)
    lines = dict(line.split(b": ", 1) for line in request.split(b"\r\n")[1:] if b": " in line)
    key = next(value for name, value in lines.items() if name.lower() == b"sec-websocket-key")
    accept = base64.b64encode(hashlib.sha1(key.strip() + _MAGIC).digest())  # noqa: S324 - as the RFC has it
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )


def _client_frame(connection: socket.socket) -> bytes:
    """The payload of the client's first frame."""
    stream = connection.makefile("rb")
    _, length = stream.read(2)
    length &= 0x7F
    if length == 126:
        length = struct.unpack(">H", stream.read(2))[0]
    mask = stream.read(4)
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(stream.read(length)))


def main() -> None:
    """Serve until standard input ends."""
    flood = Flood()
    print(flood.port, flush=True)
    for _ in sys.stdin:
        print(flood.sent, flush=True)


if __name__ == "__main__":
    main()
