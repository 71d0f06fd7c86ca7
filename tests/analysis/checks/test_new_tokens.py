"""Promise: while a token is renewed on a socket, nobody knows which subscription brings what, and nobody is blamed for it."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import PagePurpose, PollKind, SocketEvent
from tests.analysis.histories import History, Message

PUSHED, CONFIRMED = 5.0, 5.3
MISSED, DOUBLED, REORDERED = "realtime.missed", "realtime.duplicated", "realtime.reordered"


def renewed(*came: tuple[int, float], second_left: float = 5.06) -> History:
    """Two messages of person 0, answered at 4.95 and after `second_left`, which come to person 1 at these times. Person 1
    pushes a new token between the two, and reads history once the server has confirmed it."""
    run = History(people=2)
    chat = run.chat(0, 1)
    first: Message = run.send(0, chat, 4.9, took=0.05, seq=1)
    run.poll(4.97)
    run.observe(first, 4.97)
    second = run.send(0, chat, second_left, took=0.05, seq=2)
    run.poll(5.5)
    run.observe(second, 5.5)
    run.deliver(first, 5.0, 0)
    run.deliver(second, 5.2, 0)
    for number, at in came:
        run.event((first, second)[number - 1], 1, at)
    run.socket(1, SocketEvent.UNSUBSCRIBED, PUSHED, chat=chat)
    run.socket(1, SocketEvent.SUBSCRIBED, CONFIRMED, chat=chat)
    run.page(1, chat, 5.4, [second, first], purpose=PagePurpose.CATCH_UP)
    for person in (0, 1):
        run.socket(person, SocketEvent.FINISHED, 20.0, chat=chat, seq=2)
    run.poll(21.0, PollKind.SWEEP)
    return run


def found(run: History, criterion: str) -> Criterion:
    (one,) = (one for one in audit(run.evidence(), 5).criteria if one.id == criterion)
    return one


@pytest.mark.parametrize("second_at", [5.2, 5.29, 5.3, 5.4])
def test_what_got_lost_between_two_subscriptions_and_was_read_is_caught_up(second_at: float) -> None:
    missed = found(renewed((2, second_at)), MISSED)
    assert (missed.outcome, missed.facts["caught_up"]) == (Verdict.PASS, 1)


@pytest.mark.parametrize(("second_left", "missed"), [(4.94, 0), (4.96, 1)])
def test_what_left_later_and_came_before_the_new_token_proves_that_a_message_is_missed(
    second_left: float, missed: int
) -> None:
    assert found(renewed((2, 4.99), second_left=second_left), MISSED).observed == missed


@pytest.mark.parametrize(("times", "doubled"), [
    ((4.99, 5.15), 0),  # by the one, and by the other before it was confirmed
    ((4.99, 5.0), 1),
    ((5.1, 5.2), 0),  # the first was still there when the next was there already
    ((5.1, 5.35), 0),
    ((4.99, 5.1, 5.2), 1),
    ((5.1, 5.2, 5.25), 1),
    ((4.99, 5.1, 5.35), 1),
    ((5.3, 5.35), 0),  # by the one, read together with the confirmation of the other
    ((4.99, 5.3), 0),  # by the other, read together with its own confirmation
    ((5.3, 5.3), 0),
    ((5.3, 5.3, 5.35), 1),
    ((4.99, 5.3, 5.35), 1),
    ((5.31, 5.35), 1),
])  # fmt: skip
def test_each_of_two_subscriptions_may_bring_a_message_once(times: tuple[float, ...], doubled: int) -> None:
    run = renewed(*((1, at) for at in times), (2, 5.4))
    assert found(run, DOUBLED).observed == doubled
    assert found(run, MISSED).outcome is Verdict.PASS


@pytest.mark.parametrize(("came", "back"), [
    ([(1, 4.98), (2, 5.1), (1, 5.2), (2, 5.25)], 0),  # the one had gone on when the other began
    ([(2, 4.98), (1, 4.99)], 1),
    ([(2, 5.31), (1, 5.32)], 1),
    ([(2, 4.98), (1, 5.32)], 0),  # by two subscriptions
    ([(2, 5.3), (1, 5.3)], 0),  # one by each, read together with the confirmation
    ([(2, 5.3), (1, 5.32)], 0),
    ([(2, 4.98), (1, 5.3)], 0),
])  # fmt: skip
def test_what_came_between_two_subscriptions_is_in_the_order_of_neither(
    came: list[tuple[int, float]], back: int
) -> None:
    assert found(renewed(*came), REORDERED).observed == back


def test_what_came_after_the_drain_s_end_is_still_of_the_same_subscription() -> None:
    run = renewed((1, 4.99), (2, 5.4), (2, 20.1))
    assert found(run, DOUBLED).observed == 1
