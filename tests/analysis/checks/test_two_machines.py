"""Promise: of people on another machine what is certain is judged, nobody is blamed, and what nobody knows is never a pass."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence
from analysis.record.codes import (
    EventType,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
    Status,
)
from tests.analysis.checks.judging import proves_nothing
from tests.analysis.checks.machines import on_two_machines
from tests.analysis.checks.plants.planting import pick
from tests.analysis.checks.plants.realtime import surely_owed
from tests.analysis.checks.worlds import World, worlds
from tests.analysis.histories import History, Message, ns

NEVER_COMPARED = None
WELL = 0.001  # seconds
PLENTY = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def found_by(evidence: Evidence, criterion: str) -> Criterion:
    (found,) = (one for one in audit(evidence, 5).criteria if one.id == criterion)
    return found


def missed(run: History, error_s: float | None, there: tuple[int, ...] = (1,)) -> Criterion:
    return found_by(on_two_machines(run, there, error_s=error_s), "realtime.missed")


def goes_deaf(after: int, messages: int = 30) -> History:
    """Person 0 writes every second; person 1 is sent the first few only, and waits in the drain for the last."""
    run = History(people=2)
    chat = run.chat(0, 1)
    for number in range(messages):
        message = run.send(0, chat, at=1.0 + number, seq=number + 1)
        run.store(message)
        run.deliver(message, None, *((0, 1) if number < after else (0,)))
    for person in (0, 1):
        run.socket(person, SocketEvent.FINISHED, 100.0, chat=chat, seq=messages)
    run.poll(101.0, PollKind.SWEEP)
    return run


@pytest.mark.parametrize("error_s", [NEVER_COMPARED, WELL, 0.4])
def test_a_subscription_that_goes_deaf_on_another_machine_is_found(error_s: float | None) -> None:
    found = missed(goes_deaf(after=5), error_s)
    assert (found.outcome, found.observed, found.facts["undecided"]) == (Verdict.FAIL, 25, 0)
    assert [finding.seq for finding in found.examples] == [*range(6, 31)]


def test_one_that_was_deaf_all_the_time_is_found_where_clocks_were_compared() -> None:
    assert missed(goes_deaf(after=0), WELL).observed == 30
    found = missed(goes_deaf(after=0), NEVER_COMPARED)
    assert (found.outcome, found.observed, found.facts["undecided"]) == (Verdict.INCONCLUSIVE, 0, 30)
    assert "30 deliveries that did not come would have been between machines whose clocks" in (
        found.reason or ""
    )


def held_number() -> tuple[History, int, list[Message]]:
    """An open transaction holds seq 2 from 2.0 to 7.9, while 3 and 4 are committed; person 1 has no socket from 5.0 to 9.0."""
    run = History(people=2)
    chat = run.chat(0, 1)
    sent = [
        run.send(0, chat, 1.0, seq=1),
        run.send(0, chat, 2.0, took=6.0, seq=2),
        run.send(0, chat, 2.5, seq=3),
        run.send(0, chat, 3.0, seq=4),
    ]
    for message in (sent[0], sent[2], sent[3]):
        run.store(message)
        run.deliver(message)
    run.socket(1, SocketEvent.CLOSED, 5.0)
    run.store(sent[1], at=8.1)
    run.event(sent[1], 0, 8.0)
    run.socket(1, SocketEvent.SUBSCRIBED, 9.0, chat=chat, socket=11)
    return run, chat, sent


@pytest.mark.parametrize("error_s", [NEVER_COMPARED, WELL])
def test_a_number_below_others_that_came_is_not_owed_when_it_was_committed_after_a_subscription(
    error_s: float | None,
) -> None:
    run, chat, sent = held_number()
    run.page(1, chat, 9.1, sent[::-1], purpose=PagePurpose.CATCH_UP)
    for person, socket in ((0, 0), (1, 11)):
        run.socket(person, SocketEvent.FINISHED, 20.0, chat=chat, socket=socket, seq=4)
    run.poll(21.0, PollKind.SWEEP)
    found = missed(run, error_s)
    assert (found.outcome, found.facts["caught_up"], found.facts["undecided"]) == (Verdict.PASS, 1, 0)


def test_a_number_below_the_one_that_was_waited_for_is_not_owed_when_it_was_committed_after_the_drain() -> (
    None
):
    run = History(people=2)
    chat = run.chat(0, 1)
    first, held, newest = (
        run.send(0, chat, at, took=took, seq=seq)
        for seq, (at, took) in enumerate(((1.0, 0.1), (2.0, 6.0), (2.5, 0.1)), start=1)
    )
    for message in (first, newest):
        run.store(message)
        run.deliver(message)
    run.socket(1, SocketEvent.FINISHED, 5.0, chat=chat, seq=3)
    run.store(held, at=8.1)
    run.event(held, 0, 8.0)
    run.socket(0, SocketEvent.FINISHED, 20.0, chat=chat, seq=3)
    run.poll(21.0, PollKind.SWEEP)
    found = missed(run, NEVER_COMPARED)
    assert (found.outcome, found.observed, found.facts["undecided"]) == (Verdict.INCONCLUSIVE, 0, 1)
    assert missed(run, WELL).outcome is Verdict.PASS


def test_what_was_read_in_history_is_caught_up_and_not_undecided() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    run.socket(1, SocketEvent.CLOSED, 0.5)
    message = run.send(0, chat, 1.0, seq=1)
    run.store(message)
    run.deliver(message, None, 0)
    run.socket(1, SocketEvent.SUBSCRIBED, 5.0, chat=chat, socket=11)
    run.page(1, chat, 5.1, [message], purpose=PagePurpose.CATCH_UP)
    run.finish(20.0)
    found = missed(run, NEVER_COMPARED)
    assert (found.outcome, found.facts["caught_up"], found.facts["undecided"]) == (Verdict.PASS, 1, 0)


def test_a_page_of_the_other_machine_lacks_what_was_surely_stored_when_it_was_asked_for() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    run.socket(1, SocketEvent.CLOSED, 0.5)
    for at, seq in ((1.0, 1), (6.0, 2)):
        message = run.send(0, chat, at, seq=seq)
        run.store(message)
        run.deliver(message, None, 0)
    run.page(1, chat, 5.0, [], purpose=PagePurpose.CATCH_UP)
    run.finish(20.0)
    assert missed(run, WELL).facts["not_in_history"] == 1
    assert missed(run, 5.0).facts["not_in_history"] == 0


def test_somebody_on_another_machine_who_could_not_come_back_is_owed_what_surely_left_later() -> None:
    run = History(people=2)
    chat = run.chat(0, 1, subscribed=1.0)
    run.socket(1, SocketEvent.CLOSED, 1.5)
    for at, seq in ((0.5, 1), (3.0, 2)):
        message = run.send(0, chat, at, seq=seq)
        run.store(message)
        run.deliver(message, None, 0)
    run.socket(1, SocketEvent.GAVE_UP, 100.0, chat=chat)
    run.socket(0, SocketEvent.FINISHED, 100.0, chat=chat)
    run.poll(101.0, PollKind.SWEEP)
    assert [finding.seq for finding in missed(run, WELL).examples] == [2]
    assert missed(run, 3.0).examples == ()


def test_a_message_that_timed_out_is_stored_when_a_look_on_another_machine_saw_it() -> None:
    """Both sender and recipient are there; only the monitor, here, knows when it was stored."""
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(0, chat, 1.0, took=10.0, outcome=Outcome.INFO)
    run.store(message, seq=1)
    for person in (0, 1):
        run.socket(person, SocketEvent.FINISHED, 40.0, chat=chat, seq=1)
    run.poll(41.0, PollKind.SWEEP)
    assert missed(run, WELL, there=(0, 1)).observed == 2
    found = missed(run, NEVER_COMPARED, there=(0, 1))
    assert (found.outcome, found.facts["undecided"]) == (Verdict.INCONCLUSIVE, 2)


# Where a finding lies in time


def test_a_finding_of_another_machine_is_dated_by_the_run_s_clock() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(1, chat, 1.0, seq=1)
    run.store(message)
    run.deliver(message)
    run.event(message, 1, 1.3)
    run.send(1, chat, 2.0, seq=2)
    run.finish(20.0)
    for error_s in (WELL, 0.2):
        evidence = on_two_machines(run, (1,), error_s=error_s)
        for name, at in (("realtime.duplicated", 1.3), ("messages.lost", 2.0)):
            criterion = found_by(evidence, name)
            (finding,) = criterion.examples
            assert abs((finding.at_ns or 0) - ns(at)) < 10_000
            assert criterion.found.at_ns.tolist() == [finding.at_ns]
    unplaced = found_by(on_two_machines(run, (1,), error_s=NEVER_COMPARED), "realtime.duplicated")
    assert [one.at_ns for one in unplaced.examples] == [None]
    assert unplaced.found.count == 1
    assert not len(unplaced.found.at_ns)
    assert [one.at_ns for one in found_by(run.evidence(), "realtime.duplicated").examples] == [ns(1.3)]


@pytest.mark.parametrize("error_s", [NEVER_COMPARED, WELL])
def test_a_status_that_an_event_showed_elsewhere_is_dated_by_the_run_s_clock(error_s: float | None) -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(0, chat, 1.0, seq=1)
    run.store(message)
    run.deliver(message)
    run.event(message, 1, 1.3, type=EventType.UPDATE, status=Status.OTHER)
    run.finish(20.0)
    found = found_by(on_two_machines(run, (1,), error_s=error_s), "status.invalid")
    (finding,) = found.examples
    assert found.found.at_ns.tolist() == ([] if finding.at_ns is None else [finding.at_ns])
    if error_s is NEVER_COMPARED:
        assert finding.at_ns is None
    else:
        assert abs((finding.at_ns or 0) - ns(1.3)) < 10_000


def test_what_a_look_saw_is_dated_by_the_monitor() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    message = run.send(1, chat, 1.0, seq=1)
    run.store(message, at=1.5, status=Status.OTHER)
    run.deliver(message)
    run.poll(3.0)
    run.observe(message, 3.0, change=ObservedChange.GONE, status=Status.OTHER)
    run.finish(20.0)
    (finding,) = found_by(on_two_machines(run, (1,), error_s=NEVER_COMPARED), "status.invalid").examples
    assert finding.at_ns == ns(1.5)


# Whatever the truth is


@PLENTY
@given(worlds(), st.data())
def test_nothing_is_found_on_two_machines_where_nothing_is_wrong(world: World, data: st.DataObject) -> None:
    run, there = world.recorded(), some_people(world, data)
    ahead_s = data.draw(st.sampled_from([-900.0, 0.0, 0.7, 3000.0]))
    error_s = data.draw(st.sampled_from([WELL, 0.3, 5.0, NEVER_COMPARED]))
    evidence = on_two_machines(run, there, ahead_s=ahead_s, error_s=error_s)
    for criterion in audit(evidence, delivered_within_s=5).criteria:
        assert criterion.examples == (), criterion
        by_clocks = criterion.id in {"realtime.missed", "status.stuck"}
        never_compared = by_clocks and error_s is NEVER_COMPARED
        assert criterion.outcome is Verdict.PASS or proves_nothing(criterion) or never_compared, criterion


@PLENTY
@given(worlds(), st.data())
def test_what_does_not_come_to_another_machine_is_found_where_clocks_were_compared(
    world: World, data: st.DataObject
) -> None:
    shown = pick(data, surely_owed(world))
    world.shown.remove(shown)
    found = missed(world.recorded(), WELL, tuple(some_people(world, data)))
    assert {finding.message_id for finding in found.examples} == {str(shown.truth.id)}


def some_people(world: World, data: st.DataObject) -> set[int]:
    return data.draw(st.sets(st.sampled_from(range(world.history.people)), min_size=1))
