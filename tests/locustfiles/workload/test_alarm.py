"""Promise: whoever waits is woken in the order of due times, never early, whatever becomes of others who wait."""

import time
from collections.abc import Iterator
from random import Random

import gevent
import pytest

from locustfiles.workload.alarm import Alarm

NS_PER_MS = 1_000_000


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    one = Alarm()
    yield one
    one.close()


def test_nobody_is_woken_early_and_all_in_order(alarm: Alarm) -> None:
    now_ns, woken = time.monotonic_ns(), []
    dues = [now_ns + 500 * NS_PER_MS + number * NS_PER_MS // 10 for number in range(200)]
    Random(1).shuffle(dues)

    def wait(due_ns: int) -> None:
        alarm.wait_until(due_ns)
        woken.append((due_ns, time.monotonic_ns()))

    gevent.joinall([gevent.spawn(wait, due_ns) for due_ns in dues], raise_error=True)
    assert [due_ns for due_ns, _ in woken] == sorted(dues), "those due sooner first"
    assert all(at_ns >= due_ns for due_ns, at_ns in woken)


def test_what_is_due_already_gives_way_once(alarm: Alarm) -> None:
    log: list[str] = []
    gevent.spawn(log.append, "another")
    alarm.wait_until(time.monotonic_ns() - NS_PER_MS)
    assert log == ["another"]


def test_one_who_was_stopped_holds_nobody_up(alarm: Alarm) -> None:
    due_ns = time.monotonic_ns() + 20 * NS_PER_MS
    stopped = gevent.spawn(alarm.wait_until, due_ns)
    others = [gevent.spawn(alarm.wait_until, due_ns + number) for number in range(3)]
    gevent.sleep(0)
    stopped.kill()
    gevent.joinall(others, timeout=30)
    assert all(other.successful() for other in others)


def test_an_earlier_one_that_comes_later_is_woken_in_time(alarm: Alarm) -> None:
    now_ns = time.monotonic_ns()
    far = gevent.spawn(alarm.wait_until, now_ns + 3_600_000 * NS_PER_MS)
    gevent.sleep(0)
    near = gevent.spawn(alarm.wait_until, now_ns + 10 * NS_PER_MS)
    near.get(timeout=30)
    assert not far.ready()
    far.kill()
