"""Promise: who leaves a chat in mid-run is owed nothing more, and is shown nothing more; and nobody is blamed for either.
What they ask for themselves is judged again once they are back."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.judge import judge_evidence
from analysis.record.codes import MarkKind, Outcome, PagePurpose, PollKind
from analysis.record.tables import MARKS
from tests.analysis.histories import History, Message

SEEN_IN, SEEN_OUT = 20.0, 21.0  # looks: the last that saw person 1 in the chat, the first that did not
WELL_BEFORE, SHORTLY_BEFORE, BETWEEN, AFTER = 5.0, 15.0, 20.5, 30.0


def left(*, back: bool = False) -> tuple[History, int]:
    """Person 1 is removed from a chat of three."""
    run = History(people=3)
    chat = run.chat(0, 1, 2)
    for person in range(3):
        run.member(person, chat, -1.0)
    run.poll(SEEN_IN)
    run.poll(SEEN_OUT)
    run.member(1, chat, SEEN_OUT, there=False)
    if back:
        run.member(1, chat, SEEN_OUT + 1, there=True)
    return run, chat


# Person 1 is away twice: looks that saw them go and come back. Between two of each nobody knows.
AWAY = ((20.0, 21.0, 29.0, 30.0), (40.0, 41.0, 49.0, 50.0))
WHILE_AWAY_TWICE = [
    (19.5, True),
    (20.5, False),
    (25.0, False),
    (29.5, False),
    (35.0, True),
    (45.0, False),
    (55.0, True),
]


def away_twice() -> tuple[History, int]:
    """Person 1 of a chat of three goes, comes back, goes and comes back."""
    run = History(people=3)
    chat = run.chat(0, 1, 2)
    for person in range(3):
        run.member(person, chat, -1.0)
    for last_in, first_out, last_out, first_in in AWAY:
        run.poll(last_in)
        run.poll(first_out)
        run.member(1, chat, first_out, there=False)
        run.poll(last_out)
        run.poll(first_in)
        run.member(1, chat, first_in)
    return run, chat


def said(run: History, chat: int, at: float, *to: int, sender: int = 0) -> Message:
    message = run.send(sender, chat, at=at)
    run.store(message, seq=len(run.messages))
    run.deliver(message, None, *to)
    return message


def refused(run: History, chat: int, at: float, status_code: int = 403) -> None:
    """Person 1 sends, and is answered that they may not."""
    run.send(1, chat, at=at, outcome=Outcome.FAIL)
    place = len(run.rows["sends"]) - 1
    run.rows["sends"][place] = (*run.rows["sends"][place][:8], status_code, *run.rows["sends"][place][9:])


def found(run: History, criterion: str) -> Criterion:
    run.finish()
    (one,) = [one for one in audit(run.evidence(), delivered_within_s=5).criteria if one.id == criterion]
    return one


@pytest.mark.parametrize(
    ("at", "owed"), [(WELL_BEFORE, True), (SHORTLY_BEFORE, False), (BETWEEN, False), (AFTER, False)]
)
def test_what_is_owed_ends_before_the_last_look_that_saw_them(at: float, owed: bool) -> None:
    run, chat = left()
    message = said(run, chat, at, 0, 2)
    said(run, chat, 50.0, 0, 2)
    missed = found(run, "realtime.missed")
    named = [(one.message_id, one.recipient_id) for one in missed.examples]
    assert named == ([(str(message.id), str(run.person_id(1)))] if owed else [])
    assert missed.outcome is (Verdict.FAIL if owed else Verdict.PASS)


@pytest.mark.parametrize(("at", "wrong"), [(BETWEEN, False), (AFTER, True)])
@pytest.mark.parametrize("back", [False, True])
def test_what_was_sent_after_they_left_must_not_be_shown_to_them(at: float, wrong: bool, back: bool) -> None:
    run, chat = left(back=back)
    message = said(run, chat, at, 0, 1, 2)
    phantom = found(run, "realtime.phantom")
    if not wrong or back:
        assert phantom.outcome is Verdict.PASS
        return
    (finding,) = phantom.examples
    assert (finding.message_id, finding.recipient_id) == (str(message.id), str(run.person_id(1)))
    assert f"after {run.person_id(1)} had left the chat" in finding.why


@pytest.mark.parametrize(("at", "wrong"), [(15.0, True), (BETWEEN, False), (AFTER, False), (60.0, True)])
def test_who_was_added_to_a_chat_is_no_outsider_to_its_events(at: float, wrong: bool) -> None:
    run = History(people=3)
    chat = run.chat(0, 1)
    run.chat(1, 2)
    run.poll(SEEN_IN)
    run.poll(SEEN_OUT)
    run.member(2, chat, SEEN_OUT)
    run.poll(50.0)
    run.member(2, chat, 50.0, there=False)
    said(run, chat, at, 0, 1, 2)
    phantom = found(run, "realtime.phantom")
    assert [one.recipient_id for one in phantom.examples] == ([str(run.person_id(2))] if wrong else [])


@pytest.mark.parametrize(("at", "wrong"), [(10.0, True), (BETWEEN, False), (AFTER, False)])
def test_a_page_may_be_empty_once_they_may_have_left(at: float, wrong: bool) -> None:
    run, chat = left()
    message = said(run, chat, 1.0, 0, 1, 2)
    run.page(1, chat, at, [], purpose=PagePurpose.BROWSE)
    run.page(2, chat, at, [message], purpose=PagePurpose.BROWSE)
    assert found(run, "history.pages").outcome is (Verdict.FAIL if wrong else Verdict.PASS)


def test_what_a_page_left_out_after_they_left_is_no_delivery() -> None:
    run, chat = left()
    said(run, chat, AFTER, 0, 2)
    run.page(1, chat, AFTER + 5, [], purpose=PagePurpose.CATCH_UP)
    missed = found(run, "realtime.missed")
    assert (missed.outcome, missed.facts["not_in_history"]) == (Verdict.PASS, 0)


@pytest.mark.parametrize(("at", "counted"), [(10.0, 1), (BETWEEN, 0), (AFTER, 0)])
def test_what_they_are_refused_after_they_left_is_no_error_of_the_server(at: float, counted: int) -> None:
    run, chat = left()
    said(run, chat, 1.0, 0, 1, 2)
    refused(run, chat, at)
    run.finish()
    judged = judge_evidence(run.evidence(), lambda _: None).verdict
    (errors,) = [one for one in judged["criteria"] if one["id"] == "errors.send"]
    assert errors["facts"]["not_ok"] == counted
    assert errors["facts"].get("after_leaving", 0) == 1 - counted


@pytest.mark.parametrize(("at", "judged"), WHILE_AWAY_TWICE)
def test_who_came_back_is_judged_again(at: float, judged: bool) -> None:
    run, chat = away_twice()
    said(run, chat, 1.0, 0, 1, 2)
    run.page(1, chat, at, [])
    refused(run, chat, at)
    run.finish()
    found = audit(run.evidence(), delivered_within_s=5)
    (pages,) = [one for one in found.criteria if one.id == "history.pages"]
    assert pages.observed == judged
    assert found.rightly_refused[-1] == (not judged)


@pytest.mark.parametrize(
    ("at", "judged"), [(15.0, True), (SEEN_IN - 0.3, True), (BETWEEN, False), (AFTER, False)]
)
def test_what_somebody_acknowledged_who_may_have_left_moves_no_status(at: float, judged: bool) -> None:
    run, chat = left()
    said(run, chat, 1.0, 0, 1, 2)
    run.mark(1, chat, at, up_to_seq=1)
    run.mark(1, chat, at + 0.01, up_to_seq=1, kind=MarkKind.READ)
    stuck = found(run, "status.stuck")
    assert (stuck.checked, stuck.observed) == ((1, 1) if judged else (0, 0))


@pytest.mark.parametrize(("at", "wrong"), [(10.0, False), (BETWEEN, False), (AFTER, True)])
@pytest.mark.parametrize("back", [False, True])
def test_who_had_left_must_not_write_any_more(at: float, wrong: bool, back: bool) -> None:
    run, chat = left(back=back)
    message = said(run, chat, at, 0, 2, sender=1)
    run.send(1, chat, at + 1, outcome=Outcome.FAIL)
    denied = found(run, "access.denied")
    wrong = wrong and not back
    assert denied.observed == int(wrong)
    assert [(one.message_id, one.sender_id) for one in denied.examples] == (
        [(str(message.id), str(run.person_id(1)))] if wrong else []
    )
    if wrong:
        assert (denied.outcome, denied.checked) == (Verdict.FAIL, 1)
        assert "after they had left the chat, and it is stored" in denied.examples[0].why


@pytest.mark.parametrize(
    ("at", "count", "wrong"), [(BETWEEN, 1, False), (AFTER, 0, False), (AFTER, 1, True), (150.0, 1, False)]
)
def test_who_had_left_must_not_mark_any_more(at: float, count: int, wrong: bool) -> None:
    run, chat = left()
    said(run, chat, 1.0, 0, 1, 2)
    run.mark(1, chat, at, up_to_seq=1, kind=MarkKind.READ)
    place = MARKS.get_field_index("updated_count")
    row = run.rows["marks"][-1]
    run.rows["marks"][-1] = (*row[:place], count, *row[place + 1 :])
    denied = found(run, "access.denied")
    assert [one.sender_id for one in denied.examples] == ([str(run.person_id(1))] if wrong else [])
    assert [one.why.partition(" ")[2] for one in denied.examples] == (
        ["marked 1 message as read after they had left the chat."] if wrong else []
    )


@pytest.mark.parametrize(("at", "wrong"), [(130.0, True), (145.0, False)])
def test_what_was_marked_after_the_last_look_was_asked_for_is_not_known_to_be_wrong(
    at: float, wrong: bool
) -> None:
    """They may have been back when that look's answer came."""
    run, chat = left()
    said(run, chat, 1.0, 0, 1, 2)
    run.mark(1, chat, at, up_to_seq=1)
    run.finish()
    run.poll(200.0, PollKind.SWEEP, asked=140.0)
    (denied,) = [one for one in audit(run.evidence(), 5).criteria if one.id == "access.denied"]
    assert denied.observed == wrong


def test_a_look_whose_answer_was_late_saw_them_in_the_chat_when_it_was_asked_for() -> None:
    run = History(people=3)
    chat = run.chat(0, 1, 2)
    for person in range(3):
        run.member(person, chat, -1.0)
    said(run, chat, 1.0, 0, 1, 2)
    run.poll(SEEN_IN, asked=16.0)
    run.poll(SEEN_OUT, asked=SEEN_OUT)
    run.member(1, chat, SEEN_OUT, there=False)
    run.page(1, chat, 18.0, [])
    assert found(run, "history.pages").observed == 0
    run.page(1, chat, 15.0, [])
    assert found(run, "history.pages").observed == 1


def test_what_was_repeated_after_they_left_had_been_sent_before() -> None:
    run, chat = left()
    message = said(run, chat, WELL_BEFORE, 0, 1, 2, sender=1)
    run.repeat(message, AFTER)
    assert found(run, "access.denied").observed == 0


@pytest.mark.parametrize(("at", "meant"), [(10.0, (1, 2)), (BETWEEN, (1, 2)), (AFTER, (2,))])
def test_a_finding_does_not_name_who_had_left_before_as_a_recipient(
    at: float, meant: tuple[int, ...]
) -> None:
    run, chat = left()
    message = run.send(0, chat, at=at)
    run.store(message, seq=1, text="altered")
    run.deliver(message, None, *meant)
    run.finish()
    verdict = judge_evidence(run.evidence(), lambda _: None).verdict
    (example,) = next(one for one in verdict["criteria"] if one["id"] == "messages.corrupted")["examples"]
    assert example["recipient_ids"] == [str(run.person_id(person)) for person in meant]


def test_another_error_than_a_refusal_is_one_whoever_has_left() -> None:
    run, chat = left()
    said(run, chat, 1.0, 0, 1, 2)
    run.send(1, chat, at=AFTER, outcome=Outcome.INFO)
    refused(run, chat, AFTER, 422)
    run.finish()
    assert not audit(run.evidence(), delivered_within_s=5).rightly_refused.any()
