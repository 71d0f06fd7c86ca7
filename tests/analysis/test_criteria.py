"""Promise: a fault beats "we cannot tell", which beats a pass; and only a pass ends with 0."""

from itertools import product

import pytest

from analysis.criteria import EXIT_CODES, Criterion, Verdict, overall


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
