"""Promise: with 200,000 messages in a chat plan.history tells an index that serves from one that is missing."""

import pytest

from analysis.checks.plan import history
from analysis.criteria import Criterion, Verdict
from analysis.evidence import read_evidence
from tests.analysis.monitor.runs import WatchedRun

pytestmark = pytest.mark.long

ROWS = 200_000
OF_THE_GUIDE = "drop index idx_chat_messages_chat_id_seq_desc"
UNIQUE = "drop index uq_chat_messages_chat_id_seq"


@pytest.fixture
def large(watched: WatchedRun) -> WatchedRun:
    """A chat of the run with a long history."""
    watched.do(
        "alter table chat_messages disable trigger user",
        "insert into chat_messages (chat_id, sender_id, message_text, seq) "
        f"select '{watched.chat}', '{watched.people[0]}', 'old ' || n, n from generate_series(1, {ROWS}) n",
        "alter table chat_messages enable trigger user",
        "analyze chat_messages",
    )
    return watched


def judged(watched: WatchedRun) -> Criterion:
    watched.watch(None)
    return history(read_evidence(watched.folder), 10.0)


def test_by_the_guides_index(large: WatchedRun) -> None:
    found = judged(large)
    assert (found.outcome, found.reason) == (Verdict.PASS, None), found
    assert found.facts["rows_read_at_most"] == 50


def test_by_the_unique_index_read_backwards(large: WatchedRun) -> None:
    large.do(OF_THE_GUIDE)
    found = judged(large)
    assert found.outcome is Verdict.PASS, found
    assert "uq_chat_messages_chat_id_seq serves in its place" in (found.reason or "")


def test_by_none(large: WatchedRun) -> None:
    large.do(OF_THE_GUIDE, UNIQUE)
    found = judged(large)
    assert found.outcome is Verdict.FAIL
    (how, *how_long) = [finding.why for finding in found.examples]
    assert "Scan" in how
    assert "rows for a page of 50; no index on (chat_id, seq) can serve it" in how
    assert found.facts["rows_read_at_most"] > ROWS / 10
    assert found.observed is not None
    assert bool(how_long) == (found.observed >= 10)
