"""Promise: each arrival is acknowledged, those of one chat together, and a refusal is tried again."""

import time
from collections import Counter
from itertools import pairwise
from random import Random

import gevent
import pytest

from locustfiles.life import receipts
from locustfiles.life.receipts import TRIES, Receipts


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, twenty times as fast."""
    monkeypatch.setattr(receipts, "QUIET_S", 0.05)
    monkeypatch.setattr(receipts, "RETRY_S", 0.05)


def test_arrivals_of_one_chat_share_a_receipt(quick: None) -> None:
    sent: Counter[str] = Counter()

    def send(chat_id: str) -> bool:
        sent[chat_id] += 1
        return True

    person = Receipts(send, Random(1))
    began = time.monotonic()
    for _ in range(100):
        person.arrived("busy")
    person.arrived("quiet")
    assert not sent, "the receiver does not wait for receipts"
    assert not person.wait_idle(0)
    assert person.wait_idle(5)
    assert sent == {"busy": 1, "quiet": 1}
    assert time.monotonic() - began >= 0.8 * receipts.QUIET_S


def test_what_arrives_while_a_receipt_is_under_way_gets_another(quick: None) -> None:
    sent = []

    def send(chat_id: str) -> bool:
        sent.append(chat_id)
        if len(sent) == 1:
            person.arrived(chat_id)
        return True

    person = Receipts(send, Random(1))
    person.arrived("chat")
    assert person.wait_idle(5)
    assert sent == ["chat", "chat"]


def test_a_receipt_that_was_not_taken_is_tried_again(quick: None) -> None:
    at = []

    def send(chat_id: str) -> bool:
        at.append(time.monotonic())
        return len(at) == TRIES

    person = Receipts(send, Random(1))
    person.arrived("chat")
    assert person.wait_idle(5)
    assert len(at) == TRIES
    pauses = [after - before for before, after in pairwise(at)]
    assert all(pause >= receipts.RETRY_S * number for number, pause in enumerate(pauses, start=1))


def test_a_server_that_never_takes_it_is_left_alone(quick: None) -> None:
    tries = []
    person = Receipts(lambda chat_id: tries.append(chat_id) is not None, Random(1))
    person.arrived("chat")
    assert person.wait_idle(5)
    assert len(tries) == TRIES


def test_a_failing_send_does_not_leave_the_drain_waiting(quick: None) -> None:
    def send(chat_id: str) -> bool:
        raise gevent.GreenletExit  # its user was ended meanwhile

    person = Receipts(send, Random(1))
    person.arrived("chat")
    assert person.wait_idle(5)
