"""Promise: a fault beats "we cannot tell", which beats a pass; and only a pass ends with 0."""

from itertools import product

import pytest

from analysis.criteria import DRIFTS, EXIT_CODES, THE_TOOLS_OWN, Criterion, Verdict, counts_faults, overall


@pytest.mark.parametrize(
    "outcomes", [(), *(each for size in (1, 2, 3) for each in product(Verdict, repeat=size))]
)
def test_the_worst_outcome_is_that_of_the_run(outcomes: tuple[Verdict, ...]) -> None:
    told = [one for one in outcomes if one is not Verdict.INFO]
    order = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]
    worst = max(told, key=order.index, default=Verdict.INCONCLUSIVE)
    assert overall(Criterion("c", "C", "0", 0, "", one, 1) for one in outcomes) is worst


def test_only_a_pass_ends_with_zero() -> None:
    codes = {Verdict.PASS: 0, Verdict.INFO: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}
    assert codes == EXIT_CODES


def test_faults_of_the_app_are_counted_by_what_must_hold_under_any_load() -> None:
    assert counts_faults("messages.lost", "0")
    assert not counts_faults("latency.send.p95", "< 500 ms")
    assert not any(counts_faults(name, "0") for name in (*DRIFTS, *THE_TOOLS_OWN))
