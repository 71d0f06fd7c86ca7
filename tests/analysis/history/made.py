"""Runs for the history's tests: real verdicts, assembled and written as the judge does, with figures that are known."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from analysis.criteria import Criterion, Verdict
from analysis.record.run import Run, write_json
from analysis.report import command
from analysis.statistics.intervals import share_interval
from analysis.verdict import COUNTS, assemble
from tests.analysis.report.judgements import Told

FIRST_NIGHT = datetime(2026, 9, 1, 2, 0, tzinfo=UTC)
MINUTE_NS = 60_000_000_000


def a_verdict(
    run_id: str,
    *,
    at: datetime = FIRST_NIGHT,
    avg_ms: float = 40.0,
    p95_ms: float = 100.0,
    delivery_ms: float = 180.0,
    around: float = 0.02,
    not_ok: int = 0,
    sends: int = 20_000,
    query_ms: float = 2.0,
    lost: int = 0,
    users: int = 50,
    minutes: float = 60.0,
    short: bool = False,
    ended: bool = True,
    healthy: bool = True,
    outcomes: Mapping[str, Verdict] | None = None,
    **run_fields: Any,
) -> tuple[Run, dict[str, Any]]:
    """A run and its verdict.

    Args:
        around: the half width of its latencies' intervals, as a share of them; 0 = the run was too short for intervals.
        minutes: how long the load lasted.
        short: its intervals are a least width.
        healthy: the load generator kept up.
        outcomes: of criteria that came out otherwise, by id; of an inconclusive one nothing was seen.
    """
    run = Run(
        run_id=run_id,
        **({"host": "http://127.0.0.1:8000", "embedded": True, "settings": {}, "versions": {}} | run_fields),
        processes=["local"],
        started_at=at.isoformat().replace("+00:00", "Z"),
        ended_at=(at + timedelta(hours=1)).isoformat().replace("+00:00", "Z") if ended else None,
        phases=[{"name": "load", "at_ns": 0}, {"name": "stopping", "at_ns": round(minutes * MINUTE_NS)}],
    )

    def within(value: float) -> tuple[float, float] | None:
        return (value * (1 - around), value * (1 + around)) if around else None

    def latency(name: str, title: str, limit: float, value: float, **facts: float) -> Criterion:
        outcome = Verdict.PASS if value < limit else Verdict.FAIL
        return Criterion(
            name,
            title,
            f"< {limit:g} ms",
            value,
            "ms",
            outcome,
            sends,
            ci95=within(value),
            facts=facts | ({"short_run": 1} if short else {}),
            intervals={fact: ends for fact, its in facts.items() if (ends := within(its)) is not None},
        )

    share = 100 * not_ok / sends
    criteria = [
        latency("latency.send.avg", "Average send latency (service time)", 300, avg_ms),
        latency(
            "latency.send.p95",
            "P95 of send latency (service time)",
            500,
            p95_ms,
            p50_ms=avg_ms * 0.9,
            p99_ms=p95_ms * 1.4,
        ),
        latency(
            "latency.delivery.p95", "P95 of delivery latency", 1000, delivery_ms, p50_ms=delivery_ms * 0.6
        ),
        Criterion(
            "errors.send",
            "Share of sends that were not acknowledged",
            "≤ 0.1%",
            share,
            "%",
            Verdict.PASS if share <= 0.1 else Verdict.FAIL,
            sends,
            ci95=share_interval(np.zeros(sends, np.int64), np.arange(sends) < not_ok),
            facts={"not_ok": not_ok},
        ),
        Criterion(
            "messages.lost",
            "No acknowledged message is lost",
            "0",
            lost,
            "messages",
            Verdict.FAIL if lost else Verdict.PASS,
            sends,
        ),
        Criterion(
            "plan.history",
            "The history query is quick",
            "< 10 ms",
            query_ms,
            "ms",
            Verdict.PASS,
            10,
            ci95=within(query_ms),
        ),
        Criterion(
            "generator.healthy",
            "The load generator kept up",
            "≤ 1%",
            0.1,
            "%",
            Verdict.PASS if healthy else Verdict.INCONCLUSIVE,
            sends,
        ),
        Criterion("record.complete", "The record is whole", "0", 0, "problems", Verdict.PASS, 10),
    ]
    criteria = [_turned(one, (outcomes or {}).get(one.id, one.outcome)) for one in criteria]
    counts = dict.fromkeys(COUNTS, 0) | {"sends": sends, "ok": sends - not_ok, "stored": sends - not_ok}
    return run, assemble(run, counts, criteria, users)


def _turned(criterion: Criterion, outcome: Verdict) -> Criterion:
    if outcome is not Verdict.INCONCLUSIVE or criterion.outcome is outcome:
        return replace(criterion, outcome=outcome)
    return replace(criterion, outcome=outcome, observed=None, ci95=None, facts={}, intervals={}, checked=0)


def write_run(reports: Path, run_id: str, **figures: Any) -> Path:
    """A judged run in `reports`, without its record."""
    folder = reports / run_id
    folder.mkdir(parents=True)
    run, verdict = a_verdict(run_id, **figures)
    run.write(folder)
    write_json(folder / "verdict.json", verdict)
    for name in ("report.html", "junit.xml", "summary.md"):
        (folder / name).write_text(name, encoding="utf-8")
    return folder


def night_id(night: int) -> str:
    """The id of the run of a night, counted from `FIRST_NIGHT`."""
    return f"{FIRST_NIGHT + timedelta(days=night):%Y%m%dT%H%M%SZ}-{night:04x}"


def nights(
    seed: int, count: int = 60, *, slower_from: int | None = None, by: float = 0.12, spread: float = 0.03
) -> list[dict[str, Any]]:
    """Figures of nightly runs, as arguments of `a_verdict`.

    Every figure of a night varies by `spread` (the standard deviation, as a share), half of it in common with the others, as
    on a machine with busier and quieter nights. Now and then a night is 10% slow for no reason. From night `slower_from` on
    every latency of sends is higher by the share `by`.
    """
    rng = np.random.default_rng(seed)
    made = []
    for night in range(count):
        common = rng.normal(0, spread / np.sqrt(2)) + (0.1 if rng.random() < 0.02 else 0.0)
        own: Sequence[float] = rng.normal(0, spread / np.sqrt(2), 4)
        slower = 1 + (by if slower_from is not None and night >= slower_from else 0.0)
        made.append(
            {
                "at": FIRST_NIGHT + timedelta(days=night),
                "avg_ms": 40.0 * slower * (1 + common + own[0]),
                "p95_ms": 100.0 * slower * (1 + common + own[1]),
                "delivery_ms": 180.0 * (1 + common + own[2]),
                "query_ms": 3.0 * (1 + common + own[3]),
                "sends": 20_000 + int(rng.normal(0, 140)),
                "not_ok": int(rng.poisson(2)),
            }
        )
    return made


def recorded(reports: Path, run_id: str, took: float, *, slow_start: bool = False) -> Path:
    """A real record of 600 sends, all delivered, judged; with `slow_start` the first forty take three times as long."""
    history = Told(people=2)
    chat = history.chat(0, 1)
    rng = np.random.default_rng(len(run_id))
    for number in range(600):
        seconds = took * float(rng.lognormal(0, 0.3)) * (3 if slow_start and number < 40 else 1)
        message = history.send(number % 2, chat, at=1 + number / 8, took=seconds, seq=number + 1)
        history.store(message)
        history.deliver(message, message.at + 2 * seconds)
    history.finish()
    folder = history.write(reports / run_id)
    run = history.run()
    run.run_id = run_id
    run.write(folder)
    command.run(folder, as_json=True)
    return folder
