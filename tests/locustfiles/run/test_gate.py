"""Promise: a closed gate lets nothing in, and tells when the last action has come out."""

import gevent
import pytest
from gevent.event import Event

from locustfiles.run.gate import Closed, Gate


def test_nothing_enters_once_it_is_closed() -> None:
    gate = Gate()
    with gate.action():
        gate.close()  # what is inside goes on
    with pytest.raises(Closed), gate.action():
        pass
    assert gate.wait_idle(0)


def test_it_waits_for_the_last_action() -> None:
    gate, go = Gate(), [Event(), Event()]

    def act(number: int) -> None:
        with gate.action():
            go[number].wait()

    for number in range(2):
        gevent.spawn(act, number)
    gevent.idle()
    gate.close()
    go[0].set()
    gevent.idle()
    assert not gate.wait_idle(0), "one is still inside"
    go[1].set()
    assert gate.wait_idle(5)


def test_an_action_that_fails_has_come_out() -> None:
    gate = Gate()
    with pytest.raises(ValueError, match="no"), gate.action():
        raise ValueError("no")
    assert gate.wait_idle(0)
