"""Promise: a page shows messages of its own chat; one that was moved belongs into each chat that it was in, and leaks to nobody there."""

import pytest

from analysis.checks import history
from analysis.checks.account import account_for
from analysis.criteria import Verdict
from analysis.record.codes import EventType, ObservedChange
from tests.analysis.checks.pages import LATER, READER, SENDER, judged, named, talk


@pytest.mark.parametrize(("members", "leaked"), [((SENDER, READER), False), ((SENDER, 2), True)])
def test_messages_of_another_chat_are_findings(members: tuple[int, int], leaked: bool) -> None:
    run, chat, said = talk()
    elsewhere = run.chat(*members)
    foreign = run.send(SENDER, elsewhere, at=2.0, seq=1)
    run.poll(4)
    run.observe(foreign, 4)
    run.page(READER, chat, LATER, [*said, foreign])
    (finding,) = judged(run).examples
    assert finding.message_id == str(foreign.id)
    assert finding.recipient_id == str(run.person_id(READER))
    assert "another chat's history" in finding.why
    assert ("the reader is not in its own chat" in finding.why) == leaked


@pytest.mark.parametrize("there_again", [False, True])
@pytest.mark.parametrize("seqs", [False, True])
def test_a_message_that_was_moved_stood_rightly_in_each_of_its_chats(there_again: bool, seqs: bool) -> None:
    run, chat, said = talk()
    other_chat = run.chat(SENDER, 2)
    run.page(READER, chat, 5.0, said, seqs=seqs)
    run.poll(10)
    run.observe(said[1], 10, chat=other_chat, seq=1, change=ObservedChange.CHANGED)
    run.page(2, other_chat, 12.0, [said[1]], seqs=seqs)
    if there_again:
        run.poll(14)
        run.observe(said[1], 14, change=ObservedChange.CHANGED)
    found = judged(run)
    assert (found.outcome, named(found)) == (Verdict.PASS, [])


def test_a_moved_message_leaks_to_nobody_who_was_in_one_of_its_chats() -> None:
    run, _, said = talk()
    other_chat, third = run.chat(SENDER, 2), run.chat(SENDER, READER, 2, 3)
    run.poll(10)
    run.observe(said[1], 10, chat=other_chat, change=ObservedChange.CHANGED)
    for reader in (READER, 2, 3):
        run.page(reader, third, 12.0, [said[1]])
    found = judged(run).examples
    assert [one.recipient_id for one in found] == [str(run.person_id(reader)) for reader in (READER, 2, 3)]
    assert ["reader is not in" in one.why for one in found] == [False, False, True]


@pytest.mark.parametrize("told", ["not at all", "by an event"])
def test_a_move_between_two_looks_is_believed_where_an_event_tells_of_it(told: str) -> None:
    run, _, said = talk()
    other_chat = run.chat(SENDER, READER)
    if told == "by an event":
        run.event(said[1], READER, 5.0, type=EventType.UPDATE, chat=other_chat)
    run.page(READER, other_chat, LATER, [said[1]])
    assert len(judged(run).examples) == (told == "not at all")


def test_without_a_last_look_nobody_knows_where_a_message_was_moved_to() -> None:
    run, _, said = talk()
    run.page(READER, run.chat(SENDER, READER), LATER, [said[1]])
    found = history.pages(account_for(run.evidence()))
    assert (found.outcome, named(found)) == (Verdict.INCONCLUSIVE, [])


def test_the_deletion_of_a_message_does_not_say_that_it_was_in_another_chat() -> None:
    run, _, said = talk()
    run.event(said[1], READER, 5.0, type=EventType.DELETE)
    (person, socket, _, *rest) = run.rows["events"].pop()
    run.rows["events"].append((person, socket, None, *rest))
    run.page(READER, run.chat(SENDER, READER), LATER, [said[1]])
    assert len(judged(run).examples) == 1
