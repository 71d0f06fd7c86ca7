"""Promise: an attempt to mark that tells no count is judged by what became of the messages, and only where nothing else did it."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion
from analysis.record.codes import AttemptKind, MarkKind, ObservedChange, Outcome, Status
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.histories import History, Message

OUTSIDER = 2
LATER = 10.0
OK, INFO = Outcome.OK, Outcome.INFO
DELIVERED, READ = Status.DELIVERED, Status.READ


def talk(messages: int = 1) -> tuple[History, list[Message]]:
    """Two people in a chat, and a third who is not in it; the first writes."""
    run = History(people=3)
    chat = run.chat(0, 1)
    said = [run.send(0, chat, at=1.0 + number, seq=1 + number) for number in range(messages)]
    for message in said:
        run.store(message)
        run.deliver(message)
    return run, said


def moves(run: History, message: Message, at: float = LATER + 1, status: Status = READ) -> None:
    """Between two looks, the second at `at`."""
    run.poll(at - 2)
    run.poll(at)
    run.observe(message, at, status=status, change=ObservedChange.CHANGED)


def tries(
    run: History, at: float = LATER, kind: AttemptKind = AttemptKind.MARK_READ, got: int | None = None
) -> None:
    run.attempt(OUTSIDER, 0, at, kind, outcome=OK, got=got)


def denied(run: History, there: tuple[int, ...] = (), error_s: float | None = None) -> Criterion:
    """`access.denied`; with these people on another machine."""
    run.finish(20.0)
    evidence = on_two_machines(run, there, error_s=error_s) if there else run.evidence()
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == "access.denied")
    return found


def test_an_answer_without_a_count_is_judged_by_what_became_of_the_messages() -> None:
    run, (hello,) = talk()
    moves(run, hello)
    tries(run)
    (finding,) = denied(run).examples
    assert finding.message_id == str(hello.id)
    assert "no participant's receipt can have done that" in finding.why


@pytest.mark.parametrize(("at", "got"), [(LATER + 5, None), (LATER - 5, None), (LATER, 0)])
def test_what_it_did_not_come_in_time_for_or_says_that_it_did_not_do_it_did_not(
    at: float, got: int | None
) -> None:
    run, (hello,) = talk()
    moves(run, hello)
    tries(run, at, got=got)
    assert denied(run).observed == 0


@pytest.mark.parametrize(("person", "kind", "at", "outcome", "explains"), [
    (1, MarkKind.READ, LATER, OK, True),
    (1, MarkKind.READ, LATER - 2, OK, True),  # it may take effect after its answer
    (1, MarkKind.READ, LATER - 7, OK, False),
    (1, MarkKind.READ, LATER - 7, INFO, True),  # without an answer at any time
    (1, MarkKind.READ, LATER, Outcome.FAIL, False),
    (1, MarkKind.DELIVERED, LATER, OK, False),
    (0, MarkKind.READ, LATER, OK, False),  # nobody marks their own
])  # fmt: skip
def test_a_status_that_a_participant_s_receipt_may_have_moved_is_nobody_s_fault(
    person: int, kind: MarkKind, at: float, outcome: Outcome, explains: bool
) -> None:
    run, (hello,) = talk()
    moves(run, hello)
    tries(run)
    run.mark(person, 0, at, kind=kind, up_to_seq=1, outcome=outcome)
    assert denied(run).observed == (not explains)


def test_an_attempt_without_an_answer_is_not_said_to_have_done_it() -> None:
    run, (hello,) = talk()
    moves(run, hello)
    run.attempt(OUTSIDER, 0, LATER, AttemptKind.MARK_READ, outcome=INFO)
    assert denied(run).observed == 0


def test_what_another_attempt_says_that_it_did_is_not_this_one_s_doing() -> None:
    run, (hello,) = talk()
    moves(run, hello)
    tries(run)
    tries(run, got=1)
    assert [finding.message_id for finding in denied(run).examples] == [None]


def test_where_statuses_move_by_themselves_no_attempt_is_needed_for_it() -> None:
    run, (first, second) = talk(2)
    moves(run, first)
    tries(run)
    moves(run, second, 15.0)
    assert denied(run).observed == 0


def test_what_is_read_was_delivered_by_the_same_attempt() -> None:
    run, (first, second) = talk(2)
    moves(run, second, 7.0)
    tries(run, 6.0)
    moves(run, first, 11.0, DELIVERED)
    tries(run, 10.0, AttemptKind.MARK_DELIVERED)
    assert [finding.message_id for finding in denied(run).examples] == [str(second.id), str(first.id)]


@pytest.mark.parametrize(("error_s", "found"), [(0.001, 1), (None, 0)])
def test_from_another_machine_it_is_held_against_the_looks_as_far_as_clocks_tell(
    error_s: float | None, found: int
) -> None:
    run, (hello,) = talk()
    moves(run, hello)
    tries(run)
    assert denied(run, (OUTSIDER,), error_s).observed == found


# What there was to be marked


def answered_before_a_look_saw_it() -> History:
    """A message that was answered at 9.9, and first seen at 12; the attempt at 10 says that it marked nothing."""
    run = History(people=3)
    hello = run.send(0, run.chat(0, 1), at=9.8, seq=1)
    run.store(hello, at=12.0)
    run.deliver(hello)
    tries(run, got=0)
    return run


@pytest.mark.parametrize(("there", "error_s", "checked"), [
    ((), None, 1),
    ((0, 1), 0.001, 1),  # the clocks of sender and outsider are known well enough
    ((0, 1), 0.4, 0),
    ((0, 1), None, 0),
    ((0, 1, 2), 0.4, 1),  # by one clock
])  # fmt: skip
def test_what_had_been_acknowledged_was_there(
    there: tuple[int, ...], error_s: float | None, checked: int
) -> None:
    assert denied(answered_before_a_look_saw_it(), there, error_s).checked == checked


@pytest.mark.parametrize(("seen_at", "checked"), [(9.0, 1), (12.0, 0)])
def test_what_a_look_had_seen_was_there_whatever_its_answer(seen_at: float, checked: int) -> None:
    run = History(people=3)
    hello = run.send(0, run.chat(0, 1), at=1.0, seq=1, outcome=INFO)
    run.store(hello, at=seen_at)
    run.poll(13.0)
    tries(run, got=0)
    assert denied(run).checked == checked
