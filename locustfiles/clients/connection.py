"""One keep-alive HTTP/1.1 connection over a gevent socket: bytes out, status and body in.

geventhttpclient's own client sends a request again by itself when a kept-alive connection turns out to be closed.
A message could be stored twice by that without anybody knowing, so we use its parser (llhttp) and socket handling
of our own: nothing is ever sent twice from here.
"""

import socket as stdlib_socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import gevent.socket
import gevent.ssl
from geventhttpclient._parser import HTTPParseError, HTTPResponseParser

from locustfiles.clients.errors import NoAnswerError, NotSentError

READ_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `done_ns` is when its last byte had been read, by CLOCK_MONOTONIC."""

    status: int
    body: bytes
    left_ns: int
    done_ns: int


class _Parser(HTTPResponseParser):
    """Keeps the body and notices the end; headers are parsed and dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.body: list[bytes] = []
        self.complete = False

    def _on_body(self, data: bytes) -> None:
        self.body.append(bytes(data))

    def _on_message_begin(self) -> None:
        self.complete = False  # an interim answer (1xx) may have come before

    def _on_message_complete(self) -> None:
        self.complete = self.get_code() >= 200

    def _on_status(self, text: str) -> None:
        pass

    def _on_header_field(self, text: str) -> None:
        pass

    def _on_header_value(self, text: str) -> None:
        pass

    def _on_headers_complete(self) -> None:
        pass


class Connection:
    """To one origin, opened when needed. Not for two greenlets at once.

    Args:
        url: of the origin; path and query are ignored.
        timeout_s: for connecting, and again for each whole exchange.
    """

    def __init__(self, url: str, timeout_s: float) -> None:
        parts = urlsplit(url)
        self._tls = parts.scheme == "https"
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if self._tls else 80)
        self.authority = parts.netloc.rpartition("@")[2]  # for the Host header
        self._timeout_s = timeout_s
        self._socket: gevent.socket.socket | None = None

    def exchange(self, request: bytes) -> Answer:
        """Send `request`, return the answer.

        Raises:
            NotSentError: no connection came about.
            NoAnswerError: the request may have arrived, and there is no whole answer.
        """
        sock = self._usable()
        left_ns = time.monotonic_ns()
        deadline_ns = left_ns + int(self._timeout_s * 1e9)
        parser = _Parser()
        try:
            sock.sendall(request)
            while True:
                data = sock.recv(READ_BYTES)
                if not data:
                    raise NoAnswerError("the server closed the connection before its answer was complete")
                parser.feed(data)
                if parser.complete:
                    break
                if time.monotonic_ns() > deadline_ns:
                    raise TimeoutError
        except BaseException as error:
            self.close()
            if isinstance(error, TimeoutError):  # socket.timeout is the same class
                raise NoAnswerError(f"no answer within {self._timeout_s:g} s") from None
            if isinstance(error, (OSError, HTTPParseError)):
                raise NoAnswerError(f"{type(error).__name__}: {error}") from None
            raise
        done_ns = time.monotonic_ns()
        if not parser.should_keep_alive():
            self.close()
        return Answer(parser.get_code(), b"".join(parser.body), left_ns, done_ns)

    def close(self) -> None:
        """Close the socket; the next exchange opens a new one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _usable(self) -> gevent.socket.socket:
        if self._socket is not None and self._closed_by_server(self._socket):
            self.close()
        if self._socket is None:
            self._socket = connected(self._host, self._port, self._timeout_s, tls=self._tls)
        return self._socket

    def _closed_by_server(self, sock: gevent.socket.socket) -> bool:
        """Whether a kept-alive connection has ended meanwhile: noticed before anything is written to it."""
        if self._tls:
            return False  # a peek would read ciphertext; a stale one is noticed when the answer fails to come
        try:
            # gevent's own recv would wait; the plain socket below it answers at once.
            return bool(sock._sock.recv(1, stdlib_socket.MSG_PEEK | stdlib_socket.MSG_DONTWAIT) == b"")
        except BlockingIOError:
            return False
        except OSError:
            return True


def connected(host: str, port: int, timeout_s: float, *, tls: bool) -> gevent.socket.socket:
    """A connected socket with TCP_NODELAY; TLS verifies the certificate.

    Raises:
        NotSentError: no connection came about.
    """
    try:
        sock = gevent.socket.create_connection((host, port), timeout=timeout_s)
        sock.setsockopt(gevent.socket.IPPROTO_TCP, gevent.socket.TCP_NODELAY, 1)
        if tls:
            sock = _context().wrap_socket(sock, server_hostname=host)
    except (OSError, ssl.SSLError) as error:
        raise NotSentError(f"{type(error).__name__}: {error}") from None
    return sock


def _context() -> gevent.ssl.SSLContext:
    global _shared_context  # noqa: PLW0603 - loading the certificates takes 20 ms; one for all is enough
    if _shared_context is None:
        _shared_context = gevent.ssl.create_default_context()
    return _shared_context


_shared_context: gevent.ssl.SSLContext | None = None
