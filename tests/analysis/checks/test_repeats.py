"""Promise: `idempotency.retries` finds every repeat that was not the same message, and says nothing of what nobody saw."""

import uuid

import pytest

from analysis.criteria import Verdict
from analysis.record.codes import ObservedChange, Outcome
from tests.analysis.checks.judging import failed, judged, why
from tests.analysis.histories import History

OK, INFO, FAIL = Outcome.OK, Outcome.INFO, Outcome.FAIL


def test_a_repeat_that_was_answered_by_another_row_than_the_first_is_found() -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, outcome=INFO, seq=1)
    run.store(message)
    another = run.new_id()
    run.repeat(message, 2.0, answered_id=another, answered_seq=2)
    run.poll(3)
    run.observe(message, 3, change=ObservedChange.GONE)
    run.observe(message, 3, id=another, seq=2)
    run.finish()
    assert failed(run) == {
        "messages.duplicated": [str(message.id)],
        "idempotency.retries": [str(another)],
    }
    assert why(run, "idempotency.retries") == f"Its 2 attempts made 2 rows: {message.id} (gone), {another}."


def test_both_ids_of_a_repeat_that_got_another_are_told() -> None:
    """One of them may be of no row: then `messages.lost` does not name it, since the message itself is there."""
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, seq=1)
    another = run.new_id()
    run.repeat(message, 2.0, answered_id=another, answered_seq=2)
    run.store(message)
    run.finish()
    told = f"different ids ({message.id}, {another}) and different seqs (1, 2)"
    assert why(run, "idempotency.retries") == f"Its 2 attempts were answered with {told}."


@pytest.mark.parametrize("told", [1, 5])
def test_a_message_whose_repeats_were_answered_differently_is_not_stored_wrongly_too(told: int) -> None:
    """Whether or not both answers told the seq that it has."""
    run = History()
    another = uuid.uuid4()
    message = run.send(0, run.chat(0, 1), 1.0, seq=told, answered_id=another)
    run.repeat(message, 2.0, answered_id=message.id)
    run.store(message, seq=1)
    run.finish()
    assert set(failed(run)) == {"idempotency.retries"}


@pytest.mark.parametrize("outcome", [INFO, FAIL])
def test_attempts_without_an_answer_that_stored_a_row_each_are_found(outcome: Outcome) -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, outcome=INFO, seq=1)
    run.repeat(message, 2.0, outcome=outcome)
    second = run.new_id()
    run.store(message, at=3.0)
    run.observe(message, 3, id=second, seq=2)
    run.finish()
    assert set(failed(run)) == {"messages.duplicated", "idempotency.retries"}
    (finding,) = judged(run)["idempotency.retries"].examples
    assert finding.why == f"Its 2 attempts made 2 rows: {message.id}, {second}."
    assert (finding.message_id, finding.seq) == (str(second), 2)  # no answer named one: the newest row


@pytest.mark.parametrize(("stored", "checked"), [(True, 1), (False, 0)])
def test_attempts_without_an_answer_are_judged_by_their_row(stored: bool, checked: int) -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, outcome=INFO, seq=1)
    run.repeat(message, 2.0, outcome=INFO)
    if stored:
        run.store(message)
    run.finish()
    found = judged(run)["idempotency.retries"]
    assert (found.outcome, found.checked) == (Verdict.PASS if stored else Verdict.INCONCLUSIVE, checked)


def test_without_a_last_look_nobody_knows_how_many_rows_there_are() -> None:
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, seq=1)
    run.repeat(message, 2.0)
    run.poll(3)
    found = judged(run)["idempotency.retries"]
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "did not take its last look" in (found.reason or "")
    run.repeat(message, 4.0, answered_id=run.new_id())
    assert judged(run)["idempotency.retries"].outcome is Verdict.FAIL
