"""Promise: a fault beats "we cannot tell", which beats a pass; and what checked nothing never passes."""

from itertools import product

import pytest

from analysis.criteria import EXIT_CODES, MAX_EXAMPLES, Criterion, Finding, Verdict, from_findings, overall

FAULT = Finding("It is wrong.")
DOUBT = "It could not see everything."


def made(
    checked: int, *findings: Finding, count: int | None = None, inconclusive: str | None = None
) -> Criterion:
    return from_findings(
        "messages.lost", "Lost", "messages", checked, findings, count=count, inconclusive=inconclusive
    )


@pytest.mark.parametrize(
    ("found", "outcome", "reason"),
    [
        (made(5, FAULT, inconclusive=DOUBT), Verdict.FAIL, DOUBT),
        (made(5, FAULT), Verdict.FAIL, None),
        (made(0, FAULT), Verdict.FAIL, None),
        (made(5, inconclusive=DOUBT), Verdict.INCONCLUSIVE, DOUBT),
        (made(0, inconclusive=DOUBT), Verdict.INCONCLUSIVE, DOUBT),
        (made(0), Verdict.INCONCLUSIVE, "There was nothing to check."),
        (made(5), Verdict.PASS, None),
    ],
)
def test_a_criterion_says_what_it_found_before_what_it_could_not_see(
    found: Criterion, outcome: Verdict, reason: str | None
) -> None:
    assert (found.outcome, found.reason) == (outcome, reason)


def test_all_faults_are_counted_and_the_first_are_named() -> None:
    many = [Finding(f"Fault {number}.") for number in range(MAX_EXAMPLES + 1)]
    found = made(5000, *many)
    assert found.observed == MAX_EXAMPLES + 1
    assert found.examples == tuple(many[:MAX_EXAMPLES])
    assert made(5, FAULT, count=3).observed == 3


@pytest.mark.parametrize(
    "outcomes", [()] + [each for size in (1, 2, 3) for each in product(Verdict, repeat=size)]
)
def test_the_worst_outcome_is_that_of_the_run(outcomes: tuple[Verdict, ...]) -> None:
    told = [one for one in outcomes if one is not Verdict.INFO]
    worst = max(
        told, key=[Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL].index, default=Verdict.INCONCLUSIVE
    )
    assert overall(Criterion("c", "C", "0", 0, "", one, 1) for one in outcomes) is worst


def test_only_a_pass_ends_with_zero() -> None:
    codes = {Verdict.PASS: 0, Verdict.INFO: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}
    assert codes == EXIT_CODES
