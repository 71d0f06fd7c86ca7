"""Promise: bytes came when the kernel says so, however late they are read, and whatever is done to the wall clock meanwhile."""

import struct
import time

import gevent
import pytest

from locustfiles.clients.arrival import Arrivals, arrivals
from locustfiles.clients.http import Answer, HttpClient
from locustfiles.clients.stream import Origin, Stream
from tests.locustfiles.clients.scripted import Connection, serving

S, MS = 1_000_000_000, 1_000_000
NOISE_NS = 2 * MS  # between two processes' or threads' turns on a busy machine
BUSY_S = 0.3


class Clocks:
    """A wall clock and a monotonic one that go on by a µs with each look."""

    def __init__(self) -> None:
        self.now_ns = 500 * S
        self.ahead_ns = 1_700_000_000 * S

    def monotonic_ns(self) -> int:
        self.now_ns += 1000
        return self.now_ns

    def wall_ns(self) -> int:
        return self.monotonic_ns() + self.ahead_ns

    def stamp(self) -> bytes:
        """What the kernel notes now."""
        return struct.pack("ll", *divmod(self.wall_ns(), S))


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def found(clocks: Clocks) -> Arrivals:
    return Arrivals(clocks.wall_ns, clocks.monotonic_ns)


def read_after(clocks: Clocks, found: Arrivals, wait_ns: int) -> tuple[int, int]:
    """How long before its read something came, by the kernel and by `found`."""
    told, came_ns = clocks.stamp(), clocks.now_ns
    clocks.now_ns += wait_ns
    read_ns = clocks.monotonic_ns()
    return read_ns - came_ns, read_ns - found.came_ns(told, read_ns)


@pytest.mark.parametrize("wait_ns", [0, 30_000, MS, 800 * MS, 20 * S])
def test_how_late_it_is_read_does_not_matter(clocks: Clocks, found: Arrivals, wait_ns: int) -> None:
    true_ns, said_ns = read_after(clocks, found, wait_ns)
    assert abs(said_ns - true_ns) <= 3_000, "the fake clocks' own steps"


@pytest.mark.parametrize("by_ns", [3600 * S, -3600 * S, 200 * MS, -200 * MS, 2 * MS])
def test_a_wall_clock_that_is_set_meanwhile_is_not_believed_for_a_while(
    clocks: Clocks, found: Arrivals, by_ns: int
) -> None:
    told = clocks.stamp()
    clocks.ahead_ns += by_ns
    clocks.now_ns += MS
    read_ns = clocks.monotonic_ns()
    assert found.came_ns(told, read_ns) == read_ns
    assert read_after(clocks, found, 5 * MS)[1] == 0, "it may have come before the clock was set"
    clocks.now_ns += 11 * S
    true_ns, said_ns = read_after(clocks, found, 5 * MS)
    assert abs(said_ns - true_ns) <= 3_000


def test_a_wall_clock_that_is_slewed_is_followed(clocks: Clocks, found: Arrivals) -> None:
    for _ in range(100):
        clocks.ahead_ns += 500_000  # a fast slew for a second: half a per mille
        clocks.now_ns += S
        true_ns, said_ns = read_after(clocks, found, 5 * MS)
        assert abs(said_ns - true_ns) <= 25_000


@pytest.mark.parametrize("by_ns", [-7200 * S, 7200 * S])
def test_stamps_of_another_clock_say_nothing(clocks: Clocks, found: Arrivals, by_ns: int) -> None:
    told = struct.pack("ll", *divmod(clocks.wall_ns() + by_ns, S))
    read_ns = clocks.monotonic_ns()
    assert found.came_ns(told, read_ns) == read_ns


@pytest.mark.skipif(arrivals() is None, reason="the kernel has no stamps")
def test_an_answer_that_waits_for_a_busy_process_came_when_it_came() -> None:
    def answer(connection: Connection) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    with serving(answer) as server:
        client = HttpClient(f"http://127.0.0.1:{server.port}", 5)
        answer_ = Answer()
        asking = gevent.spawn(client.exchange, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", answer_)
        gevent.sleep(0)
        while not answer_.left_ns or answer_.error != "stopped before the answer":
            gevent.sleep(0)
        end_ns = time.monotonic_ns() + round(BUSY_S * S)
        while time.monotonic_ns() < end_ns:  # the loop does not get round to anything
            pass
        asking.join()
        client.close()
    assert answer_.status_code == 200
    assert answer_.answered_ns - answer_.left_ns < BUSY_S / 2 * S


@pytest.mark.skipif(arrivals() is None, reason="the kernel has no stamps")
def test_what_is_read_later_never_came_earlier() -> None:
    def talk(connection: Connection) -> None:
        for _ in range(200):
            connection.send(b"x" * 100)

    with serving(talk) as server:
        stream = Stream.connect(Origin("127.0.0.1", server.port, tls=False), 5)
        came = []
        while stream.recv(5):
            came.append(stream.came_ns)
        stream.close()
    assert came == sorted(came)
    assert 0 < time.monotonic_ns() - came[-1] < 5 * S
