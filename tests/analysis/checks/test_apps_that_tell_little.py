"""Promise: an app that takes no client_generated_id, or answers without id and seq, is not blamed for what it does not tell."""

import pytest

from analysis.checks import audit
from analysis.criteria import Verdict
from analysis.record.codes import ObservedChange, Outcome
from analysis.record.tables import SENDS
from tests.analysis.histories import History, Message

CLIENT_ID, MESSAGE_ID, SEQ = (
    SENDS.names.index(name) for name in ("client_generated_id", "message_id", "seq")
)


def untold(run: History, *columns: int) -> None:
    """The sends of the run had none of these, or were not told them."""
    run.rows["sends"] = [
        tuple(None if place in columns else value for place, value in enumerate(row))
        for row in run.rows["sends"]
    ]


def failed(run: History) -> dict[str, int]:
    """The criteria that fail, and how often."""
    run.finish()
    criteria = audit(run.evidence(), delivered_within_s=5).criteria
    return {one.id: one.observed for one in criteria if one.outcome is Verdict.FAIL}


def one_message() -> tuple[History, Message]:
    run = History(people=2)
    return run, run.send(0, run.chat(0, 1), at=1.0, seq=1)


def test_an_app_that_is_sent_no_client_generated_id_may_give_the_row_one() -> None:
    run, hello = one_message()
    untold(run, CLIENT_ID)
    run.store(hello)
    run.deliver(hello)
    assert failed(run) == {}


def test_an_app_that_is_sent_one_has_to_keep_it() -> None:
    run, hello = one_message()
    run.store(hello, keyed=False)
    run.deliver(hello)
    assert failed(run) == {"messages.corrupted": 1}


def test_a_text_that_is_changed_later_is_that_message_s_though_nothing_but_the_text_tells_whose_it_is() -> (
    None
):
    run, hello = one_message()
    untold(run, CLIENT_ID, MESSAGE_ID, SEQ)
    run.store(hello, keyed=False)
    run.deliver(hello)
    run.poll(10.0)
    run.observe(hello, 10.0, keyed=False, text="changed", change=ObservedChange.CHANGED)
    assert failed(run) == {"messages.corrupted": 1}


@pytest.mark.parametrize(
    ("untold_of", "blamed"),
    [((MESSAGE_ID, SEQ), 0), ((MESSAGE_ID,), 1), ((), 1)],
    ids=["none", "seq", "both"],
)
def test_of_several_copies_that_no_answer_names_none_was_there_when_it_was_acknowledged(
    untold_of: tuple[int, ...], blamed: int
) -> None:
    """The repeat was answered, and the first attempt stored last of all: what was sent in between came before only one of them."""
    run = History(people=2)
    chat = run.chat(0, 1)
    late_copy = run.send(0, chat, at=1.0, took=1.0, outcome=Outcome.INFO, seq=3)
    run.repeat(late_copy, 3.0)
    between = run.send(1, chat, at=4.0, seq=2)
    untold(run, *untold_of)
    run.poll(5.0)
    run.observe(late_copy, 5.0, id=run.new_id(), seq=1)
    run.observe(between, 5.0)
    run.poll(20.0)
    run.observe(late_copy, 20.0, seq=3)
    for message in (late_copy, between):
        run.deliver(message)
    assert failed(run).get("seq.order", 0) == blamed


def test_a_message_was_there_when_it_was_acknowledged_though_the_answer_told_no_id() -> None:
    run, hello = one_message()
    untold(run, MESSAGE_ID, SEQ)
    run.deliver(hello)
    run.page(1, 0, 5.0, [])
    run.store(hello, at=20.0)
    assert failed(run) == {"history.pages": 1}
