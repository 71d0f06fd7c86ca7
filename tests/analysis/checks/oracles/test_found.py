"""Promise: what the oracles once found stays mended. Each history here is one of theirs, shrunk."""

from analysis.checks import realtime, receipts, status
from analysis.checks.completeness import monitor
from analysis.checks.deliveries import deliveries
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import EventType, ObservedChange, Outcome, Status
from tests.analysis.checks.oracles.hello import account, hello, subscribed
from tests.analysis.checks.oracles.story import (
    Attempt,
    Event,
    Look,
    Process,
    Receipt,
    Story,
)


def stuck(story: Story) -> Criterion:
    return receipts.stuck(account(story), delivered_within_s=5)


def test_of_two_subscriptions_at_once_either_owes_a_message() -> None:
    steps = [*subscribed(0, 39, seq=1, socket=1), *subscribed(1, 2, socket=2)]
    steps.sort(key=lambda step: step.at)
    judged = account(hello(steps=steps))
    found = realtime.missed(judged, deliveries(judged))
    assert (found.outcome, found.checked, found.observed) == (Verdict.FAIL, 1, 1)


def test_where_the_monitor_could_not_write_no_status_went_back() -> None:
    told = Event(1, 1, 0, 0, 5, EventType.UPDATE, Status.DELIVERED, 1, committed=5)
    whole = status.regressed(account(hello(events=[told])))
    assert (whole.outcome, whole.observed) == (Verdict.FAIL, 1)
    lacking = status.regressed(account(hello(events=[told], monitor=Process(lost=("observations",)))))
    assert (lacking.outcome, lacking.observed) == (Verdict.INCONCLUSIVE, 0)


def test_a_receipt_that_overtook_an_earlier_one_counts() -> None:
    both = [Receipt(1, 0, 3, 39, Outcome.OK, 1), Receipt(1, 0, 4, 5, Outcome.OK, 1)]
    found = stuck(hello(receipts=both))
    assert (found.outcome, found.observed) == (Verdict.FAIL, 1)


def test_a_message_that_an_event_showed_delivered_is_not_open() -> None:
    receipt = Receipt(1, 0, 37, 38, Outcome.OK, 1)
    shown = Event(1, 1, 0, 0, 38, EventType.UPDATE, Status.DELIVERED, 1, committed=38)
    assert stuck(hello(receipts=[receipt])).outcome is Verdict.INCONCLUSIVE
    assert stuck(hello(receipts=[receipt], events=[shown])).outcome is Verdict.PASS


def test_a_first_send_between_two_looks_does_not_shorten_the_time_between_them() -> None:
    late = hello()
    late.messages[0].attempts = [Attempt(20, 21, Outcome.OK)]
    late.messages[0].looks = [Look(1, ObservedChange.APPEARED)]
    assert "did not look for 37.0 s" in (monitor(account(late)).reason or "")
