"""Promise: `realtime.*` says of any history what plain loops over it say: the same faults, counts and outcome."""

from collections.abc import Callable, Hashable

import pytest
from hypothesis import given

from analysis.checks import corruption, history, messages, phantom, realtime
from analysis.checks.account import Account, account_for
from analysis.checks.deliveries import deliveries
from analysis.checks.subscriptions import subscriptions
from analysis.criteria import Criterion, Finding, Verdict
from tests.analysis.checks.oracles import hearing_oracles
from tests.analysis.checks.oracles.answer import agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.hearing import Hearing
from tests.analysis.checks.oracles.hearing_oracles import tenths_of_ms
from tests.analysis.checks.oracles.listeners import overheard
from tests.analysis.checks.oracles.story import Story
from tests.analysis.checks.oracles.writing import evidence


def delivery(finding: Finding) -> Hashable:
    return finding.message_id, finding.recipient_id


def event(finding: Finding) -> Hashable:
    return finding.message_id, finding.recipient_id, tenths_of_ms(finding.at_ns)


def event_after(finding: Finding) -> Hashable:
    begin = finding.why.index("after seq")
    return (
        finding.message_id,
        finding.recipient_id,
        tenths_of_ms(finding.at_ns),
        finding.why[begin : finding.why.index(" the same")],
    )


def wrong_event(finding: Finding) -> Hashable:
    return (
        finding.message_id,
        finding.recipient_id,
        tenths_of_ms(finding.at_ns),
        next(word for word in WRONGS if word in finding.why),
    )


WRONGS = (
    "had left the chat",
    "every later look found it stored",
    "who is not in the chat",
    "after their subscription on that socket had ended",
    "names no chat of the run",
    "in another chat than is stored",
    "another sender than is stored",
    "no such message was ever stored",
    "another seq than is stored",
    "another text than was sent or stored",
)


def by_deliveries(check: Callable[..., Criterion]) -> Callable[[Account], Criterion]:
    return lambda account: check(account, deliveries(account))


def by_subscriptions(check: Callable[..., Criterion]) -> Callable[[Account], Criterion]:
    return lambda account: check(account, subscriptions(account))


CHECKS = {
    "missed": (by_deliveries(realtime.missed), hearing_oracles.missed, delivery),
    "duplicated": (by_deliveries(realtime.duplicated), hearing_oracles.duplicated, event),
    "reordered": (by_deliveries(realtime.reordered), hearing_oracles.reordered, event_after),
    "phantom": (by_subscriptions(phantom.phantom), hearing_oracles.phantom, wrong_event),
}


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_deliveries_are_counted_as_loops_count_them(examples: int | None) -> None:
    @thoroughly(examples)
    @given(overheard())
    def agrees(story: Story) -> None:
        found, pairs = deliveries(account_for(evidence(story))), Hearing(story).deliveries()
        expected = [one for one in pairs if one.arrived or one.owed or one.by_history]
        assert found.expected.sum() == len(expected)
        assert found.delivered.sum() == sum(one.arrived or one.read for one in expected)

    agrees()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_no_delivery_is_short_without_a_word(examples: int | None) -> None:
    @thoroughly(examples)
    @given(overheard())
    def is_told(story: Story) -> None:
        account = account_for(evidence(story))
        found = deliveries(account)
        if found.delivered.sum() < found.expected.sum():
            criteria = (realtime.missed(account, found), history.pages(account), messages.lost(account))
            told = {
                one.id
                for one in (*criteria, corruption.corrupted(account))
                if one.outcome is not Verdict.PASS
            }
            assert told

    is_told()


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_agrees_with_its_oracle(name: str, examples: int | None) -> None:
    check, oracle, about = CHECKS[name]

    @thoroughly(examples)
    @given(overheard())
    def agrees(story: Story) -> None:
        agree(check(account_for(evidence(story))), oracle(story), about)

    agrees()
