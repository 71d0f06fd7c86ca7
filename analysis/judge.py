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
from analysis.checks.steady import steady_part
from analysis.checks.suite import guarded
from analysis.criteria import Criterion
from analysis.demand import demand
from analysis.errors import RecordError
from analysis.evidence import Evidence, read_evidence
from analysis.judgement import Judgement
from analysis.latency_drift import latency_drift, on_axis
from analysis.load import planned_rate
from analysis.load_side import load_side
from analysis.record.codes import PollKind
from analysis.record.run import write_json
from analysis.send_errors import send_errors
from analysis.series import bucket_width_s
from analysis.server import server_side
from analysis.settings import Workload
from analysis.shifts import Shift
from analysis.trends import trends
from analysis.verdict import assemble

PANEL_BUCKETS = 240  # of each of many lines, which keep both their extremes
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
    targets = latency.with_warmup(targets, sends, timeline.ramp_s(evidence, axis))
    sent = latency.send_latencies(sends, targets)
    service = latency.service_latencies(sends, targets) if targets.workload is Workload.OPEN else None
    of_server = steady_part(evidence, planned_rate(evidence.run.settings))
    steady = on_axis(of_server, axis.origin_ns.get(evidence.database.clock, 0))
    delivered, across_clocks = latency.delivery_latencies(sends, evidence.events, targets)
    meant = demand(evidence, axis)
    criteria = [
        *latency_criteria.send_criteria(sent, targets, service, meant),
        latency_criteria.delivery_criterion(delivered, across_clocks, targets, meant),
        send_errors(evidence, sends, found, targets),
        *found.criteria,
        guarded("drift.latency", lambda: latency_drift(sent, delivered, targets, steady)),
        guarded("drift.database", lambda: drift.database(evidence, of_server)),
        guarded("plan.history", lambda: plan.history(evidence, targets.history_query_ms)),
    ]
    criteria = list(
        generator.weigh(
            criteria,
            evidence,
            axis,
            targets,
            sends=sends,
            uncounted=found.uncounted,
            sent=sent,
            delivered=delivered,
            steady=steady,
        )
    )
    tell("drawing up the verdict")
    drawn = timeline.build(
        evidence, axis, targets=targets, sent=sent, service=service, delivered=delivered, criteria=criteria
    )
    panels_s = bucket_width_s(drawn.end_s - drawn.begin_s, PANEL_BUCKETS)
    return Judgement(
        run=evidence.run,
        verdict=assemble(
            evidence.run,
            found.counts,
            _with_steps(criteria, drawn.steps),
            drawn.most_users,
            steps=[_told(step) for step in drawn.steps],
            left_before=found.left_before,
        ),
        targets=targets,
        timeline=drawn,
        origin_ns=axis.origin_of(evidence),
        database=_database_facts(evidence),
        server=server_side(evidence, axis, panels_s, drawn.coarse_s),
        panels_s=panels_s,
        load_panels=load_side(evidence, axis, panels_s, drawn.coarse_s),
        trends=trends(evidence, sent, delivered, targets, of_latency=steady, of_server=of_server),
    )


def _with_steps(criteria: list[Criterion], steps: tuple[Shift, ...]) -> list[Criterion]:
    """The percentiles of latency, each with how many steps its windows show."""
    count = Counter(STEPS_OF[step.series] for step in steps)
    return [
        replace(one, facts={**one.facts, "steps": count[one.id]}) if count[one.id] else one
        for one in criteria
    ]


def _told(step: Shift) -> dict[str, Any]:
    """A step as ``verdict.json`` has it."""
    return {
        "criterion": STEPS_OF[step.series],
        "at_s": step.at_s,
        "before_ms": step.before_ms,
        "after_ms": step.after_ms,
        "p_value": step.p_value,
        "near": step.near,
        "near_s": step.reach_s,
    }


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
