"""Promise: a server that does not answer a beat is deaf, and one whose answer we had no time to read is not."""

import select
import time
from collections.abc import Iterator
from itertools import count

import gevent
import pytest
from gevent import socket

from locustfiles.clients.heart import Heart
from tests.locustfiles.clients.recorded import wait_until

INTERVAL_S = 0.2


class Line:
    """A beating heart, and a server at the other end of a real socket, which says what the test says."""

    def __init__(self) -> None:
        self.ours, self.server = socket.socketpair()
        self.beats: list[str] = []
        self.silent: list[float] = []
        refs = count(1)
        self.heart = Heart(
            INTERVAL_S, lambda: f"{next(refs)};", self.beats.append, self.has_unread, self._went_silent
        )
        self.reader = gevent.spawn(self._read)

    def has_unread(self) -> bool:
        return bool(select.select([self.ours], [], [], 0)[0])

    def _went_silent(self) -> None:
        self.silent.append(time.monotonic())

    def _read(self) -> None:
        while data := self.ours.recv(8):
            for ref in data.decode().split(";"):
                self.heart.answer(f"{ref};")


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    made.heart.start()
    wait_until(lambda: made.beats)
    yield made
    made.heart.stop()
    made.server.close()
    made.reader.join()
    made.ours.close()


def test_what_came_while_the_process_stood_still_is_read_before_the_server_is_called_silent(
    line: Line,
) -> None:
    """The answer lies behind what takes several reads."""
    line.server.sendall(b"news;" * 20 + line.beats[0].encode())
    time.sleep(2 * INTERVAL_S)  # not gevent's: nobody reads meanwhile
    wait_until(lambda: len(line.beats) > 1 or line.silent)
    assert not line.silent


def test_nothing_came_and_so_it_is_silent(line: Line) -> None:
    time.sleep(2 * INTERVAL_S)
    wait_until(lambda: line.silent)
    assert len(line.beats) == 1


def test_one_that_talks_on_and_answers_no_beat_is_silent_after_another_interval(line: Line) -> None:
    left = time.monotonic()
    line.heart._has_unread = lambda: True
    wait_until(lambda: line.silent)
    assert line.silent[0] - left > 1.5 * INTERVAL_S
    assert len(line.beats) == 1
