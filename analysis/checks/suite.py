"""All checks of what was sent, stored, delivered and seen: one call, the counts and the criteria.

A check that crashes says nothing about the run: it becomes inconclusive, with the error kept, never a pass.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache

from analysis.checks import (
    access,
    completeness,
    corruption,
    gaps,
    history,
    idempotency,
    messages,
    order,
    phantom,
    realtime,
    receipts,
    recipients,
    sequence,
    status,
)
from analysis.checks.account import Account, Bools, Ints, account_for
from analysis.checks.cut_off import after_the_end
from analysis.checks.deliveries import Deliveries, deliveries
from analysis.checks.departures import Departures
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence
from analysis.record.codes import Outcome


@dataclass(frozen=True, slots=True)
class Audit:
    """What came of a run.

    Attributes:
        counts: as in ``verdict.json``. A send is a message meant: its repeats count with it.
        messages_of_sends: for each of `Evidence.sends` the code of the message it became, -1 if none is known.
        seqs_of_sends: the seq of that message, -1 if none is known.
        rightly_refused: which of them were refused to people who may have left the chat by then.
        after_the_end: which of them met no server when the run had been cut off; see `cut_off`.
        left_before: for the id of a message the ids of people who had left its chat before it was sent; see `recipients`.
    """

    counts: dict[str, int]
    criteria: tuple[Criterion, ...]
    messages_of_sends: Ints
    seqs_of_sends: Ints
    rightly_refused: Bools
    after_the_end: Bools
    left_before: Mapping[str, Collection[str]] = field(default_factory=dict)

    @property
    def uncounted(self) -> Bools:
        """Sends that say nothing about the server: `errors.send` leaves them out."""
        return self.rightly_refused | self.after_the_end


def audit(evidence: Evidence, delivered_within_s: float) -> Audit:
    """Run every check.

    Args:
        delivered_within_s: target of `status.stuck`, CHATSOAK_TARGET_DELIVERED_WITHIN_S.
    """
    account = account_for(evidence)
    pairs = cache(lambda: deliveries(account))
    checks: tuple[tuple[str, Callable[[], Criterion]], ...] = (
        ("messages.lost", lambda: messages.lost(account)),
        ("messages.unexpected", lambda: messages.unexpected(account)),
        ("messages.duplicated", lambda: messages.duplicated(account)),
        ("messages.corrupted", lambda: corruption.corrupted(account)),
        ("idempotency.retries", lambda: idempotency.retries(account)),
        ("seq.missing", lambda: sequence.missing(account)),
        ("seq.gaps", lambda: gaps.gaps(account)),
        ("seq.duplicates", lambda: sequence.duplicates(account)),
        ("seq.order", lambda: order.order(account)),
        ("realtime.missed", lambda: realtime.missed(account, pairs())),
        ("realtime.duplicated", lambda: realtime.duplicated(account, pairs())),
        ("realtime.reordered", lambda: realtime.reordered(account, pairs())),
        ("realtime.phantom", lambda: phantom.phantom(account, pairs().subscriptions)),
        ("status.invalid", lambda: status.invalid(account)),
        ("status.stuck", lambda: receipts.stuck(account, delivered_within_s)),
        ("status.regressed", lambda: status.regressed(account)),
        ("history.pages", lambda: history.pages(account)),
        ("access.denied", lambda: access.denied(account)),
        ("monitor.complete", lambda: completeness.monitor(account)),
        ("record.complete", lambda: completeness.record(evidence)),
    )
    return Audit(
        counts=_counts(account, pairs()),
        criteria=tuple(guarded(name, check) for name, check in checks),
        messages_of_sends=account.messages_of_sends(),
        seqs_of_sends=account.seqs_of_sends(),
        rightly_refused=Departures.of(account).rightly_refused(evidence.sends, Clocks.of(evidence)),
        after_the_end=after_the_end(evidence),
        left_before=recipients.left_before(account),
    )


def guarded(id: str, check: Callable[[], Criterion]) -> Criterion:  # noqa: A002 - the name in verdict.json
    """The criterion that `check` gives, or an inconclusive one that says how it crashed."""
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - whatever it is, it must neither pass nor hide the other checks
        return Criterion(
            id=id,
            title=id,
            target="0",
            observed=None,
            unit="",
            outcome=Verdict.INCONCLUSIVE,
            checked=0,
            reason=f"The check crashed: {type(error).__name__}: {error}. Please report this with the record.",
        )


def _counts(account: Account, pairs: Deliveries) -> dict[str, int]:
    outcomes = account.operations["outcome"]
    return {
        "sends": len(outcomes),
        "ok": int((outcomes == Outcome.OK).sum()),
        "fail": int((outcomes == Outcome.FAIL).sum()),
        "info": int((outcomes == Outcome.INFO).sum()),
        "stored": int(account.stored.sum()),
        "deliveries_expected": int(pairs.expected.sum()),
        "deliveries": int(pairs.delivered.sum()),
    }
