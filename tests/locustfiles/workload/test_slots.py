"""Promise: open actions do not wait for one another's answers; too many at once are counted, and none is dropped."""

import gc
import time
import weakref
from collections.abc import Callable
from functools import partial

import gevent
import pytest
from gevent.event import Event

from locustfiles.workload.slots import Slots, Straight

NS_PER_S = 1_000_000_000


def slots_of(size: int) -> tuple[Slots, list[tuple[int, int]]]:
    """Slots, and the times that they noted."""
    noted: list[tuple[int, int]] = []
    return Slots(size, noted.append), noted


def now() -> int:
    return time.monotonic_ns()


def until(holds: Callable[[], bool]) -> None:
    with gevent.Timeout(30):
        while not holds():
            gevent.sleep(0.001)


def test_a_closed_user_waits_for_the_answer() -> None:
    answer, log = Event(), []

    def act() -> None:
        answer.wait()
        log.append("answered")

    gevent.spawn(answer.set)
    Straight().carry_out(act, 0)
    assert log == ["answered"]


def test_open_actions_do_not_wait_for_answers() -> None:
    (slots, noted), answer, begun = slots_of(10), Event(), []

    def act(number: int) -> None:
        begun.append(number)
        answer.wait()

    for number in range(10):
        slots.carry_out(lambda number=number: act(number), now())
    gevent.idle()
    assert begun == list(range(10)), "none has been answered, and all have left"
    assert (slots.overflow, noted) == (0, [])
    answer.set()
    gevent.idle()


def test_an_action_without_a_slot_is_counted_and_leaves_when_one_is_free() -> None:
    (slots, noted), answers, begun = slots_of(2), [Event() for _ in range(5)], []

    def act(number: int) -> None:
        begun.append(number)
        answers[number].wait()

    def everything() -> None:
        for number in range(5):
            slots.carry_out(lambda number=number: act(number), now())

    user = gevent.spawn(everything)
    gevent.idle()
    assert (begun, slots.overflow, user.dead) == ([0, 1], 1, False)
    answers[1].set()
    gevent.idle()
    assert (begun, slots.overflow, user.dead) == ([0, 1, 2], 2, False)
    for answer in answers:
        answer.set()
    user.get(timeout=5)
    gevent.idle()
    assert begun == [0, 1, 2, 3, 4]
    assert noted == sorted(noted)
    assert all(begin < end for begin, end in noted)


def test_an_action_that_fails_gives_its_slot_back(capsys: pytest.CaptureFixture[str]) -> None:
    (slots, _), done = slots_of(1), Event()

    def fail() -> None:
        raise RuntimeError("no such chat")

    slots.carry_out(fail, now())
    slots.carry_out(done.set, now())
    assert done.wait(timeout=5)
    assert "no such chat" in capsys.readouterr().err, "gevent has shown it"


def test_greenlets_that_are_done_carry_out_what_comes_later() -> None:
    (slots, _), by = slots_of(3), []
    for _ in range(20):
        for _ in range(2):
            slots.carry_out(lambda: by.append(gevent.getcurrent()), now())
        until(lambda: slots.in_flight == 0)
    assert len(by) == 40
    assert len(set(by)) == 2


def test_a_greenlet_holds_on_to_nothing_that_it_has_done() -> None:
    (slots, _), done = slots_of(1), Event()

    class Chat:
        pass

    chat = Chat()
    gone = weakref.ref(chat)
    slots.carry_out(partial(lambda _: done.set(), chat), now())
    del chat
    until(lambda: slots.in_flight == 0 and done.is_set())
    gc.collect()
    assert gone() is None


def test_what_was_due_while_somebody_waited_counts_too_and_is_nobodys_lateness() -> None:
    (slots, noted), stall = slots_of(2), Event()
    first_ns = now()
    left = []

    def user() -> None:
        for number in range(8):  # they are due at once, and the user comes to each only after the one before
            slots.carry_out(lambda number=number: (left.append(number), stall.wait()), first_ns)

    writing = gevent.spawn(user)
    until(lambda: len(left) == 2)
    late_before_ns = slots.take_latest_ns()
    gevent.sleep(0.3)
    stall.set()
    writing.get(timeout=30)
    until(lambda: len(left) == 8)
    assert slots.overflow == 6
    assert slots.take_longest_wait_ns() >= 0.3 * NS_PER_S
    assert late_before_ns < 0.3 * NS_PER_S
    assert max(end - begin for begin, end in noted) >= 0.3 * NS_PER_S
    slots.carry_out(lambda: None, noted[-1][1] + 1)
    assert slots.overflow == 6, "it was due when slots were free again"


def test_one_who_asks_late_though_slots_are_free_is_late() -> None:
    slots, noted = slots_of(2)
    slots.carry_out(lambda: None, now() - NS_PER_S)
    assert slots.take_latest_ns() >= NS_PER_S
    assert slots.take_latest_ns() == 0
    assert (slots.overflow, noted) == (0, [])


def test_a_user_who_is_stopped_while_it_waits_ends_the_time_that_is_noted() -> None:
    (slots, noted), answer = slots_of(1), Event()
    slots.carry_out(answer.wait, now())
    waiting = [gevent.spawn(slots.carry_out, answer.wait, now()) for _ in range(2)]
    until(lambda: slots.overflow == 2)
    waiting[0].kill()
    assert noted == []
    waiting[1].kill()
    assert len(noted) == 1
    answer.set()
    until(lambda: slots.in_flight == 0)
