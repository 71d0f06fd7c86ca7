"""Promise: a seq counts as given to a message by looks and answers; events and pages are heard where they can be trusted."""

import uuid

import pytest

from analysis.criteria import Verdict
from analysis.record.codes import EventType, ObservedChange, Outcome
from tests.analysis.checks.judging import failed, judged, why
from tests.analysis.histories import History, Message

INSERT, UPDATE, DELETE = EventType
OK, INFO = Outcome.OK, Outcome.INFO


def chatting(*seqs: int, baseline: int = 0) -> tuple[History, list[Message]]:
    """Messages in one chat, a second apart, each stored with its seq and delivered."""
    run = History()
    chat = run.chat(0, 1, baseline=baseline)
    messages = [run.send(0, chat, 1.0 + place, seq=seq) for place, seq in enumerate(seqs)]
    for message in messages:
        run.store(message)
        run.deliver(message)
    return run, messages


def stranger(seq: int, at: float) -> Message:
    """A message of the first chat that nobody of the run sent, and no look saw."""
    return Message(0, 0, "strange", uuid.uuid4(), uuid.uuid4(), seq, at)


@pytest.mark.parametrize("told_by", ["answers", "events", "a page"])
def test_a_seq_that_is_reused_between_two_looks_was_given_twice(told_by: str) -> None:
    run, _ = chatting(1)
    in_answers = 2 if told_by == "answers" else None
    deleted = run.send(0, 0, 2.0, seq=in_answers)
    deleted.seq = 2
    if told_by == "events":
        run.deliver(deleted)
    if told_by == "a page":
        run.page(1, 0, 2.2, [deleted])
    run.store(run.send(1, 0, 2.4, seq=2))
    run.finish()
    newest = str(run.messages[-1].id)
    assert failed(run) == {"messages.lost": [str(deleted.id)], "seq.duplicates": [newest]}
    assert why(run, "seq.duplicates") == (
        f"Seq 2 of this chat was given to 2 messages: to this one and to {deleted.id}."
    )


def test_two_messages_that_no_look_saw_were_given_one_seq() -> None:
    run, _ = chatting(1)
    lost = [run.send(person, 0, 2.0 + person, seq=2) for person in (0, 1)]
    run.finish()
    assert failed(run)["seq.duplicates"] == [str(lost[0].id)]
    (finding,) = judged(run)["seq.duplicates"].examples
    assert finding.client_generated_id == str(lost[0].client_id)
    assert finding.sender_id == str(run.person_id(0))


def test_events_that_contradict_one_another_prove_no_seq() -> None:
    run, _ = chatting(1)
    deleted = run.send(0, 0, 2.0, seq=None)
    run.event(deleted, 0, 2.1, seq=2)
    run.event(deleted, 1, 2.1, seq=3)
    run.store(run.send(1, 0, 2.4, seq=2))
    run.finish()
    assert failed(run) == {"messages.lost": [str(deleted.id)]}


def test_an_answer_that_the_looks_contradict_gives_nobody_s_seq_twice() -> None:
    run, _ = chatting(1, 2)
    wrong = run.send(0, 0, 5.0, seq=2)
    run.store(wrong, seq=3)
    other_id = run.send(0, 0, 7.0, seq=4, answered_id=run.new_id())
    run.store(other_id)
    run.finish()
    assert failed(run) == {"messages.corrupted": [str(wrong.id), str(other_id.id)]}


def test_a_stranger_s_message_that_no_look_saw_had_nobody_s_seq() -> None:
    run, _ = chatting(1)
    run.page(1, 0, 2.2, [stranger(2, 2.0)])
    run.store(run.send(1, 0, 2.4, seq=2))
    run.finish()
    assert failed(run) == {}


def test_an_event_that_tells_another_chat_than_the_answer_gives_nobody_s_seq_twice() -> None:
    run, _ = chatting(1)
    other = run.chat(0, 1)
    for seq in (1, 2):
        run.store(run.send(0, other, 1.0 + seq, seq=seq))
    lost = run.send(0, 0, 3.0, seq=2)
    run.event(lost, 1, 3.1, chat=other)
    run.finish()
    assert failed(run) == {"messages.lost": [str(lost.id)]}


def test_an_old_seq_is_given_again_also_to_a_message_that_no_look_saw() -> None:
    run, _ = chatting(8, baseline=7)
    lost = run.send(0, 0, 0.5, seq=7)
    run.finish()
    assert failed(run) == {"messages.lost": [str(lost.id)], "seq.duplicates": [str(lost.id)]}
    assert "given again: the chat had come to 7" in why(run, "seq.duplicates")


def gap(run: History) -> bool:
    """Whether seq 2 of the first chat is missed; nothing else may be."""
    found = judged(run)["seq.gaps"].examples
    assert [finding.seq for finding in found] in ([], [2])
    return bool(found)


@pytest.mark.parametrize("kind", [INSERT, UPDATE])
def test_an_event_with_a_false_seq_fills_no_hole(kind: EventType) -> None:
    run, messages = chatting(1, 3)
    run.event(messages[1], 1, 2.3, type=kind, seq=2)
    run.finish()
    assert gap(run)


def test_a_page_that_shows_a_message_with_a_false_seq_fills_no_hole() -> None:
    run, messages = chatting(1, 3)
    shown = Message(0, 0, messages[1].text, messages[1].client_id, messages[1].id, 2)
    run.page(1, 0, 5.0, [shown, messages[0]])
    run.finish()
    assert gap(run)


@pytest.mark.parametrize("deleted", [False, True])
def test_an_event_of_a_message_that_was_rolled_back_fills_no_hole_but_one_of_a_deleted_message_does(
    deleted: bool,
) -> None:
    run, _ = chatting(1, 3)
    strange = stranger(2, 1.5)
    for person in (0, 1):
        run.event(strange, person, 1.6)
        if deleted:
            run.event(strange, person, 1.9, type=DELETE)
    run.finish()
    assert gap(run) is not deleted


def test_a_message_that_people_read_in_history_was_there() -> None:
    run, messages = chatting(1, 3)
    run.page(1, 0, 1.7, [stranger(2, 1.5), messages[0]])
    run.finish()
    assert not gap(run)


def open_gap(run: History) -> str | None:
    """Why seq 2 of the first chat may have been given; None if it was left out for certain."""
    found = judged(run)["seq.gaps"]
    assert found.observed == (0 if found.reason else 1)
    assert found.facts.get("perhaps_given", 0) == (1 if found.reason else 0)
    return found.reason


@pytest.mark.parametrize("sender", [0, 9])
@pytest.mark.parametrize("kind", [INSERT, UPDATE])
def test_a_number_with_which_a_stranger_s_message_was_shown_may_have_been_given(
    kind: EventType, sender: int
) -> None:
    run, _ = chatting(1, 3)
    run.event(stranger(2, 1.5), 1, 1.6, type=kind, sender=sender)
    run.finish()
    assert (open_gap(run) is not None) is (sender == 9)


@pytest.mark.parametrize("text", ["its own", "another", "none"])
def test_a_number_of_a_send_without_an_answer_may_have_been_given(text: str) -> None:
    run, _ = chatting(1, 3)
    unanswered = run.send(0, 0, 1.5, outcome=INFO, seq=2)
    shown = {"text": "another"} if text == "another" else {}
    run.event(unanswered, 1, 1.7, textless=text == "none", **shown)  # type: ignore[arg-type]
    run.finish()
    assert (open_gap(run) is not None) is (text != "another")


def test_a_deletion_of_which_nothing_else_is_known_explains_one_hole_of_any_chat_and_no_second() -> None:
    run, _ = chatting(1, 3)
    run.event(stranger(7, 1.5), 1, 1.9, type=DELETE)
    run.rows["events"][-1] = (*run.rows["events"][-1][:5], None, *run.rows["events"][-1][6:])
    run.finish()
    assert "told that one was deleted" in (open_gap(run) or "")
    run.store(run.send(0, 0, 9.0, seq=5))
    run.poll(200)
    assert [one.seq for one in judged(run)["seq.gaps"].examples] == [2, 4]


def test_a_deletion_of_a_message_whose_number_was_told_explains_no_other_hole() -> None:
    run, _ = chatting(1, 3)
    fleeting = stranger(4, 1.5)
    run.event(fleeting, 1, 1.6, sender=9)
    run.event(fleeting, 1, 1.9, type=DELETE)
    run.rows["events"][-1] = (*run.rows["events"][-1][:5], None, *run.rows["events"][-1][6:])
    run.finish()
    assert gap(run)


def test_a_hole_is_only_as_large_as_what_was_not_shown() -> None:
    run, _ = chatting(1, 7)
    for seq in (3, 4, 6):
        run.event(stranger(seq, 1.5), 1, 1.6, sender=9)
    run.finish()
    found = judged(run)["seq.gaps"]
    assert [one.seq for one in found.examples] == [2, 5]
    assert found.facts == {"open": 0, "perhaps_given": 3}


def test_an_answer_that_the_looks_contradict_fills_no_hole_unless_an_event_bears_it_out() -> None:
    run, _ = chatting(1, 3)
    fourth = run.send(0, 0, 5.0, seq=2)
    run.store(fourth, seq=4)
    run.finish()
    assert gap(run)
    run.event(fourth, 1, 5.1, seq=2)  # as it was for a moment
    assert not gap(run)


def test_an_answer_that_tells_another_chat_fills_no_hole_either_unless_an_event_bears_it_out() -> None:
    run, _ = chatting(1, 3)
    astray = run.send(0, 0, 5.0, seq=2)
    run.store(astray, chat=run.chat(0, 1))
    run.finish()
    assert gap(run)
    run.event(astray, 1, 5.1)
    assert not gap(run)


def test_a_seq_that_is_changed_later_puts_nobody_else_out_of_order() -> None:
    run, messages = chatting(1, 2, 3, 4)
    run.poll(6)
    run.observe(messages[1], 6, seq=9, change=ObservedChange.CHANGED)
    run.finish()
    assert set(failed(run)) == {"messages.corrupted", "seq.gaps"}
    assert failed(run)["messages.corrupted"] == [str(messages[1].id)]


@pytest.mark.parametrize(("answered", "stored"), [(2, 9), (9, 2)])
def test_a_message_of_which_answer_and_look_tell_different_seqs_puts_nobody_out_of_order(
    answered: int, stored: int
) -> None:
    run, _ = chatting(1)
    wrong = run.send(0, 0, 2.0, seq=answered)
    run.store(wrong, seq=stored)
    for seq in (3, 4, 5, 6, 7, 8, 10):
        run.store(run.send(0, 0, 2.0 + seq, seq=seq))
    run.finish()
    assert "seq.order" not in failed(run)
    assert failed(run)["messages.corrupted"] == [str(wrong.id)]


def test_a_message_that_got_its_number_late_puts_nobody_out_of_order() -> None:
    run, _ = chatting(1)
    late = run.send(0, 0, 2.0, seq=None)
    run.store(late)
    run.store(run.send(0, 0, 4.0, seq=2))
    late.seq = 3
    run.poll(6)
    run.observe(late, 6, change=ObservedChange.CHANGED)
    run.finish()
    assert failed(run) == {"seq.missing": [str(late.id)]}


def test_what_was_stored_in_another_chat_is_compared_with_no_message_of_its_own() -> None:
    run, _ = chatting(1, 2, 3)
    other = run.chat(0, 1)
    astray = run.send(0, 0, 5.0, seq=1)
    run.store(astray, chat=other)
    run.finish()
    assert failed(run) == {"messages.corrupted": [str(astray.id)]}


def test_a_message_that_moved_to_another_chat_later_was_numbered_in_its_own() -> None:
    run, messages = chatting(1, 2)
    other = run.chat(0, 1)
    run.poll(6)
    run.observe(messages[0], 6, chat=other, change=ObservedChange.CHANGED)
    run.finish()
    assert failed(run) == {"messages.corrupted": [str(messages[0].id)]}
    assert judged(run)["seq.order"].checked == 2


@pytest.mark.parametrize("came_back", [False, True])
@pytest.mark.parametrize("of_the_run", [False, True])
def test_a_message_that_was_moved_proves_nothing_about_lower_numbers_of_its_new_chat(
    came_back: bool, of_the_run: bool
) -> None:
    run, _ = chatting(1, 2)
    moved = stranger(3, 3.0) if not of_the_run else run.send(0, 0, 3.0, seq=3)
    run.store(moved, keyed=of_the_run, sender=0 if of_the_run else 9)
    other = run.chat(0, 1)
    run.store(run.send(0, other, 4.0, seq=1))
    for at, chat in ((6, other), *([(7, 0)] if came_back else [])):
        run.poll(at)
        run.observe(
            moved,
            at,
            chat=chat,
            keyed=of_the_run,
            sender=0 if of_the_run else 9,
            change=ObservedChange.CHANGED,
        )
    run.finish()
    found = judged(run)["seq.gaps"]
    assert (found.outcome, found.checked) == (Verdict.PASS, 4 if came_back else 3)


def test_a_message_that_was_moved_before_any_look_saw_it_was_numbered_in_its_own_chat() -> None:
    run, _ = chatting(1, 2)
    other = run.chat(0, 1)
    run.store(run.send(0, other, 4.0, seq=1))
    run.store(run.send(0, 0, 5.0, seq=3), chat=other)
    run.finish()
    assert not gap(run)


def test_what_was_moved_into_a_chat_fills_its_number_and_hides_no_gap_below_later_ones() -> None:
    run, messages = chatting(1, 2, 3)
    other = run.chat(0, 1)
    run.store(run.send(0, other, 4.0, seq=1))
    run.poll(6)
    run.observe(messages[2], 6, chat=other, change=ObservedChange.CHANGED)
    run.poll(8)
    run.store(run.send(0, other, 8.0, seq=4))
    run.finish()
    assert [one.seq for one in judged(run)["seq.gaps"].examples] == [2]
