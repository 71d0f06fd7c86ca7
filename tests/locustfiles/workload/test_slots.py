"""Promise: open actions do not wait for one another's answers; too many at once are counted, and none is dropped."""

import gevent
import pytest
from gevent.event import Event

from locustfiles.workload.slots import Slots, Straight


def test_a_closed_user_waits_for_the_answer() -> None:
    answer, log = Event(), []

    def act() -> None:
        answer.wait()
        log.append("answered")

    gevent.spawn(answer.set)
    Straight().carry_out(act)
    assert log == ["answered"]


def test_open_actions_do_not_wait_for_answers() -> None:
    slots, answer, begun = Slots(10), Event(), []

    def act(number: int) -> None:
        begun.append(number)
        answer.wait()

    for number in range(10):
        slots.carry_out(lambda number=number: act(number))
    gevent.idle()
    assert begun == list(range(10)), "none has been answered, and all have left"
    assert slots.overflow == 0
    answer.set()
    gevent.idle()


def test_an_action_without_a_slot_is_counted_and_leaves_when_one_is_free() -> None:
    slots, answers, begun = Slots(2), [Event() for _ in range(5)], []

    def act(number: int) -> None:
        begun.append(number)
        answers[number].wait()

    def everything() -> None:
        for number in range(5):
            slots.carry_out(lambda number=number: act(number))

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


def test_an_action_that_fails_gives_its_slot_back(capsys: pytest.CaptureFixture[str]) -> None:
    slots, done = Slots(1), Event()

    def fail() -> None:
        raise RuntimeError("no such chat")

    slots.carry_out(fail)
    slots.carry_out(done.set)
    assert done.wait(timeout=5)
    assert "no such chat" in capsys.readouterr().err, "gevent has shown it"
