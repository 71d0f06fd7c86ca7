"""A byte stream to a server, plain or TLS, for the greenlets of one process.

Waits go to gevent's loop directly: first wait, then read. A request's answer is never there at once, so trying
first would cost a failing system call and an exception each; and a stream that always has data passes through
the loop's poll after each read of at most `READ_SIZE` bytes, so it cannot starve the others.

Nothing here needs monkey-patching, and nothing minds it. One greenlet reads a stream at a time; writers take
turns by themselves.
"""

import errno
import os
import select
import socket
import ssl
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import gevent
import gevent.hub
import gevent.monkey
import gevent.socket

from locustfiles.clients import arrival

READ_SIZE: Final = 65_536  # bytes of one read; some 60 Realtime frames, well below a millisecond of work
LINGER_S: Final = 1.0

_READ, _WRITE = 1, 2  # events of a watcher, as libev numbers them
_socket: Any = gevent.monkey.get_original("socket", "socket")
_poll: Any = gevent.monkey.get_original("select", "poll")
_getaddrinfo: Any = gevent.monkey.get_original("socket", "getaddrinfo")

_Address = tuple[Any, Any, int, str, Any]  # as `getaddrinfo` gives it


class ConnectError(OSError):
    """No connection could be made: nothing has been sent. ``str()`` of it says why, in a few words."""


class SendError(OSError):
    """A write failed.

    Attributes:
        nothing_left: not one byte of it reached the network.
    """

    def __init__(self, message: str, *, nothing_left: bool) -> None:
        super().__init__(message)
        self.nothing_left = nothing_left


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a URL points: scheme, host and port."""

    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> "Origin":
        """The origin of `url` (http, https, ws or wss)."""
        parts: SplitResult = urlsplit(url)
        tls = parts.scheme in {"https", "wss"}
        return cls(parts.hostname or "", parts.port or (443 if tls else 80), tls)

    @property
    def header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class Stream:
    """An open connection.

    Attributes:
        came_ns: by `time.monotonic_ns`, when what the last read returned had come in, its end or at least some of it.
    """

    __slots__ = (
        "_arrivals",
        "_closed",
        "_hub",
        "_incoming",
        "_outgoing",
        "_poll",
        "_raw",
        "_readable",
        "_tls",
        "_writable",
        "came_ns",
    )

    def __init__(self, raw: socket.socket) -> None:
        self._raw = raw
        self._hub = gevent.get_hub()
        self._readable = self._hub.loop.io(raw.fileno(), _READ)
        self._writable: Any = None
        self._poll: select.poll | None = None
        self._tls: ssl.SSLObject | None = None
        self._closed = False
        self._arrivals = arrival.arrivals()
        if self._arrivals is not None:
            arrival.stamp(raw)
        self.came_ns = 0

    @classmethod
    def connect(cls, origin: Origin, timeout_s: float) -> "Stream":
        """Open a connection, with the certificate verified where TLS is used.

        Raises:
            ConnectError: it could not be opened within `timeout_s`.
        """
        try:
            stream = cls._to_one_of(_addresses(origin), timeout_s)
        except TimeoutError:
            raise ConnectError("connecting timed out") from None
        except OSError as error:
            raise ConnectError(_words(error)) from error
        if origin.tls:
            try:
                stream._shake_hands(origin.host, timeout_s)
            except BaseException as error:
                stream.close()
                if isinstance(error, OSError):  # SSLError and TimeoutError are among these
                    raise ConnectError(_words(error)) from error
                raise
        return stream

    @classmethod
    def _to_one_of(cls, addresses: Sequence[_Address], timeout_s: float) -> "Stream":
        """A connection to the first address that takes one; where none does, the last one's error is raised."""
        *others, last = addresses
        for address in others:
            with suppress(OSError):
                return cls._to(address, timeout_s)
        return cls._to(last, timeout_s)

    @classmethod
    def _to(cls, address: _Address, timeout_s: float) -> "Stream":
        family, kind, protocol, _, place = address
        raw = _socket(family, kind, protocol)
        raw.setblocking(False)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = cls(raw)
        try:
            stream._reach(place, timeout_s)
        except BaseException:
            stream.close()
            raise
        return stream

    def _reach(self, place: Any, timeout_s: float) -> None:
        code = self._raw.connect_ex(place)
        if code == errno.EINPROGRESS:
            # A near server has answered already: nobody waits until the loop has served all others.
            if not _is_writable(self._raw):
                self._wait(self._to_write(), timeout_s)
            code = self._raw.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    def recv(self, timeout_s: float | None) -> bytes:
        """Wait for bytes and return them; ``b""`` at the end of the stream.

        Raises:
            TimeoutError: none came within `timeout_s`.
            OSError: the connection broke.
        """
        while True:
            if self._tls is not None:
                try:
                    return self._tls.read(READ_SIZE)
                except ssl.SSLWantReadError:
                    self._flush()
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            self._wait(self._readable, timeout_s)
            try:
                data = self._read()
            except BlockingIOError:
                continue
            if self._tls is None:
                return data
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def send(self, data: bytes, timeout_s: float | None = None) -> None:
        """Write all of `data`.

        Raises:
            SendError: the connection broke, or did not take it all within `timeout_s`.
        """
        if self._tls is not None:
            self._tls.write(data)
            data = self._outgoing.read()
        self._send(data, timeout_s)

    def has_unread(self) -> bool:
        """Whether there is something to read: bytes, or the end."""
        if self._poll is None:
            self._poll = _poll()
            self._poll.register(self._raw.fileno(), select.POLLIN)
        return bool(self._poll.poll(0))

    def shutdown(self) -> None:
        """End the connection both ways: whoever reads it gets the end of the stream at once."""
        if not self._closed:
            try:
                self._raw.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                if error.errno != errno.ENOTCONN:  # the other side was first
                    raise

    def close(self) -> None:
        """Give the socket back. Only the greenlet that reads may call it, or nobody reads any more."""
        if not self._closed:
            self._closed = True
            self._readable.close()
            if self._writable is not None:
                self._writable.close()
            self._raw.close()

    def _shake_hands(self, host: str, timeout_s: float) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = _tls_context().wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush()
                self._wait(self._readable, timeout_s)
                data = self._read()
                if not data:
                    raise ConnectionResetError(errno.ECONNRESET, "closed during the TLS handshake") from None
                self._incoming.write(data)
            else:
                break
        self._flush()
        self._tls = tls

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._send(self._outgoing.read(), LINGER_S)

    def _read(self) -> bytes:
        """What is there, and when it came."""
        if self._arrivals is None:
            data = self._raw.recv(READ_SIZE)
            self.came_ns = time.monotonic_ns()
            return data
        data, told, _, _ = self._raw.recvmsg(READ_SIZE, arrival.ROOM)
        now_ns = time.monotonic_ns()
        # Without a stamp: the end of the stream. Never before what was read earlier: the clocks are compared to within some µs.
        self.came_ns = max(self.came_ns, self._arrivals.came_ns(told[0][2], now_ns)) if told else now_ns
        return data

    def _send(self, data: bytes, timeout_s: float | None) -> None:
        rest: bytes | memoryview = data
        left = 0
        try:
            while True:
                try:
                    sent = self._raw.send(rest)
                except BlockingIOError:
                    sent = 0
                left += sent
                if left == len(data):
                    return
                rest = memoryview(data)[left:]
                self._wait(self._to_write(), timeout_s)
        except TimeoutError:
            raise SendError("writing timed out", nothing_left=not left) from None
        except OSError as error:
            raise SendError(_words(error), nothing_left=not left) from error

    def _to_write(self) -> Any:
        if self._writable is None:
            self._writable = self._hub.loop.io(self._raw.fileno(), _WRITE)
        return self._writable

    def _wait(self, watcher: Any, timeout_s: float | None) -> None:
        if self._closed:
            raise OSError(errno.EBADF, "the connection is closed")
        waiter = gevent.hub.Waiter(self._hub)
        if timeout_s is None:
            watcher.start(waiter.switch, True)
            try:
                waiter.get()
            finally:
                watcher.stop()
            return
        timer = self._hub.loop.timer(timeout_s)
        watcher.start(waiter.switch, True)
        timer.start(waiter.switch, False)
        try:
            in_time = waiter.get()
        finally:
            watcher.stop()
            timer.close()
        if not in_time:
            raise TimeoutError("timed out")


def _addresses(origin: Origin) -> list[_Address]:
    """Where to connect. A number is its own address; a name is looked up each time, in a thread: it may move."""
    found: list[_Address]
    try:
        found = _getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        found = gevent.socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
    return found


def _is_writable(raw: socket.socket) -> bool:
    poll = _poll()
    poll.register(raw.fileno(), select.POLLOUT)
    return bool(poll.poll(0))


@cache
def _tls_context() -> ssl.SSLContext:
    """One for the process: loading the certificates takes tens of milliseconds."""
    return ssl.create_default_context()


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate not accepted: {error.verify_message}"
    if isinstance(error, socket.gaierror):
        return f"host not found: {error.strerror}"
    return (error.strerror or str(error)).lower()
