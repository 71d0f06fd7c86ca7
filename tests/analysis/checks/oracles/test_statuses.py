"""Promise: `status.*` says of any history what plain loops over it say: the same faults, counts and outcome."""

import re
from collections.abc import Callable, Hashable

import pytest
from hypothesis import given

from analysis.checks import last_looks, receipts, status
from analysis.checks.account import Account, account_for
from analysis.criteria import Criterion, Finding
from tests.analysis.checks.oracles import status_oracles
from tests.analysis.checks.oracles.acknowledgers import acknowledged
from tests.analysis.checks.oracles.answer import Answer, agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.story import Story
from tests.analysis.checks.oracles.writing import evidence

WITHIN_S = 1.9  # with the lag of a look just 2 s, so that looks fall on the very deadline, too


def message(finding: Finding) -> Hashable:
    return finding.message_id


def way_back(finding: Finding) -> Hashable:
    told = re.fullmatch(r"Its status (.*), from (.*) to (.*)\.", finding.why)
    assert told is not None
    return finding.message_id, *told.groups(), finding.at_ns


def wait(finding: Finding) -> Hashable:
    stages = 2 if "not marked as read" in finding.why else 1  # in how many it waited
    return finding.message_id, finding.recipient_id, finding.at_ns, stages


def stuck(account: Account) -> Criterion:
    return receipts.stuck(account, WITHIN_S)


def stuck_oracle(story: Story) -> Answer:
    return status_oracles.stuck(story, WITHIN_S, last_looks.UNSETTLED_A_POLL)


CHECKS: dict[
    str, tuple[Callable[[Account], Criterion], Callable[[Story], Answer], Callable[[Finding], Hashable]]
] = {
    "invalid": (status.invalid, status_oracles.invalid, message),
    "regressed": (status.regressed, status_oracles.regressed, way_back),
    "stuck": (stuck, stuck_oracle, wait),
}


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_agrees_with_its_oracle(name: str, examples: int | None) -> None:
    check, oracle, about = CHECKS[name]

    @thoroughly(examples)
    @given(acknowledged())
    def agrees(story: Story) -> None:
        agree(check(account_for(evidence(story))), oracle(story), about)

    agrees()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_rows_that_wait_for_their_turn_are_not_called_stuck(
    examples: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_looks, "UNSETTLED_A_POLL", 1)
    test_a_checker_agrees_with_its_oracle("stuck", examples)
