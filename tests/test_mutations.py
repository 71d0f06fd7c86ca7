"""The list of tests/mutate.py speaks of code that is there. Whether a test notices each, only `make mutate` can say."""

from analysis.verdict import ORDER
from tests.mutations import MUTATIONS
from tests.mutations.copies import ROOT
from tests.mutations.disabled import disabled


def test_every_mutation_changes_a_line_that_is_there() -> None:
    stale = [
        str(one) for one in [*MUTATIONS, *disabled()] if one.old not in (ROOT / one.file).read_text("utf-8")
    ]
    assert not stale
    assert len({*MUTATIONS, *disabled()}) == len(MUTATIONS) + len(disabled()) >= 60


def test_every_criterion_is_disabled_but_those_that_are_only_simulated() -> None:
    simulated = {"drift.latency", "drift.database"}
    assert simulated < set(ORDER)
    assert len(disabled()) == len(set(ORDER) - simulated)
