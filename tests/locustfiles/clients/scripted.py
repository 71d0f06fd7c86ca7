"""A real server on loopback, in a thread, whose every connection follows a script: it can be slow, rude, or silent."""

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

WAIT_S = 10.0
BACKLOG = 64


@dataclass
class Connection:
    """One connection, as the script of the server sees it."""

    socket: socket.socket
    number: int
    requests: list[bytes]
    _rest: bytes = b""

    def request(self) -> bytes | None:
        """The next request's head and body; None when the client has closed."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        while len(self._rest) < length:
            if not self._more():
                return None
        body, self._rest = self._rest[:length], self._rest[length:]
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self.socket.sendall(data)

    def answer(self, body: bytes = b"{}", status: int = 200, *lines: str) -> None:
        """A whole answer with a length."""
        head = "\r\n".join([f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *lines, "", ""])
        self.send(head.encode() + body)

    def reset(self) -> None:
        """End the connection with a RST, as a crashed server's kernel does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _more(self) -> bool:
        data = self.socket.recv(65_536)
        self._rest += data
        return bool(data)


Script = Callable[[Connection], None]


@dataclass
class Server:
    """Where it listens, and what has come in."""

    port: int
    connections: list[Connection] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)  # of all connections
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def bodies(self) -> list[bytes]:
        return [request.partition(b"\r\n\r\n")[2] for request in self.requests]


@contextlib.contextmanager
def serving(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """A server whose first connection follows the first script, and so on; the last script goes on for all others.

    A script that wants to be silent waits for nothing but ``request()``, which ends when the client closes. Scripts
    may find their connection gone; whatever else goes wrong in one fails the test.
    """
    problems: list[BaseException] = []
    threads: list[threading.Thread] = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
    server = Server(listener.getsockname()[1])

    def follow(script: Script, accepted: socket.socket, number: int) -> None:
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured = tls.wrap_socket(accepted, server_side=True) if tls is not None else accepted
            connection = Connection(secured, number, server.requests)
            server.connections.append(connection)
            with secured:
                script(connection)
        except (ConnectionError, ssl.SSLError):
            accepted.close()
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            problems.append(error)

    def accept() -> None:
        for number in range(1000):
            accepted, _ = listener.accept()
            if server.ending.is_set():
                accepted.close()
                return
            accepted.settimeout(WAIT_S)
            script = scripts[min(number, len(scripts) - 1)]
            threads.append(threading.Thread(target=follow, args=(script, accepted, number)))
            threads[-1].start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield server
    finally:
        server.ending.set()
        socket.create_connection(("127.0.0.1", server.port)).close()  # wakes the acceptor
        acceptor.join(WAIT_S)
        for thread in threads:
            thread.join(2 * WAIT_S)
        listener.close()
    assert not problems, problems
    assert not any(thread.is_alive() for thread in (*threads, acceptor)), "a script did not end"
