"""Promise: the first screen says how sure the answer is, and what it leaves open."""

from typing import Any

from analysis.report.headline import certainty


def verdict(**p95: Any) -> dict[str, Any]:
    entry = {"id": "latency.send.p95", "title": "P95 of send latency", "target": "< 500 ms", "unit": "ms"}
    entry |= {"ci95": (208.0, 217.9), "outcome": "pass", "facts": {"warmup_s": 40.0}} | p95
    return {"counts": {"sends": 0}, "criteria": [entry]}


def test_an_interval_is_told_with_its_confidence() -> None:
    assert certainty(verdict()) == ["With 95% confidence the true P95 lies between 208.0 and 217.9 ms."]


def test_a_warmup_that_misses_the_target_by_itself_is_told() -> None:
    said = certainty(verdict(facts={"warmup_s": 40.0, "left_out_ms": 2013.4}, outcome="inconclusive"))
    assert (
        "The first 40.0 s are left out as warm-up, and miss the target by themselves: P95 2,013 ms." in said
    )


def test_a_short_run_claims_no_confidence() -> None:
    [said] = certainty(verdict(facts={"warmup_s": 0.0, "short_run": 1}))
    assert "too short to say" in said
    assert said.endswith("the true P95 between 208.0 and 217.9 ms, or further off.")
    assert "confidence" not in said
