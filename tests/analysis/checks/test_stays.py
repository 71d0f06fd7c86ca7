"""Promise: who lost a subscription and got another one has each message, or the verdict says that it does not know."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import Outcome, PagePurpose, PollKind, SocketEvent
from tests.analysis.histories import History, ns

LOST, AGAIN = 10.0, 11.0


def missed(run: History) -> Criterion:
    run.poll(110.0, PollKind.SWEEP)
    (one,) = [one for one in audit(run.evidence(), 5).criteria if one.id == "realtime.missed"]
    return one


def unread(run: History) -> tuple[Verdict, float]:
    found = missed(run)
    return found.outcome, found.facts["unread"]


def between(sent_at: float = 10.5) -> History:
    """Person 1 is subscribed anew, and the message that was sent meanwhile does not come to them; the next one does."""
    run = History(people=2)
    chat = run.chat(0, 1)
    run.socket(1, SocketEvent.UNSUBSCRIBED, LOST, chat=chat)
    run.socket(1, SocketEvent.SUBSCRIBED, AGAIN, chat=chat)
    first = run.send(0, chat, at=sent_at, seq=1)
    run.store(first)
    run.deliver(first, None, 0)
    later = run.send(0, chat, at=40.0, seq=2)
    run.store(later)
    run.deliver(later)
    return run


def finish(run: History, seq: int | None = 2, *people: int) -> History:
    for person in people or (0, 1):
        run.socket(person, SocketEvent.FINISHED, 100.0, chat=0, seq=seq)
    return run


def refused_page(run: History) -> None:
    run.page(1, 0, 11.1, [], purpose=PagePurpose.CATCH_UP)
    row = list(run.rows["pages"][-1])
    row[8:13] = Outcome.INFO, 503, None, None, None
    run.rows["pages"][-1] = tuple(row)


@pytest.mark.parametrize("asked", [True, False])
def test_what_no_page_brought_leaves_it_open(asked: bool) -> None:
    run = between()
    if asked:
        refused_page(run)
    found = missed(finish(run))
    assert (found.outcome, found.facts["unread"]) == (Verdict.INCONCLUSIVE, 1)
    assert "1 delivery to 1 participation that had lost a subscription" in (found.reason or "")


def test_what_a_page_brought_does_not() -> None:
    run = between()
    run.page(1, 0, 11.1, [run.messages[0]], purpose=PagePurpose.CATCH_UP)
    assert unread(finish(run)) == (Verdict.PASS, 0)


def test_what_a_page_should_have_shown_is_the_page_s_fault_alone() -> None:
    run = between()
    run.page(1, 0, 11.1, [], purpose=PagePurpose.CATCH_UP)
    found = missed(finish(run))
    assert (found.outcome, found.facts["unread"], found.facts["not_in_history"]) == (Verdict.PASS, 0, 1)


@pytest.mark.parametrize("sent_at", [0.5, 12.0])
def test_it_is_asked_only_of_what_was_sent_between_two(sent_at: float) -> None:
    """What was sent before the second lost its end is lacking, too; what was sent after it began is missed."""
    found = missed(finish(between(sent_at)))
    assert found.outcome is {0.5: Verdict.INCONCLUSIVE, 12.0: Verdict.FAIL}[sent_at]


def test_who_went_offline_and_came_again_missed_nothing() -> None:
    run = between()
    run.rows["sockets"] = [
        (*row[:3], SocketEvent.FINISHED, *row[4:]) if row[3] == SocketEvent.UNSUBSCRIBED else row
        for row in run.rows["sockets"]
    ]
    assert unread(finish(run)) == (Verdict.PASS, 0)


@pytest.mark.parametrize(("again", "count"), [(True, 0), (False, 1)])
def test_a_drain_that_left_no_word_of_its_end_is_told_by_the_next(again: bool, count: int) -> None:
    """Or else the subscription was got in this drain."""
    run = between()
    rows, drain = run.rows["sockets"], History(people=2)
    drain.chat(0, 1)
    drain.socket(1, SocketEvent.DRAINING, 10.2, chat=0, seq=1)
    place = next(number for number, row in enumerate(rows) if row[3] == SocketEvent.UNSUBSCRIBED)
    rows.insert(place + 1, drain.rows["sockets"][-1])
    if again:
        run.socket(1, SocketEvent.DRAINING, 99.0, chat=0, seq=2)
    assert unread(finish(run))[1] == count


def test_who_gave_up_afterwards_should_have_read_it_until_then() -> None:
    run = between()
    run.socket(1, SocketEvent.UNSUBSCRIBED, 12.0, chat=0)
    run.socket(1, SocketEvent.GAVE_UP, 100.0, chat=0)
    run.messages.pop()
    assert missed(finish(run, 2, 0)).facts["unread"] == 1


@pytest.mark.parametrize(("lives_until", "count"), [(12.0, 0), (60.0, 1)])
def test_who_was_killed_soon_after_had_no_time_to_read(lives_until: float, count: int) -> None:
    run = between()
    run.event(run.messages[1], 1, 40.2 if lives_until > 40 else 41.0)
    run.rows["events"] = [
        row for row in run.rows["events"] if lives_until > 40 or row[0] != run.person_id(1).bytes
    ]
    assert missed(finish(run, 2, 0)).facts["unread"] == count


def test_who_was_not_online_yet_had_missed_nothing() -> None:
    """A join of the first socket was refused."""
    run = between()
    run.socket(1, SocketEvent.REFUSED, 9.0, chat=0)
    assert unread(finish(run))[1] == 0


def test_what_was_sent_before_they_came_was_not_to_be_read() -> None:
    run = between(sent_at=3.0)
    rows = run.rows["sockets"]
    first = next(
        number
        for number, row in enumerate(rows)
        if row[3] == SocketEvent.SUBSCRIBED and row[0] == run.person_id(1).bytes
    )
    rows[first] = (*rows[first][:4], ns(5.0), *rows[first][5:])
    assert unread(finish(run)) == (Verdict.PASS, 0)
