"""Promise: whatever a faultless server and its users do, no criterion blames anybody, and every figure agrees."""

import pytest
from hypothesis import given

from analysis.checks import audit
from analysis.criteria import Verdict
from analysis.record.codes import Outcome
from tests.analysis.checks.judging import proves_nothing
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.worlds import World, worlds


@pytest.mark.parametrize("examples", EXAMPLES)
def test_nothing_is_found_where_nothing_is_wrong(examples: int | None) -> None:
    thoroughly(examples)(given(worlds())(nothing_is_found))()


def nothing_is_found(world: World) -> None:
    evidence = world.recorded().evidence()
    found = audit(evidence, delivered_within_s=5)
    for criterion in found.criteria:
        assert criterion.examples == (), criterion
        assert criterion.outcome is Verdict.PASS or proves_nothing(criterion), criterion
    outcomes = world.outcomes().values()
    assert found.counts["sends"] == len(outcomes)
    assert found.counts["ok"] == sum(Outcome.OK in attempts for attempts in outcomes)
    assert found.counts["fail"] == sum(set(attempts) == {Outcome.FAIL} for attempts in outcomes)
    assert found.counts["stored"] == len(world.ours())
    assert found.counts["deliveries"] == found.counts["deliveries_expected"]
