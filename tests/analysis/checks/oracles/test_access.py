"""Promise: `access.denied` says of any attempts what a look at each of them says."""

from collections.abc import Hashable

import pytest
from hypothesis import given

from analysis.checks import access
from analysis.checks.account import account_for
from analysis.criteria import Finding
from tests.analysis.checks.oracles import access_oracles
from tests.analysis.checks.oracles.answer import agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.trespassers import Break, broken_into, evidence


def about(finding: Finding) -> Hashable:
    return finding.chat_id, finding.seq, finding.message_id, finding.sender_id, finding.at_ns


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_checker_agrees_with_its_oracle(examples: int | None) -> None:
    @thoroughly(examples)
    @given(broken_into())
    def agrees(found: Break) -> None:
        agree(access.denied(account_for(evidence(found))), access_oracles.denied(found), about)

    agrees()
