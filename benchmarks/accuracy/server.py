"""The calibrated server: answers each send after exactly the time that was asked for, and writes down what it took.

    python -m benchmarks.accuracy.server '{"kind": "Constant", "ms": 20}'

Its port is the first line on standard output. Each line on standard input is a question: it is answered by one line of
JSON, ``{"answered": [[key, received_ns, answered_ns], …], "busy_share": 0.2}``: for every request so far its idempotency key, when the
kernel received the last of its bytes and when its answer was written (both on CLOCK_MONOTONIC, which all processes of a machine share), and
how much of its time since the first one the server spent on requests. From received to answered is the truth that a load tester's service times
are held against: what its network and its own clients add comes on top of it. A request that lies unread because the machine gave the server's
core to somebody else is slow by the server, and by nobody's clock but the kernel's. From when a request was due to answered is the truth of
response times.

It never sleeps, because a timer of the kernel or of an event loop is up to a millisecond late: it has a core of its own.
"""

import heapq
import json
import os
import re
import select
import socket
import sys
import time
from collections.abc import Mapping
from random import Random
from typing import Any

from benchmarks.accuracy import latencies
from benchmarks.accuracy.latencies import Latency
from locustfiles.clients.arrival import ROOM, arrivals, stamp

NS_PER_MS = 1_000_000
SEED = 20_240_229
BODY = b'{"id":"5b1f0f0a-52d7-4a3c-9d4e-2f7c4a0d8e11","seq":7,"status":"sent","created_at":"2026-01-01T00:00:00.000000+00:00"}'
ANSWER = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
    len(BODY),
    BODY,
)
_KEY = re.compile(rb'"clientGeneratedId":\s*"([^"]*)"')


def latency_of(told: Mapping[str, Any]) -> Latency:
    """The distribution that `told` names by its ``kind``, with its parameters."""
    parameters = dict(told)
    found: Latency = getattr(latencies, parameters.pop("kind"))(**parameters)
    return found


class CalibratedServer:
    """One thread, one listening socket on the loopback address, answers in the order in which they are due."""

    def __init__(self, latency: Latency) -> None:
        self._latency = latency
        self._rng = Random(SEED)
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listening.setblocking(False)
        self._poll = select.epoll()
        self._poll.register(self._listening, select.EPOLLIN)
        self._poll.register(sys.stdin, select.EPOLLIN)
        self._connections: dict[int, socket.socket] = {}
        self._halves: dict[int, bytes] = {}  # a request that has not come to its end
        self._due: list[tuple[int, int, int, str]] = []  # due, received (both ns), connection, key
        self._stamps = arrivals()
        self._first_ns = self._last_ns = 0  # of the first request and the last answer
        self._busy_ns = 0  # spent on requests and answers; the rest of its core it spends on looking
        self._answered: list[tuple[str, int, int]] = []  # key, received, answered (both ns)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._listening.getsockname()[1]
        return port

    def serve(self) -> None:
        """Until standard input ends."""
        asked = sys.stdin.fileno()
        before_ns = time.monotonic_ns()
        while True:
            worked = False
            for descriptor, _ in self._poll.poll(0):
                worked = True
                if descriptor in self._connections:
                    self._read(descriptor)
                elif descriptor == asked:
                    if not os.read(asked, 4096):
                        return
                    span_ns = max(1, self._last_ns - self._first_ns)
                    busy_share = min(1.0, self._busy_ns / span_ns)
                    print(json.dumps({"answered": self._answered, "busy_share": busy_share}), flush=True)
                else:
                    self._accept()
            while self._due and self._due[0][0] <= time.monotonic_ns():
                worked = True
                self._answer(*heapq.heappop(self._due)[1:])
            now_ns = time.monotonic_ns()
            if worked and self._first_ns:
                self._busy_ns += now_ns - before_ns
            before_ns = now_ns

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._stamps is not None:
            stamp(connection)
        self._connections[connection.fileno()] = connection
        self._poll.register(connection, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        try:
            came, told, _, _ = self._connections[descriptor].recvmsg(65536, ROOM)
        except ConnectionResetError:
            came, told = b"", []
        came_ns = time.monotonic_ns()
        if self._stamps is not None and told:
            came_ns = self._stamps.came_ns(told[0][2], came_ns)
        if not came:
            self._poll.unregister(descriptor)
            self._connections.pop(descriptor).close()
            self._halves.pop(descriptor, None)
            return
        request = self._halves.pop(descriptor, b"") + came
        head, end, body = request.partition(b"\r\n\r\n")
        if not end or len(body) < _length_of(head):
            self._halves[descriptor] = request
            return
        self._first_ns = self._first_ns or came_ns
        latency_ms = self._latency.quantile(self._uniform(), (came_ns - self._first_ns) / 1e9)
        key = found[1].decode() if (found := _KEY.search(body)) else ""
        heapq.heappush(self._due, (came_ns + round(latency_ms * NS_PER_MS), came_ns, descriptor, key))

    def _uniform(self) -> float:
        return self._rng.random() or 0.5  # random() may give 0, of which there is no quantile

    def _answer(self, received_ns: int, descriptor: int, key: str) -> None:
        connection = self._connections.get(descriptor)
        if connection is None:  # it left without waiting
            return
        self._last_ns = time.monotonic_ns()
        self._answered.append((key, received_ns, self._last_ns))
        connection.send(ANSWER)


def _length_of(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line[:15].lower() == b"content-length:":
            return int(line[15:])
    return 0


def main() -> None:
    """Serve what the argument says."""
    server = CalibratedServer(latency_of(json.loads(sys.argv[1])))
    print(server.port, flush=True)
    server.serve()


if __name__ == "__main__":
    main()
