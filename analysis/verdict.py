"""The verdict: what ``verdict.json`` says, from the criteria. No input or output here.

The same run, counts and criteria give the same dictionary, in the same order, every time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from analysis.criteria import EXIT_CODES, Criterion, Finding, Kind, Verdict, overall
from analysis.load import described
from analysis.record.run import Run

VERDICT_SCHEMA = 1

# The order in which a verdict tells its criteria; one that is not named here comes last.
ORDER = (
    "latency.send.avg",
    "latency.send.p95",
    "latency.delivery.p95",
    "errors.send",
    "messages.lost",
    "messages.unexpected",
    "messages.duplicated",
    "messages.corrupted",
    "idempotency.retries",
    "seq.missing",
    "seq.gaps",
    "seq.duplicates",
    "seq.order",
    "realtime.missed",
    "realtime.duplicated",
    "realtime.reordered",
    "realtime.phantom",
    "status.invalid",
    "status.stuck",
    "status.regressed",
    "history.pages",
    "access.denied",
    "drift.latency",
    "drift.database",
    "plan.history",
    "generator.healthy",
    "monitor.complete",
    "record.complete",
)

NOBODY: Mapping[str, Collection[str]] = MappingProxyType({})
COUNTS = ("sends", "ok", "fail", "info", "stored", "deliveries_expected", "deliveries")
ALWAYS = ("chat_id", "seq", "message_id", "why")  # of an example; other fields stand where they are known
NOT_MEANT_FOR_ANYBODY = {"access.denied"}  # the sender of its findings is who tried


def assemble(
    run: Run,
    counts: Mapping[str, int],
    criteria: Iterable[Criterion],
    users: int = 0,
    steps: Iterable[Mapping[str, Any]] = (),
    left_before: Mapping[str, Collection[str]] = NOBODY,
) -> dict[str, Any]:
    """``verdict.json`` of `run`. A run that was cut off is inconclusive at best.

    Args:
        counts: how many of each of `COUNTS`.
        users: the most Locust users at one time; 0 = not recorded.
        steps: of latency: criterion, at_s, before_ms, after_ms, p_value, near, and near_s, within how many seconds that was.
        left_before: for the id of a message the ids of people who had left its chat before it was sent.
    """
    place = {name: number for number, name in enumerate(ORDER)}
    people = {chat.id: chat.participants for chat in run.chats}
    ordered = sorted(criteria, key=lambda criterion: (place.get(criterion.id, len(place)), criterion.id))
    outcome = overall(ordered)
    if outcome is Verdict.PASS and run.ended_at is None:
        outcome = Verdict.INCONCLUSIVE
    return {
        "schema": VERDICT_SCHEMA,
        "run_id": run.run_id,
        "outcome": outcome.value,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "target": {"host": run.host, "embedded": run.embedded},
        "load": described(run, users),
        "counts": {name: int(counts[name]) for name in COUNTS},
        "criteria": [_entry(criterion, people, left_before) for criterion in ordered],
        "steps": [{name: _plain(value) for name, value in step.items()} for step in steps],
        "notes": list(run.notes),
    }


def exit_code(verdict: Mapping[str, Any]) -> int:
    """The exit code that says the outcome of `verdict`: 0 pass, 1 fail, 3 inconclusive."""
    return EXIT_CODES[Verdict(verdict["outcome"])]


def _entry(
    criterion: Criterion, people: Mapping[str, Sequence[str]], left_before: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    return {
        "id": criterion.id,
        "title": criterion.title,
        "target": criterion.target,
        "observed": _plain(criterion.observed),
        "unit": criterion.unit,
        "ci95": None if criterion.ci95 is None else [_plain(end) for end in criterion.ci95],
        "outcome": criterion.outcome.value,
        "checked": int(criterion.checked),
        "reason": criterion.reason,
        "facts": {name: _plain(value) for name, value in criterion.facts.items()},
        "intervals": {name: [_plain(end) for end in ends] for name, ends in criterion.intervals.items()},
        "findings": {
            "count": int(criterion.found.count),
            "kinds": int(criterion.found.kinds),
            "largest": [_kind(kind) for kind in criterion.found.largest],
        },
        "examples": [
            _example(
                finding,
                () if criterion.id in NOT_MEANT_FOR_ANYBODY else _recipients(finding, people, left_before),
            )
            for finding in criterion.examples
        ],
    }


def _kind(kind: Kind) -> dict[str, Any]:
    worst = {"chat_id": kind.worst_chat, "count": int(kind.in_worst_chat)} if kind.worst_chat else None
    return {"why": kind.why, "count": int(kind.count), "chats": int(kind.chats), "worst_chat": worst}


def _recipients(
    finding: Finding, people: Mapping[str, Sequence[str]], left_before: Mapping[str, Collection[str]]
) -> Sequence[str]:
    """Who should have received the message, where it is not about one of them: all in its chat but its sender, and who had
    left before."""
    if finding.recipient_id is not None or finding.sender_id is None or finding.chat_id is None:
        return ()
    no_more = {finding.sender_id, *left_before.get(finding.message_id or "", ())}
    return [person for person in people.get(finding.chat_id, ()) if person not in no_more]


def _example(finding: Finding, recipients: Sequence[str]) -> dict[str, Any]:
    fields = (
        "chat_id",
        "seq",
        "message_id",
        "why",
        "client_generated_id",
        "sender_id",
        "recipient_id",
        "at_ns",
    )
    values = {name: _plain(getattr(finding, name)) for name in fields}
    told = {name: value for name, value in values.items() if name in ALWAYS or value is not None}
    return told | ({"recipient_ids": list(recipients)} if recipients else {})


def _plain(value: Any) -> Any:
    """A numpy number as Python's own, which JSON knows; anything else as it is."""
    return value.item() if hasattr(value, "item") else value
