"""Judges a history, for tests of what is stored of messages and how they are numbered."""

from analysis.checks import audit
from analysis.checks.proof import NOBODY_TRIED, NOTHING_THERE
from analysis.criteria import Criterion, Verdict
from tests.analysis.histories import History

FAMILIES = ("messages.", "idempotency.", "seq.")


def judged(run: History) -> dict[str, Criterion]:
    """The criteria of messages, repeats and seq, by id."""
    criteria = audit(run.evidence(), delivered_within_s=5).criteria
    return {one.id: one for one in criteria if one.id.startswith(FAMILIES)}


def failed(run: History) -> dict[str, list[str | None]]:
    """Those that fail, each with the ids of the messages that its findings name."""
    return {
        criterion: [finding.message_id for finding in one.examples]
        for criterion, one in judged(run).items()
        if one.outcome is Verdict.FAIL
    }


def why(run: History, criterion: str) -> str:
    """The sentence of its only finding."""
    (finding,) = judged(run)[criterion].examples
    return finding.why


def proves_nothing(criterion: Criterion) -> bool:
    """Whether there was nothing to check; of what outsiders tried, nothing that more of them than not were answered."""
    if criterion.id == "access.denied" and criterion.facts["unclear"] > criterion.checked:
        return True
    return criterion.reason in {"There was nothing to check.", NOBODY_TRIED, NOTHING_THERE}
