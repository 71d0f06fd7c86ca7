"""Promise: an answer is told as it was, a request is written at most once, and what is unknown is said to be unknown."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest

from analysis.record.codes import Outcome
from locustfiles.clients.http import MAX_IDLE, Answer, HttpClient
from tests.locustfiles.clients.scripted import Connection, Script, Server, serving

PATIENCE_S = 5.0  # for servers that are meant to answer
IMPATIENCE_S = 0.2  # for those that are not


def post(body: bytes = b"{}") -> bytes:
    return b"POST /api/messages HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def asked(client: HttpClient, request: bytes | None = None) -> Answer:
    answer = Answer()
    client.exchange(post() if request is None else request, answer)
    assert answer.left_ns <= answer.answered_ns <= time.monotonic_ns()
    return answer


@contextmanager
def client_of(*scripts: Script, timeout_s: float = PATIENCE_S) -> Iterator[tuple[HttpClient, Server]]:
    """A client of a server that follows these scripts; closed before the server is, whose scripts wait for that."""
    with serving(*scripts) as server:
        client = HttpClient(server.url, timeout_s)
        try:
            yield client, server
        finally:
            client.close()


def echo(connection: Connection) -> None:
    """Answers each request with its own body."""
    while (request := connection.request()) is not None:
        connection.answer(request.partition(b"\r\n\r\n")[2])


def answering(*parts: bytes) -> Script:
    """Sends these parts after each request, each on its way before the next is written."""

    def script(connection: Connection) -> None:
        while connection.request() is not None:
            for part in parts:
                connection.send(part)

    return script


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "never came to hold"
        gevent.sleep(0.005)


# Good answers, in every form that HTTP/1.1 has


def test_a_connection_is_kept() -> None:
    with client_of(echo) as (client, server):
        for number in range(20):
            answer = asked(client, post(b'{"n": %d}' % number))
            assert (answer.outcome, answer.status_code, answer.error) == (Outcome.OK, 200, None)
            assert answer.json() == {"n": number}
        assert len(server.connections) == 1


BODY = b'{"text": "' + "über".encode() + b'"}'


@pytest.mark.parametrize(
    ("parts", "connections"),
    [
        ([b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)], 1),
        (
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"]
            + [b"1\r\n%c\r\n" % byte for byte in BODY]
            + [b"0\r\n\r\n"],
            1,
        ),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x;a=b\r\n%b\r\n0\r\nTrailer: x\r\n\r\n" % (len(BODY), BODY)], 1),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)], 1),
        ([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)], 1),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)], 3),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)], 3),
    ],
    ids=["length", "chunks of a byte", "extension and trailer", "continue", "early hints", "close", "HTTP/1.0"],
)  # fmt: skip
def test_every_form_of_an_answer_is_read(parts: list[bytes], connections: int) -> None:
    with client_of(answering(*parts)) as (client, server):
        for _ in range(3):
            answer = asked(client)
            assert (answer.outcome, answer.content, answer.error) == (Outcome.OK, BODY, None)
        assert len(server.connections) == connections


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_complete_at_once(status: int) -> None:
    with client_of(answering(b"HTTP/1.1 %d None\r\n\r\n" % status)) as (client, server):
        assert [asked(client).status_code for _ in range(2)] == [status] * 2
        assert len(server.connections) == 1


def test_a_body_that_only_the_end_delimits() -> None:
    def until_the_end(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\n\r\nall")
        connection.send(b" of it")

    with client_of(until_the_end) as (client, server):
        for _ in range(2):
            answer = asked(client)
            assert (answer.outcome, answer.content) == (Outcome.OK, b"all of it")
        assert len(server.connections) == 2


def test_a_large_body_each_way() -> None:
    body = bytes(range(256)) * 8192  # 2 MiB, more than any socket's buffer
    with client_of(echo) as (client, server):
        assert asked(client, post(body)).content == body
        assert asked(client, post(b"small")).content == b"small"
        assert len(server.connections) == 1


def test_an_answer_in_many_packets() -> None:
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\nServer: x\r\n\r\n" + b"0123456789" * 4

    def byte_by_byte(connection: Connection) -> None:
        while connection.request() is not None:
            for byte in whole:
                connection.send(bytes([byte]))
                time.sleep(0.0005)  # so that packets are packets

    with client_of(byte_by_byte) as (client, _):
        assert [asked(client).content for _ in range(2)] == [b"0123456789" * 4] * 2


# Refusals and failures


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *((status, Outcome.FAIL) for status in (400, 401, 403, 404, 409, 422, 429)),
        *((status, Outcome.INFO) for status in (302, 408, 499, 500, 502, 503, 504, 520)),
    ],
)
def test_what_a_status_says_of_the_request(status: int, outcome: Outcome) -> None:
    def script(connection: Connection) -> None:
        while connection.request() is not None:
            connection.answer(b'{"message": "not today"}', status)

    with client_of(script) as (client, server):
        for _ in range(2):
            answer = asked(client)
            assert (answer.outcome, answer.status_code) == (outcome, status)
            assert answer.error == f"{status} not today"
        assert len(server.connections) == 1, "an error is an answer like another"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"error": "no such chat"}', "400 no such chat"),
        (b'{"msg": "m"}', "400 m"),
        (b'{"error": {"code": 1}, "detail": "d"}', "400 d"),
        (b'{"error": ""}', "400"),
        (b'["error"]', "400"),
        (b"<html>Bad Request</html>", "400"),
        (b'{"error": "' + b"x" * 500 + b'"}', "400 " + "x" * 200),
    ],
    ids=lambda value: value[:20] if isinstance(value, bytes) else "",
)
def test_a_refusal_keeps_the_servers_words(body: bytes, error: str) -> None:
    def script(connection: Connection) -> None:
        connection.request()
        connection.answer(body, 400)

    with client_of(script) as (client, _):
        assert asked(client).error == error


def test_a_slow_answer_is_unknown_and_never_taken_for_the_next_ones() -> None:
    def too_late(connection: Connection) -> None:
        connection.request()
        server.ending.wait(2 * IMPATIENCE_S)
        connection.answer(b"late")

    with client_of(too_late, echo, timeout_s=IMPATIENCE_S) as (client, server):
        answer = asked(client, post(b"first"))
        assert (answer.outcome, answer.status_code, answer.error) == (Outcome.INFO, 0, "timed out")
        assert answer.answered_ns - answer.left_ns >= IMPATIENCE_S * 0.95e9
        assert asked(client, post(b"second")).content == b"second"
        assert server.bodies == [b"first", b"second"]


def test_an_answer_that_drips_is_bounded_as_a_whole() -> None:
    def drip(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while not server.ending.wait(IMPATIENCE_S / 4):
            connection.send(b"x")

    with client_of(drip, timeout_s=IMPATIENCE_S) as (client, server):
        began = time.monotonic()
        assert asked(client).error == "timed out"
        assert time.monotonic() - began < 10 * IMPATIENCE_S


def reset_at_once(connection: Connection) -> None:
    connection.request()
    connection.reset()


def reset_in_the_middle(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    connection.reset()


def close_at_once(connection: Connection) -> None:
    connection.request()


def close_in_the_middle(connection: Connection) -> None:
    connection.request()
    connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf")


def speak_another_language(connection: Connection) -> None:
    connection.request()
    connection.send(b"SSH-2.0-OpenSSH_9.2\r\n")


@pytest.mark.parametrize(
    "script",
    [reset_at_once, reset_in_the_middle, close_at_once, close_in_the_middle, speak_another_language],
    ids=lambda script: script.__name__,
)
def test_a_broken_answer_is_unknown_and_not_asked_for_again(script: Script) -> None:
    with client_of(script, echo) as (client, server):
        answer = asked(client, post(b"once"))
        assert (answer.outcome, answer.status_code) == (Outcome.INFO, 0)
        assert answer.error
        assert answer.content == b""
        assert server.bodies == [b"once"], "it may be stored: to write it again is the caller's to decide"
        assert asked(client, post(b"next")).outcome is Outcome.OK


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = asked(HttpClient(f"http://127.0.0.1:{port}", PATIENCE_S))
    assert (answer.outcome, answer.error) == (Outcome.FAIL, "not connected: connection refused")


def test_a_request_that_the_server_does_not_take_is_unknown() -> None:
    def stuff_its_ears(connection: Connection) -> None:
        server.ending.wait(PATIENCE_S)

    with client_of(stuff_its_ears, timeout_s=IMPATIENCE_S) as (client, server):
        answer = asked(client, post(b"x" * 20_000_000))
        assert (answer.outcome, answer.error) == (Outcome.INFO, "writing timed out")


# Connections that end while nobody uses them


def test_a_connection_closed_between_requests_is_opened_again_without_an_error() -> None:
    def one_request(connection: Connection) -> None:
        connection.request()
        connection.answer(b"one")

    with client_of(one_request) as (client, server):
        for number in range(1, 6):
            assert asked(client).outcome is Outcome.OK
            # The end of the connection is on its way; a request that crosses it is another matter (below).
            wait_until(client._idle[0].stream.has_unread)
            assert len(server.connections) == number
        assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("keep_alive", "connections"),
    [
        (b"Keep-Alive: timeout=1", 3),  # it closes about now
        (b"keep-alive: max=100, Timeout=2\r\nX-Other: timeout=0", 1),
        (b"X-Keep-Alive: timeout=1", 1),
    ],
)
@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_connection_that_the_server_is_about_to_close_gets_no_request(
    keep_alive: bytes, connections: int, in_pieces: bool
) -> None:
    head = b"HTTP/1.1 200 OK\r\n" + keep_alive + b"\r\nContent-Length: 2\r\n\r\n{}"
    parts = [head[place : place + 1] for place in range(len(head))] if in_pieces else [head]
    with client_of(answering(*parts)) as (client, server):
        for _ in range(3):
            assert asked(client).outcome is Outcome.OK
        assert len(server.connections) == connections


def test_a_connection_rests_until_shortly_before_its_server_closes_it() -> None:
    with client_of(answering(b"HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5\r\nContent-Length: 0\r\n\r\n")) as (
        client,
        _,
    ):
        before = time.monotonic()
        asked(client)
        assert before + 4 <= client._idle[0].usable_until <= time.monotonic() + 4


def test_a_request_that_crosses_the_servers_goodbye_is_unknown_and_not_written_twice() -> None:
    def one_request_and_one_unanswered(connection: Connection) -> None:
        connection.request()
        connection.answer()
        connection.request()

    with client_of(one_request_and_one_unanswered, echo) as (client, server):
        asked(client, post(b"first"))
        answer = asked(client, post(b"second"))
        assert (answer.outcome, answer.error) == (Outcome.INFO, "closed before the answer was complete")
        assert server.bodies == [b"first", b"second"]


def test_bytes_that_nobody_asked_for_end_a_connection() -> None:
    def talkative(connection: Connection) -> None:
        while connection.request() is not None:
            connection.send(
                b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nb"
            )

    with client_of(talkative) as (client, server):
        assert [asked(client).content for _ in range(3)] == [b"a"] * 3
        assert len(server.connections) == 3


# Several greenlets


def test_greenlets_get_their_own_answers_and_few_connections_are_kept() -> None:
    many = 3 * MAX_IDLE

    def slowly(connection: Connection) -> None:
        while (request := connection.request()) is not None:
            wait_together(connection)
            connection.answer(request.partition(b"\r\n\r\n")[2])

    def wait_together(connection: Connection) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while len(server.requests) < many and time.monotonic() < deadline:
            time.sleep(0.002)

    with client_of(slowly) as (client, server):
        jobs = [gevent.spawn(asked, client, post(b"%d" % number)) for number in range(many)]
        gevent.joinall(jobs, raise_error=True)
        assert [job.value.content for job in jobs] == [b"%d" % number for number in range(many)]
        assert len(server.connections) == many
        assert len(client._idle) == MAX_IDLE
        asked(client)
        assert len(server.connections) == many


def test_a_greenlet_that_is_killed_leaves_the_truth_behind() -> None:
    def silent(connection: Connection) -> None:
        while connection.request() is not None:
            pass

    with client_of(silent) as (client, server):
        answer = Answer()
        job = gevent.spawn(client.exchange, post(), answer)
        wait_until(lambda: len(server.requests) == 1)
        job.kill()
        assert (answer.outcome, answer.error) == (Outcome.INFO, "stopped before the answer")
        assert answer.answered_ns >= answer.left_ns
        assert client._idle == []


def test_a_closed_client_keeps_nothing() -> None:
    with client_of(echo) as (client, _):
        asked(client)
        client.close()
        assert client._idle == []
        assert asked(client).outcome is Outcome.OK, "an exchange that began before may still end"
        assert client._idle == []


def test_an_answer_hides_its_body_and_reads_as_text() -> None:
    answer = Answer(content=b'{"access_token": "secret"} \xff')
    assert "secret" not in repr(answer)
    assert answer.text.endswith("\N{REPLACEMENT CHARACTER}")
    assert answer.json() is None
