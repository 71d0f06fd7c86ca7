"""Promise: plan.history holds when history reads by an index on (chat_id, seq) in time, and says what it did instead."""

import numpy as np
import pandas as pd
import pytest

from analysis.checks.plan import history, median_interval
from analysis.criteria import Criterion, Verdict
from analysis.judge import judge_evidence
from tests.analysis.histories import History
from tests.analysis.server_steps import UNIQUE_INDEX

OTHER_INDEX = "idx_chat_messages_chat_id_created_at"


def run(chats: int = 1) -> History:
    made = History()
    for _ in range(chats):
        made.chat(0, 1)
    return made


def judged(made: History, target_ms: float = 10.0) -> Criterion:
    return history(made.evidence(), target_ms)


def whys(criterion: Criterion) -> str:
    return " ".join(finding.why for finding in criterion.examples)


def test_by_the_guides_index_and_quick_is_a_pass() -> None:
    made = run(2)
    made.serve_history(chat=0)
    made.serve_history(chat=1)
    found = judged(made)
    assert (found.outcome, found.observed, found.checked, found.reason) == (Verdict.PASS, 0.2, 10, None)
    assert found.facts == {"chats": 2, "slowest_ms": 0.2, "rows_read_at_most": 50}


def test_seven_samples_of_each_chat_give_its_median_an_interval_and_fewer_none() -> None:
    made = run(2)
    made.index()
    for chat, shift in ((0, 0.0), (1, 0.5)):
        for number in range(7):
            made.plan(1.0 + shift + number / 10, chat=chat)
    found = judged(made)
    assert found.observed == pytest.approx(1.8)
    assert found.ci95 == pytest.approx((1.5, 2.1))  # of seven, the lowest and the highest, of the slower chat
    made.chat(0, 1)
    made.plan(1.0, chat=2)
    assert judged(made).ci95 is None


def test_the_interval_of_the_slowest_median_holds_it_in_19_of_20_cases() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        ends = median_interval([pd.Series(rng.lognormal(0, 0.5, 7)) for _ in range(3)])
        assert ends is not None
        held += ends[0] <= 1.0 <= ends[1]
    assert held / 2000 >= 0.95


def test_one_hiccup_fails_nobody_and_half_of_the_samples_do() -> None:
    made = run()
    made.serve_history()
    made.plan(400.0)
    assert judged(made).outcome is Verdict.PASS
    for _ in range(5):
        made.plan(400.0)
    found = judged(made)
    assert found.outcome is Verdict.FAIL
    assert "took 400.0 ms through Index Scan, the median of 11 samples" in whys(found)
    assert found.examples[0].chat_id == str(made.chat_id(0))


@pytest.mark.parametrize(("median_ms", "outcome"), [(9.999, Verdict.PASS), (10.0, Verdict.FAIL)])
def test_the_target_is_met_strictly_below(median_ms: float, outcome: Verdict) -> None:
    made = run()
    made.index()
    made.plan(median_ms)
    assert judged(made).outcome is outcome


def test_a_table_that_is_read_whole_for_a_page_is_named_with_its_node() -> None:
    made = run()
    made.index(OTHER_INDEX, "chat_id, created_at DESC")
    made.plan(forced=True, index=OTHER_INDEX, is_sorted=True)
    for _ in range(5):
        made.plan(8.0, node="Seq Scan", index=None, is_sorted=True, rows_read=200_000)
    found = judged(made)
    assert found.outcome is Verdict.FAIL  # though it was quick enough
    assert whys(found) == (
        "The history query used Seq Scan with a sort and read 200,000 rows for a page of 50; "
        "no index on (chat_id, seq) can serve it."
    )
    assert found.reason is not None
    assert "create the guide's" in found.reason


def test_the_verdict_of_a_run_has_it() -> None:
    made = run()
    made.index()
    made.plan(12.0)
    verdict = judge_evidence(made.evidence(), lambda _: None).verdict
    (found,) = (one for one in verdict["criteria"] if one["id"] == "plan.history")
    assert (found["outcome"], found["observed"]) == ("fail", 12.0)


def test_a_small_table_may_be_read_whole_as_long_as_an_index_could_serve() -> None:
    made = run()
    made.index()
    made.plan(forced=True)
    made.plan(node="Seq Scan", index=None, is_sorted=True, rows_read=300)
    assert judged(made).outcome is Verdict.PASS


def test_a_small_table_without_an_index_fails_all_the_same() -> None:
    made = run()
    made.plan(forced=True, node="Seq Scan", index=None, is_sorted=True)
    made.plan(node="Seq Scan", index=None, is_sorted=True, rows_read=3)
    found = judged(made)
    assert found.outcome is Verdict.FAIL
    assert "no index on (chat_id, seq) can serve it" in whys(found)


def test_an_index_that_the_planner_passes_over_on_a_large_table_is_a_fault() -> None:
    made = run()
    made.index()
    made.plan(forced=True)
    made.plan(node="Bitmap Heap Scan", index=OTHER_INDEX, is_sorted=True, rows_read=5_000)
    assert (
        "used Bitmap Heap Scan on idx_chat_messages_chat_id_created_at with a sort and read 5,000 rows for a page "
        "of 50; an index on (chat_id, seq) could have served it."
    ) in whys(judged(made))


def test_the_right_index_whose_rows_have_to_be_sorted_is_no_help() -> None:
    made = run()
    made.index()
    made.plan(forced=True)
    made.plan(is_sorted=True, rows_read=5_000)
    found = judged(made)
    assert found.outcome is Verdict.FAIL
    assert "with a sort and read 5,000 rows" in whys(found)


def test_another_index_on_the_same_columns_serves_and_the_missing_one_is_told() -> None:
    made = run()
    made.index(UNIQUE_INDEX, "chat_id, seq")
    made.plan(forced=True, index=UNIQUE_INDEX)
    made.plan(node="Index Scan Backward", index=UNIQUE_INDEX)
    found = judged(made)
    assert found.outcome is Verdict.PASS
    assert found.reason == (
        "The guide's own index on (chat_id, seq DESC) is missing; uq_chat_messages_chat_id_seq serves in its place, "
        "read backwards."
    )


def test_an_index_that_is_not_valid_is_told_of() -> None:
    made = run()
    made.index(usable=False)
    made.plan(forced=True, node="Seq Scan", index=None, is_sorted=True)
    made.plan(node="Seq Scan", index=None, is_sorted=True, rows_read=3)
    found = judged(made)
    assert found.outcome is Verdict.FAIL
    assert "is there and not valid" in (found.reason or "")


@pytest.mark.parametrize("said", [None, "permission denied for table chat_messages"])
def test_nothing_explained_is_no_pass(said: str | None) -> None:
    made = run()
    if said:
        made.leave_out("history plan", said)
    found = judged(made)
    assert (found.outcome, found.checked, found.observed) == (Verdict.INCONCLUSIVE, 0, None)
    assert (said or "the monitor did not come to its end") in (found.reason or "")


def test_samples_that_all_failed_are_no_pass_either() -> None:
    made = run()
    made.index()
    made.plan(error="canceling statement due to lock timeout")
    found = judged(made)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert "lock timeout" in (found.reason or "")
