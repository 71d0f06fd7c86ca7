"""Promise: `seq.*` says of any history what plain loops over it say: the same faults, counts and outcome."""

from collections.abc import Callable, Hashable

import pytest
from hypothesis import given

from analysis.checks import gaps, order, sequence
from analysis.checks.account import Account, account_for
from analysis.criteria import Criterion, Finding
from tests.analysis.checks.oracles import numbering_oracles
from tests.analysis.checks.oracles.answer import Answer, agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.numbering import Numbers, evidence, key_id, numbers


def message(finding: Finding) -> Hashable:
    return finding.message_id


def place(finding: Finding) -> Hashable:
    return finding.chat_id, finding.seq


def given_again(finding: Finding) -> Hashable:
    return finding.message_id if "given again" in finding.why else place(finding)


def send(finding: Finding) -> Hashable:
    return next(number for number in range(20) if str(key_id(number)) == finding.client_generated_id)


CHECKS: dict[
    str, tuple[Callable[[Account], Criterion], Callable[[Numbers], Answer], Callable[[Finding], Hashable]]
] = {
    "missing": (sequence.missing, numbering_oracles.missing, message),
    "duplicates": (sequence.duplicates, numbering_oracles.duplicates, given_again),
    "gaps": (gaps.gaps, numbering_oracles.gaps, place),
    "order": (order.order, numbering_oracles.order, send),
}


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_agrees_with_its_oracle(name: str, examples: int) -> None:
    check, oracle, about = CHECKS[name]

    @thoroughly(examples)
    @given(numbers())
    def agrees(made: Numbers) -> None:
        agree(check(account_for(evidence(made))), oracle(made), about)

    agrees()
