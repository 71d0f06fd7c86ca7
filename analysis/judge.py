"""Judges a run: reads its record, runs every check, writes ``verdict.json``.

The record is only read. Judging it twice gives the same bytes: nothing here asks a clock, and every order is
the record's own. A million sends with three million deliveries are judged within 1.5 GiB.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from analysis import generator, latency, latency_criteria, timeline
from analysis.checks import audit, drift, plan
from analysis.checks.steady import Stretch, steady_part
from analysis.checks.suite import guarded
from analysis.clocks import Clocks
from analysis.criteria import MAX_EXAMPLES, Criterion, Finding
from analysis.errors import RecordError
from analysis.evidence import Evidence, read_evidence
from analysis.judgement import Judgement
from analysis.latency_drift import latency_drift, on_axis
from analysis.record.codes import Outcome, PollKind
from analysis.record.run import write_json
from analysis.server import server_side
from analysis.settings import Workload
from analysis.shifts import Shift
from analysis.verdict import assemble

STEPS_OF = {"sends": "latency.send.p95", "deliveries": "latency.delivery.p95"}


def judge(folder: Path) -> dict[str, Any]:
    """Judge the run in `folder`, write its ``verdict.json`` there, and return what it says.

    Raises:
        RecordError: `folder` holds no run, or the verdict cannot be written.
    """
    return judge_run(folder, lambda _: None).verdict


def judge_run(folder: Path, tell: Callable[[str], None]) -> Judgement:
    """As `judge`, and with what a report needs.

    Args:
        tell: is told what is being done, e.g. "reading the record".

    Raises:
        RecordError: `folder` holds no run, or the verdict cannot be written.
    """
    tell("reading the record")
    evidence = read_evidence(folder)
    judgement = judge_evidence(evidence, tell)
    try:
        write_json(folder / "verdict.json", judgement.verdict)
    except OSError as error:
        raise RecordError(f"{folder / 'verdict.json'} cannot be written: {error}.") from error
    return judgement


def judge_evidence(evidence: Evidence, tell: Callable[[str], None]) -> Judgement:
    """The judgement of what was recorded; nothing is read or written but texts of messages in question."""
    axis = timeline.TimeAxis.of(evidence)
    tell(f"accounting for {len(evidence.sends):,} sends and {len(evidence.events):,} events")
    targets = latency.Targets.of(evidence.run.settings)
    found = audit(evidence, targets.delivered_within_s)
    tell("measuring latency")
    sends = evidence.sends.assign(
        axis_ns=axis.place_column(evidence.sends, "left_ns"), message=found.messages_of_sends
    )
    targets = latency.with_warmup(targets, sends)
    sent = latency.send_latencies(sends, targets)
    service = latency.service_latencies(sends, targets) if targets.workload is Workload.OPEN else None
    delivered, across_clocks = latency.delivery_latencies(sends, evidence.events, targets)
    criteria = [
        *latency_criteria.send_criteria(sent, targets, service),
        latency_criteria.delivery_criterion(delivered, across_clocks, targets),
        latency_criteria.errors_criterion(sends, _not_acknowledged(evidence), targets),
        *found.criteria,
        guarded("drift.latency", lambda: latency_drift(sent, delivered, targets, _steady(evidence, axis))),
        guarded("drift.database", lambda: drift.database(evidence)),
        guarded("plan.history", lambda: plan.history(evidence, targets.history_query_ms)),
    ]
    criteria = list(
        generator.weigh(criteria, evidence, axis, targets, sends=sends, sent=sent, delivered=delivered)
    )
    tell("drawing up the verdict")
    drawn = timeline.build(evidence, axis, targets=targets, sent=sent, delivered=delivered, criteria=criteria)
    return Judgement(
        run=evidence.run,
        verdict=assemble(evidence.run, found.counts, _with_steps(criteria, drawn.steps), drawn.most_users),
        targets=targets,
        timeline=drawn,
        origin_ns=axis.origin_of(evidence),
        database=_database_facts(evidence),
        server=server_side(evidence, axis, drawn.width_s),
    )


def _with_steps(criteria: list[Criterion], steps: tuple[Shift, ...]) -> list[Criterion]:
    """The percentiles of latency, each with how many steps its windows show."""
    count = Counter(STEPS_OF[step.series] for step in steps)
    return [
        replace(one, facts={**one.facts, "steps": count[one.id]}) if count[one.id] else one
        for one in criteria
    ]


def _steady(evidence: Evidence, axis: timeline.TimeAxis) -> Stretch:
    """The part of the load in which the number of users stood still, on the run's axis."""
    return on_axis(steady_part(evidence), axis.origin_ns.get(evidence.database.clock, 0))


def _not_acknowledged(evidence: Evidence) -> list[Finding]:
    """The first sends that were refused or got no answer, in the order in which they left."""
    sends = evidence.sends
    bad = sends[sends["outcome"] != Outcome.OK].sort_values("left_ns", kind="stable").head(MAX_EXAMPLES)
    columns = (
        "chat_id",
        "client_generated_id",
        "user_id",
        "left_ns",
        "clock",
        "outcome",
        "status_code",
        "error",
    )
    found = [
        Finding(
            why=_what_was_said(outcome, status_code, error),
            chat_id=evidence.chats.text(chat),
            client_generated_id=evidence.messages.text(client_id),
            sender_id=evidence.people.text(sender),
            at_ns=left_ns,
            clock=clock,
        )
        for chat, client_id, sender, left_ns, clock, outcome, status_code, error in zip(
            *(bad[column].tolist() for column in columns), strict=True
        )
    ]
    return list(Clocks.of(evidence).placed(found))


def _what_was_said(outcome: int, status_code: int, error: str | None) -> str:
    kind = "refused" if outcome == Outcome.FAIL else "left without a clear answer"
    status = f"HTTP {status_code}" if status_code else "no HTTP answer"
    return f"The send was {kind} ({status})" + (f": {error}" if isinstance(error, str) else ".")


def _database_facts(evidence: Evidence) -> dict[str, str]:
    """What the monitor did, in words for people."""
    polls = evidence.polls
    if not len(polls):
        return {}
    failed = int((polls["kind"] == PollKind.FAILED).sum())
    answered = polls[polls["kind"] != PollKind.FAILED]
    facts = {
        "Looks at the database": f"{len(polls):,}",
        "without an answer": f"{failed:,}",
        "Longest look": f"{answered['duration_ms'].max():,.1f} ms" if len(answered) else "none",
        "Messages seen": f"{len(evidence.rows):,}",
    }
    if "postgresql" in evidence.run.versions:
        facts["PostgreSQL"] = evidence.run.versions["postgresql"]
    return facts
