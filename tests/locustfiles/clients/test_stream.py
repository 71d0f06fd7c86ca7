"""Promise: a stream verifies whom it speaks to, says why it could not, and lets everybody else have their turn."""

import contextlib
import datetime
import socket
import ssl
import time
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import gevent
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from analysis.record.codes import Outcome
from locustfiles.clients import stream
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.stream import READ_SIZE, ConnectError, Origin, SendError, Stream
from tests.locustfiles.clients.scripted import Connection, serving

PATIENCE_S = 5.0


def origin(port: int, *, tls: bool = False) -> Origin:
    return Origin("127.0.0.1", port, tls)


@pytest.mark.parametrize(
    ("url", "expected", "header"),
    [
        ("http://example.com", Origin("example.com", 80, False), "example.com"),
        ("https://example.com/path?q", Origin("example.com", 443, True), "example.com"),
        ("wss://example.com:444", Origin("example.com", 444, True), "example.com:444"),
        ("ws://127.0.0.1:8000/x", Origin("127.0.0.1", 8000, False), "127.0.0.1:8000"),
        ("http://[::1]:3000", Origin("::1", 3000, False), "[::1]:3000"),
        ("https://example.com:80", Origin("example.com", 80, True), "example.com:80"),
    ],
)
def test_an_origin_is_where_a_url_points(url: str, expected: Origin, header: str) -> None:
    assert Origin.of(url) == expected
    assert expected.header == header


def test_reads_are_bounded_and_end_with_an_empty_one() -> None:
    def flood(connection: Connection) -> None:
        connection.send(b"x" * (4 * READ_SIZE))

    with serving(flood) as server:
        opened = Stream.connect(origin(server.port), PATIENCE_S)
        sizes = []
        while data := opened.recv(PATIENCE_S):
            sizes.append(len(data))
        opened.close()
    assert sum(sizes) == 4 * READ_SIZE
    assert max(sizes) <= READ_SIZE


def test_a_stream_that_always_has_data_lets_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "READ_SIZE", 4096)
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    with theirs, contextlib.suppress(BlockingIOError):
        while True:  # until no more fits
            theirs.send(b"x" * 4096)
    opened = Stream(ours)
    turns = 0

    def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    job = gevent.spawn(other)
    for _ in range(10):
        before = turns
        assert len(opened.recv(PATIENCE_S)) == 4096
        assert turns > before
    job.kill()
    opened.close()


def test_waiting_ends_in_time() -> None:
    with serving(lambda connection: connection.request()) as server:
        opened = Stream.connect(origin(server.port), PATIENCE_S)
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            opened.recv(0.1)
        assert 0.09 <= time.monotonic() - began < 2
        opened.close()


def test_a_cut_wakes_who_reads() -> None:
    with serving(lambda connection: connection.request()) as server:
        opened = Stream.connect(origin(server.port), PATIENCE_S)
        reader = gevent.spawn(opened.recv, None)
        gevent.idle()
        opened.shutdown()
        assert reader.get(timeout=PATIENCE_S) == b""
        opened.shutdown()  # again, and after the other side: no matter
        opened.close()
        opened.close()
        with pytest.raises(OSError, match="closed"):
            opened.recv(PATIENCE_S)


def test_a_write_says_whether_anything_left() -> None:
    def reset_when_greeted(connection: Connection) -> None:
        connection.request()
        connection.reset()

    with serving(reset_when_greeted) as server:
        opened = Stream.connect(origin(server.port), PATIENCE_S)
        opened.send(b"GET / HTTP/1.1\r\n\r\n", PATIENCE_S)
        with pytest.raises(OSError, match="reset"):
            opened.recv(PATIENCE_S)
        with pytest.raises(SendError) as failed:
            opened.send(b"into the void", PATIENCE_S)
        assert failed.value.nothing_left
        opened.close()


def test_why_there_is_no_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectError, match="connection refused"):
        Stream.connect(origin(port), PATIENCE_S)
    with pytest.raises(ConnectError, match="host not found"):
        Stream.connect(Origin("no-such-host.invalid", 80, False), PATIENCE_S)


def test_a_near_server_is_connected_to_before_anybody_else_has_a_turn() -> None:
    """Or a request would leave as late as the loop is busy, and its service time would have that."""
    turns: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        job = gevent.spawn(turns.append, "other")
        Stream.connect(origin(listener.getsockname()[1]), PATIENCE_S).close()
    assert turns == []
    job.join()


def test_a_server_that_takes_no_connection_is_waited_for_while_others_have_their_turn() -> None:
    turns: list[str] = []
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(
            2
        ):  # more than its queue holds: what comes next is dropped, as by a server that is down
            queued = stack.enter_context(socket.socket())
            queued.setblocking(False)
            queued.connect_ex(full.getsockname())
        job = gevent.spawn(turns.append, "other")
        with pytest.raises(ConnectError, match="connecting timed out"):
            Stream.connect(origin(full.getsockname()[1]), 0.2)
    assert turns == ["other"]
    job.join()


def test_of_the_addresses_of_a_name_the_first_that_takes_a_connection_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", place) for place in (closed, listener.getsockname())
        ]
        monkeypatch.setattr("gevent.socket.getaddrinfo", lambda *_, **__: found)
        Stream.connect(Origin("chat.example", 80, False), PATIENCE_S).close()
        listener.settimeout(PATIENCE_S)
        listener.accept()[0].close()
        monkeypatch.setattr("gevent.socket.getaddrinfo", lambda *_, **__: found[:1])
        with pytest.raises(ConnectError, match="connection refused"):
            Stream.connect(Origin("chat.example", 80, False), PATIENCE_S)


# TLS


def certificate(folder: Path, name: str) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate that this machine trusts, for as long as the test takes."""
    path = certificate(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    stream._tls_context.cache_clear()
    yield path
    stream._tls_context.cache_clear()


def speaking(path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    return context


def echo(connection: Connection) -> None:
    while (request := connection.request()) is not None:
        connection.answer(request.partition(b"\r\n\r\n")[2])


def test_requests_and_large_answers_over_tls(trusted: Path) -> None:
    with serving(echo, tls=speaking(trusted)) as server:
        client = HttpClient(f"https://127.0.0.1:{server.port}", PATIENCE_S)
        for body in (b"small", b"large" * 100_000, b"small again"):
            answer = Answer()
            request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            client.exchange(request, answer)
            assert (answer.outcome, answer.content) == (Outcome.OK, body)
        assert len(server.connections) == 1
        client.close()


HANDSHAKE_S = 0.3


class Hesitant(ssl.SSLContext):
    """Takes its time before it shakes hands."""

    def wrap_socket(self, sock: socket.socket, *more: Any, **options: Any) -> ssl.SSLSocket:
        time.sleep(HANDSHAKE_S)
        return super().wrap_socket(sock, *more, **options)


def test_who_waits_for_a_connection_waits_for_the_answer(trusted: Path) -> None:
    def answer_once(connection: Connection) -> None:
        assert connection.request() is not None
        connection.answer(b"{}")

    slow = Hesitant(ssl.PROTOCOL_TLS_SERVER)
    slow.load_cert_chain(trusted)
    with serving(answer_once, tls=slow) as server:
        client = HttpClient(f"https://127.0.0.1:{server.port}", PATIENCE_S)
        for number in (1, 2):  # for the second one there is a connection, which the server has closed
            answer = Answer()
            client.exchange(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", answer)
            assert answer.outcome is Outcome.OK, answer
            assert answer.answered_ns - answer.left_ns >= HANDSHAKE_S * 0.95e9
            assert len(server.connections) == number
            while not client._idle[0].stream.has_unread():
                gevent.sleep(0.001)
        client.close()


def test_a_certificate_that_nobody_trusts_is_not_accepted(tmp_path: Path) -> None:
    with (
        serving(echo, tls=speaking(certificate(tmp_path, "127.0.0.1"))) as server,
        pytest.raises(ConnectError, match="certificate not accepted: self-signed"),
    ):
        Stream.connect(origin(server.port, tls=True), PATIENCE_S)


def test_a_certificate_for_somebody_else_is_not_accepted(trusted: Path, tmp_path: Path) -> None:
    other = certificate(tmp_path, "127.0.0.2")
    trusted.write_bytes(trusted.read_bytes() + other.read_bytes())
    with (
        serving(echo, tls=speaking(other)) as server,
        pytest.raises(ConnectError, match="certificate not accepted: IP address mismatch"),
    ):
        Stream.connect(origin(server.port, tls=True), PATIENCE_S)


def test_a_server_that_closes_or_stalls_in_the_tls_handshake() -> None:
    with (
        serving(lambda connection: connection.socket.recv(10)) as server,
        pytest.raises(ConnectError, match=r"closed|reset"),
    ):
        Stream.connect(origin(server.port, tls=True), PATIENCE_S)
    with (
        serving(lambda connection: connection.request()) as server,
        pytest.raises(ConnectError, match="timed out"),
    ):
        Stream.connect(origin(server.port, tls=True), 0.2)
