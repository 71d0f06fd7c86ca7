"""What a check says, and how several of them make an outcome. No input or output here.

Precedence, as in Jepsen's checkers: a fault beats "we cannot tell", which beats a pass. A criterion that
checked nothing is inconclusive, never a pass.
Source: https://jepsen-io.github.io/jepsen/jepsen.checker.html
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of a criterion or of a run."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    INFO = "info"  # shown, but no part of the outcome


EXIT_CODES = {Verdict.PASS: 0, Verdict.INFO: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}

MAX_EXAMPLES = 1000  # kept in verdict.json for each criterion; `observed` always has the full count


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault, named so that a person can look it up. Ids are UUID texts; None = not known."""

    why: str  # one sentence that a person understands
    chat_id: str | None = None
    seq: int | None = None
    message_id: str | None = None
    client_generated_id: str | None = None
    sender_id: str | None = None
    recipient_id: str | None = None
    at_ns: int | None = None  # when first seen, by the run's monotonic clock
    clock: int | None = (
        None  # domain of `at_ns` (`analysis.evidence`), until `Clocks.placed`; None: the run's own
    )


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion and how it came out: one entry of `criteria` in ``verdict.json``."""

    id: str
    title: str
    target: str  # e.g. "< 500 ms", "0"
    observed: float | int | None  # None = nothing was seen
    unit: str  # ms, messages, events, …
    outcome: Verdict
    checked: int  # how many things were looked at
    examples: tuple[Finding, ...] = ()
    ci95: tuple[float, float] | None = None
    reason: str | None = None  # why inconclusive, or another sentence worth reading
    facts: dict[str, float | int] = field(default_factory=dict)  # counts beside the observed one


def from_findings(
    id: str,  # noqa: A002 - the name in verdict.json
    title: str,
    unit: str,
    checked: int,
    findings: Iterable[Finding],
    *,
    count: int | None = None,
    inconclusive: str | None = None,
    facts: dict[str, float | int] | None = None,
) -> Criterion:
    """A criterion whose target is zero findings.

    Args:
        checked: how many things were looked at; 0 makes the criterion inconclusive.
        count: how many faults there are, when `findings` names only the first of them; None = those named.
        inconclusive: why the check could not see enough to pass; a finding still fails it.
    """
    found = tuple(findings)
    if found:
        outcome, reason = Verdict.FAIL, inconclusive
    elif inconclusive:
        outcome, reason = Verdict.INCONCLUSIVE, inconclusive
    elif checked == 0:
        outcome, reason = Verdict.INCONCLUSIVE, "There was nothing to check."
    else:
        outcome, reason = Verdict.PASS, None
    return Criterion(
        id=id,
        title=title,
        target="0",
        observed=len(found) if count is None else count,
        unit=unit,
        outcome=outcome,
        checked=checked,
        examples=found[:MAX_EXAMPLES],
        reason=reason,
        facts=facts or {},
    )


def overall(criteria: Iterable[Criterion]) -> Verdict:
    """The outcome of a run: fail beats inconclusive beats pass. No criteria at all is inconclusive."""
    outcomes = {criterion.outcome for criterion in criteria} - {Verdict.INFO}
    if Verdict.FAIL in outcomes:
        return Verdict.FAIL
    if Verdict.INCONCLUSIVE in outcomes or not outcomes:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
