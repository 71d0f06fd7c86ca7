"""Whether latency stayed at one level where `drift.latency` failed nothing: a rise within target and a step are no failure,
and no steady latency either."""

from collections.abc import Mapping
from typing import Any

from analysis.criteria import Verdict
from analysis.report.numbers import number, plural


def rose(verdict: Mapping[str, Any]) -> bool:
    """Whether it rose beyond chance, and its targets have room for that."""
    return bool(_drift_facts(verdict).get("rose"))


def steps(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Its steps after the warm-up, of the latency that has most; a rise shows as steps, which are not told beside it."""
    facts = _drift_facts(verdict)
    if facts.get("rose") and not facts.get("stepped"):
        return []
    warmup_s = {entry["id"]: entry["facts"].get("warmup_s", 0.0) for entry in verdict["criteria"]}
    told: dict[str, list[Mapping[str, Any]]] = {}
    for step in verdict["steps"]:
        if step["at_s"] > warmup_s.get(step["criterion"], 0.0):
            told.setdefault(step["criterion"], []).append(step)
    return max(told.values(), key=len, default=[])


def briefly(verdict: Mapping[str, Any]) -> str:
    """How it went, in a few words: steady, or not."""
    made = plural(len(steps(verdict)), "step") if steps(verdict) else ""
    if rose(verdict):
        return "rose, within target" + (f", with {made}" if made else "")
    return f"steady but for {made}" if made else "steady"


def sentence(verdict: Mapping[str, Any]) -> str | None:
    """The same for the first screen; None where latency was steady, or failed for not being so."""
    drift = next((entry for entry in verdict["criteria"] if entry["id"] == "drift.latency"), None)
    if drift is None or drift["outcome"] not in (Verdict.PASS, Verdict.INFO):
        return None
    moved = ["rose beyond chance, within its targets"] if rose(verdict) else []
    if made := steps(verdict):
        first = made[0]
        moved.append(
            f"made {plural(len(made), 'step')}, {'the first ' if len(made) > 1 else ''}from {number(first['before_ms'])} to {number(first['after_ms'])} ms about "
            f"minute {first['at_s'] / 60:,.0f}"
        )
    return f"Latency was not steady: it {' and '.join(moved)}." if moved else None


def _drift_facts(verdict: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = next(
        (entry["facts"] for entry in verdict["criteria"] if entry["id"] == "drift.latency"), {}
    )
    return found
