"""Promise: `plan.history` says of any explained queries what its rules say, chat by chat."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks import plan
from analysis.criteria import Finding
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.plan_oracle import (
    PAGE_TIMES_TEN,
    READS_PAGES,
    Index,
    Sample,
    history,
    slowest_median_ms,
)
from tests.analysis.histories import History

CHATS = 3
TARGET_MS = 10.0
NAMES = ("one", "two", "three")

indexes = st.lists(
    st.builds(Index, st.sampled_from(NAMES), st.sampled_from(sorted(READS_PAGES)), st.booleans()),
    unique_by=lambda index: index.name,
    max_size=3,
)
samples = st.lists(
    st.builds(
        Sample,
        chat=st.integers(0, CHATS - 1),
        forced=st.booleans(),
        took_ms=st.none() | st.sampled_from([0.2, 9.9, TARGET_MS, 10.1, 400.0]),
        rows_read=st.sampled_from([0, 50, PAGE_TIMES_TEN, PAGE_TIMES_TEN + 1, 200_000]),
        index=st.none() | st.sampled_from(NAMES),
        is_sorted=st.booleans(),
    ),
    max_size=12,
)


def told(indexes: list[Index], samples: list[Sample]) -> History:
    """The record of a run in which they were explained."""
    made = History()
    for _ in range(CHATS):
        made.chat(0, 1)
    for one in indexes:
        made.index(one.name, one.leads, usable=one.usable)
    for sample in samples:
        made.plan(
            sample.took_ms,
            chat=sample.chat,
            forced=sample.forced,
            rows_read=sample.rows_read,
            node="Index Scan" if sample.index else "Seq Scan",
            index=sample.index,
            is_sorted=sample.is_sorted,
            error=None if sample.took_ms is not None or sample.forced else "canceled",
        )
    return made


@pytest.mark.parametrize("examples", EXAMPLES)
def test_the_checker_agrees_with_its_oracle(examples: int | None) -> None:
    @thoroughly(examples)
    @given(indexes, samples)
    def agrees(indexes: list[Index], samples: list[Sample]) -> None:
        made = told(indexes, samples)
        found, answer = plan.history(made.evidence(), TARGET_MS), history(indexes, samples, TARGET_MS)

        def about(finding: Finding) -> tuple[int, str]:
            slow = re.match(r"The history query took [\d,.]+ ms", finding.why)
            chats = [str(made.chat_id(number)) for number in range(CHATS)]
            return (chats.index(str(finding.chat_id)), "time" if slow else "way")

        assert Counter(map(about, found.examples)) == Counter(answer.faults)
        assert (found.checked, found.outcome) == (answer.checked, answer.outcome)
        assert found.observed == slowest_median_ms(samples)

    agrees()
