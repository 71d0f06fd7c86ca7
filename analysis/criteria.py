"""What a check says, and how several of them make an outcome. No input or output here.

Precedence, as in Jepsen's checkers: a fault beats "we cannot tell", which beats a pass. A criterion that
checked nothing is inconclusive, never a pass.
Source: https://jepsen-io.github.io/jepsen/jepsen.checker.html
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray


class Verdict(StrEnum):
    """The outcome of a criterion or of a run."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    INFO = "info"  # shown, but no part of the outcome


EXIT_CODES = {Verdict.PASS: 0, Verdict.INFO: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}


THE_TOOLS_OWN = ("monitor.complete", "record.complete")  # what these count is no fault of the app
DRIFTS = ("drift.latency", "drift.database")  # and what these count are series that rose


def counts_faults(name: str, target: str) -> bool:
    """Whether a criterion counts faults of the app, of which there must be none under any load."""
    return target == "0" and name not in (*THE_TOOLS_OWN, *DRIFTS)


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


@dataclass(frozen=True, slots=True)
class Kind:
    """Findings of a criterion that say the same but for ids, numbers and quoted texts.

    Attributes:
        why: their sentence, with … for what differs.
        chats: how many chats they are in; 0 where that is not known.
        worst_chat, in_worst_chat: the chat with most of them and how many; None and 0 where no chat is known.
    """

    why: str
    count: int
    chats: int = 0
    worst_chat: str | None = None
    in_worst_chat: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of all findings of a criterion, however few of them are named.

    Attributes:
        kinds: how many kinds there are.
        largest: the kinds with most findings, the largest first.
        at_ns, at_count: the times at which findings were seen, in order, by the run's monotonic clock, and how many at
            each; findings without a time are not among them.
    """

    count: int = 0
    kinds: int = 0
    largest: tuple[Kind, ...] = ()
    at_ns: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False)
    at_count: NDArray[np.int64] = field(
        default_factory=lambda: np.empty(0, np.int64), compare=False, repr=False
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
    examples: tuple[Finding, ...] = ()  # some of the findings
    found: Found = field(default_factory=Found)  # all of them
    ci95: tuple[float, float] | None = None
    reason: str | None = None  # why inconclusive, or another sentence worth reading
    facts: dict[str, float | int] = field(default_factory=dict)  # counts beside the observed one
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)  # 95%, of facts, by their names


def overall(criteria: Iterable[Criterion]) -> Verdict:
    """The outcome of a run: fail beats inconclusive beats pass. No criteria at all is inconclusive."""
    outcomes = {criterion.outcome for criterion in criteria} - {Verdict.INFO}
    if Verdict.FAIL in outcomes:
        return Verdict.FAIL
    if Verdict.INCONCLUSIVE in outcomes or not outcomes:
        return Verdict.INCONCLUSIVE
    return Verdict.PASS
