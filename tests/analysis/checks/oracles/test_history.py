"""Promise: `history.pages` says of any pages what plain loops over them say."""

from collections.abc import Hashable
from uuid import UUID

import pytest
from hypothesis import given

from analysis.checks import history
from analysis.checks.account import account_for
from analysis.criteria import Finding
from tests.analysis.checks.oracles import history_oracles
from tests.analysis.checks.oracles.answer import agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.listeners import read_through
from tests.analysis.checks.oracles.story import SECOND_NS, Story
from tests.analysis.checks.oracles.writing import evidence
from tests.analysis.in_memory import CLOCK_NS

WRONGS = (
    *("twice", "out of order", "asked for below", "left it out"),
    *("no such message", "another seq", "another sender", "another text", "reader is not in", "another chat"),
)


def about(finding: Finding) -> Hashable:
    assert finding.recipient_id is not None
    return (
        finding.message_id or finding.seq,
        UUID(finding.recipient_id).hex,
        None if finding.at_ns is None else (finding.at_ns - CLOCK_NS) // SECOND_NS,
        next(word for word in WRONGS if word in finding.why),
    )


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_checker_agrees_with_its_oracle(examples: int | None) -> None:
    @thoroughly(examples)
    @given(read_through())
    def agrees(story: Story) -> None:
        agree(history.pages(account_for(evidence(story))), history_oracles.pages(story), about)

    agrees()
