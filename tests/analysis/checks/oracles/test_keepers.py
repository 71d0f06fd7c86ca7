"""Promise: `monitor.complete` and `record.complete` name each thing that any record lacks, and nothing else."""

import re
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given

from analysis.checks import completeness
from analysis.checks.account import account_for
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence
from tests.analysis.checks.oracles import completeness_oracles
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.keepers import kept
from tests.analysis.checks.oracles.story import Story
from tests.analysis.checks.oracles.writing import evidence

CHECKS: dict[str, tuple[Callable[[Evidence], Criterion], Callable[[Story], Answer]]] = {
    "monitor": (lambda seen: completeness.monitor(account_for(seen)), completeness_oracles.monitor),
    "record": (completeness.record, completeness_oracles.record),
}


def problems(found: Criterion) -> Counter[str]:
    """Each problem of the reason; of rows that are not there only whose and which."""
    if found.reason is None:
        return Counter()
    told = found.reason.removesuffix(".").split("; ")
    told[0] = told[0][0].lower() + told[0][1:]
    short = r"(\S+) wrote \d+ rows of (\w+), and \d+ are there"
    return Counter(re.sub(short, r"\1: rows of \2 are not there", one) for one in told)


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_agrees_with_its_oracle(name: str, examples: int | None) -> None:
    check, oracle = CHECKS[name]

    @thoroughly(examples)
    @given(kept())
    def agrees(story: Story) -> None:
        found, answer = check(evidence(story)), oracle(story)
        assert problems(found) == Counter(answer.faults)
        assert found.observed == len(answer.faults)
        assert (found.checked, found.facts) == (answer.checked, answer.facts)
        assert found.outcome is (Verdict.INCONCLUSIVE if answer.faults else Verdict.PASS)

    agrees()
