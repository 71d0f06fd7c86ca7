"""Promise: what was wrong with a message for a while only is found, too, once a look has seen it."""

import pytest

from analysis.record.codes import ObservedChange, Outcome, Status
from tests.analysis.checks.judging import failed, judged, why
from tests.analysis.histories import History, Message, ns

CHANGED, GONE = ObservedChange.CHANGED, ObservedChange.GONE


def one_message(outcome: Outcome = Outcome.OK, seq: int | None = 1) -> tuple[History, Message]:
    """A message in a chat of its own, which a look saw at 1.5."""
    run = History()
    message = run.send(0, run.chat(0, 1), 1.0, outcome=outcome, seq=seq, text="hello")
    run.store(message)
    return run, message


@pytest.mark.parametrize("outcome", Outcome)
def test_a_message_that_was_stored_and_went_is_lost_whatever_its_answer(outcome: Outcome) -> None:
    run, message = one_message(outcome)
    assert "messages.lost" not in failed(run)
    run.poll(6)
    run.observe(message, 6, change=GONE)
    run.finish()
    also = {"messages.unexpected": [str(message.id)]} if outcome is Outcome.FAIL else {}
    assert failed(run) == {"messages.lost": [str(message.id)]} | also
    said = {Outcome.OK: "acknowledged", Outcome.INFO: "without a clear answer", Outcome.FAIL: "refused"}
    assert said[outcome] in why(run, "messages.lost")
    assert judged(run)["messages.lost"].checked == 1


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.INFO])
@pytest.mark.parametrize("again", [False, True])
def test_a_message_that_went_and_came_back_was_lost_for_a_while(outcome: Outcome, again: bool) -> None:
    run, message = one_message(outcome)
    for at, change in ((10, GONE), (40, ObservedChange.APPEARED), *([(50, GONE)] if again else [])):
        run.poll(at)
        run.observe(message, at, change=change)
    run.finish()
    assert failed(run) == {"messages.lost": [str(message.id)]}
    said = "and came back: it was found again 30.00 s after a look had missed it."
    assert (said in why(run, "messages.lost")) is not again
    assert ("it is no longer in the database" in why(run, "messages.lost")) is again


@pytest.mark.parametrize("outcome", [Outcome.OK, Outcome.INFO])
def test_a_copy_that_went_and_came_back_is_a_copy_and_no_loss(outcome: Outcome) -> None:
    run, message = one_message(outcome)
    copy = run.new_id()
    for at, change in ((3, ObservedChange.APPEARED), (6, GONE), (9, ObservedChange.APPEARED)):
        run.poll(at)
        run.observe(message, at, id=copy, seq=2, change=change)
    run.finish()
    assert failed(run) == {"messages.duplicated": [str(message.id)]}


def test_a_page_need_not_have_what_was_gone_when_it_was_read() -> None:
    run, message = one_message()
    for at, change in ((10, GONE), (40, ObservedChange.APPEARED)):
        run.poll(at)
        run.observe(message, at, change=change)
    run.page(1, 0, 20.0, [])
    run.finish()
    assert failed(run) == {"messages.lost": [str(message.id)]}


def test_a_copy_that_was_removed_again_was_stored_twice() -> None:
    run, message = one_message()
    copy = run.new_id()
    run.poll(3)
    run.observe(message, 3, id=copy, seq=2)
    run.poll(6)
    run.observe(message, 6, id=copy, seq=2, change=GONE)
    run.finish()
    assert failed(run) == {"messages.duplicated": [str(message.id)]}
    assert why(run, "messages.duplicated") == (
        f"This message was stored 2 times: as {message.id}, {copy} (gone)."
    )


def test_a_copy_without_the_key_is_no_second_fault_when_it_was_removed_again() -> None:
    run, message = one_message()
    copy = run.new_id()
    run.poll(3)
    run.observe(message, 3, id=copy, seq=2, keyed=False)
    run.poll(6)
    run.observe(message, 6, id=copy, seq=2, keyed=False, change=GONE)
    run.finish()
    assert failed(run) == {"messages.duplicated": [str(message.id)]}


def test_a_message_that_got_its_seq_later_was_stored_without_one() -> None:
    run, message = one_message(seq=None)
    message.seq = 1
    run.poll(9)
    run.observe(message, 9, change=CHANGED)
    run.finish()
    assert failed(run) == {"seq.missing": [str(message.id)]}
    (finding,) = judged(run)["seq.missing"].examples
    assert finding.why == "This message was stored without a seq. It had seq 1 later."
    assert (finding.seq, finding.at_ns) == (1, ns(1.5))


def test_messages_without_a_seq_are_told_as_of_the_first_look_that_saw_each() -> None:
    run, first = one_message(seq=None)
    second = run.send(0, 0, 5.0, seq=None)
    run.store(second)
    for message in (first, second):
        run.status(message, Status.READ, 9)
    run.finish()
    found = judged(run)["seq.missing"].examples
    assert {(one.message_id, one.at_ns) for one in found} == {
        (str(first.id), ns(1.5)),
        (str(second.id), ns(5.5)),
    }


def test_a_message_that_went_without_ever_having_had_a_seq_is_named_for_both() -> None:
    run, message = one_message(seq=None)
    run.poll(9)
    run.observe(message, 9, change=GONE)
    run.finish()
    named = [str(message.id)]
    assert failed(run) == {"messages.lost": named, "seq.missing": named}
    assert why(run, "seq.missing") == "This message was stored without a seq."


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"text": "hallo"}, "The text 'hello' was stored for a while as 'hallo'."),
        ({"sender": 1}, "It was sent by {0}, and was stored for a while with {1}."),
        ({"deleted": True}, "Its deleted_at was set, though nobody in the run deletes."),
        ({"seq": 2}, "The answer gave it seq 1, and seq 2 was stored for a while. Its seq was changed from 1 to 2."),
    ],
)  # fmt: skip
def test_a_field_that_was_set_right_again_was_wrong(wrong: dict[str, object], said: str) -> None:
    run, message = one_message()
    run.poll(3)
    run.observe(message, 3, change=CHANGED, **wrong)  # type: ignore[arg-type]
    run.poll(6)
    run.observe(message, 6, change=CHANGED)
    run.finish()
    assert failed(run) == {"messages.corrupted": [str(message.id)]}
    assert why(run, "messages.corrupted") == said.format(run.person_id(0), run.person_id(1))


def test_what_was_wrong_when_it_went_is_not_said_to_be_stored() -> None:
    run, message = one_message()
    run.poll(3)
    run.observe(message, 3, change=CHANGED, text="hallo")
    run.poll(6)
    run.observe(message, 6, change=GONE)
    run.finish()
    assert set(failed(run)) == {"messages.lost", "messages.corrupted"}
    assert "was stored for a while as 'hallo'" in why(run, "messages.corrupted")


def test_a_seq_that_changes_is_a_fault_of_a_message_without_an_answer_too() -> None:
    run, message = one_message(Outcome.INFO)
    run.poll(3)
    run.observe(message, 3, change=CHANGED, seq=2)
    run.finish()
    assert why(run, "messages.corrupted") == "Its seq was changed from 1 to 2."
