"""Promise: `access.denied` says of any attempts what a look at each of them says."""

from collections.abc import Hashable

import pytest
from hypothesis import given

from analysis.checks import access, proof
from analysis.checks.account import account_for
from analysis.criteria import Finding, Verdict
from analysis.record.codes import AttemptKind, Guise
from tests.analysis.checks.oracles import access_oracles
from tests.analysis.checks.oracles.answer import agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.trespassers import Break, broken_into, evidence


def about(finding: Finding) -> Hashable:
    return finding.chat_id, finding.seq, finding.message_id, finding.sender_id, finding.at_ns


def tells_what_it_does_not_know(reason: str, unknown: set[str]) -> None:
    """Whom and what, each by its words, and as many of the two together as it says."""
    told = reason.partition("Nothing is known about ")[2].partition(": the server")[0]
    things = [one for one in told.split(", nor about ") if one]
    more = int(things.pop().split()[0]) if told.endswith("more such combinations") else 0
    people = {f"somebody {proof.AS[one]}": one.name for one in Guise}
    deeds = {f"attempts {proof.TO[one]} a chat": one.name for one in AttemptKind}
    both = {
        f"{who} who tries {what.removeprefix('attempts ')}": f"{people[who]} {deeds[what]}"
        for who in people
        for what in deeds
    }
    named = {(people | deeds | both)[one] for one in things}
    assert len(things) == len(named)
    assert named <= unknown
    assert len(unknown) == len(named) + more


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_checker_agrees_with_its_oracle(examples: int | None) -> None:
    @thoroughly(examples)
    @given(broken_into())
    def agrees(found: Break) -> None:
        criterion = access.denied(account_for(evidence(found)))
        agree(criterion, access_oracles.denied(found), about)
        if criterion.outcome is Verdict.PASS:
            tells_what_it_does_not_know(criterion.reason or "", access_oracles.unknown(found))

    agrees()
