"""Promise: a status that people read in history is one of the three, or is a finding; what an app does not tell is none."""

import pytest

from analysis.checks import status
from analysis.checks.account import account_for
from analysis.criteria import Criterion
from analysis.record.codes import EventType, ObservedChange, Status
from tests.analysis.histories import History, Message, ns


def one_message() -> tuple[History, int, Message]:
    run = History()
    chat = run.chat(0, 1)
    message = run.send(0, chat, 1.0, seq=1)
    run.store(message)
    return run, chat, message


def judged(run: History) -> Criterion:
    run.finish(20.0)
    return status.invalid(account_for(run.evidence()))


@pytest.mark.parametrize("shown", [*Status, None])
def test_a_status_on_a_page_is_one_of_the_three_or_not_told(shown: Status | None) -> None:
    run, chat, message = one_message()
    for at in (5.0, 6.0):
        run.page(1, chat, at, [message], statuses=[shown])
    found = judged(run).examples
    words = {Status.NULL: "NULL", Status.OTHER: "an unknown text"}
    why = f"It was shown on a page of history with the status {words.get(shown or Status.NULL)}."
    expected = [(str(message.id), str(run.person_id(1)), ns(5.1), why)] * (shown in words)
    assert [(one.message_id, one.recipient_id, one.at_ns, one.why) for one in found] == expected


@pytest.mark.parametrize("by", ["a look", "an event"])
def test_what_looks_or_events_tell_is_told_once(by: str) -> None:
    run, chat, message = one_message()
    run.page(1, chat, 5.0, [message], statuses=[Status.OTHER])
    if by == "a look":
        run.poll(6)
        run.observe(message, 6, status=Status.OTHER, change=ObservedChange.CHANGED)
    else:
        run.event(message, 1, 6.0, type=EventType.UPDATE, status=Status.OTHER)
    (finding,) = judged(run).examples
    assert "page of history" not in finding.why


@pytest.mark.parametrize("shown", [Status.OTHER, Status.NULL])
def test_what_an_app_shows_in_place_of_a_deleted_message_has_a_status_of_its_own(shown: Status) -> None:
    run, chat, message = one_message()
    run.poll(3.0)
    run.observe(message, 3.0, deleted=True, change=ObservedChange.CHANGED)
    run.page(1, chat, 5.0, [message], statuses=[shown])
    assert not judged(run).examples


def test_statuses_of_other_people_s_messages_are_not_judged() -> None:
    run, chat, message = one_message()
    other = Message(0, chat, "other", run.new_id(), run.new_id(), 2, 2.0)
    run.store(other, sender=9, keyed=False)
    run.page(1, chat, 5.0, [other, message], statuses=[Status.OTHER, Status.SENT])
    assert not judged(run).examples
