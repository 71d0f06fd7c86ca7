"""Promise: a latency that rose within its target, or made a step, is nowhere called steady."""

from typing import Any

import pytest

from analysis.report.headline import certainty
from analysis.report.levels import briefly

ROSE = "rose beyond chance, within its targets"


def verdict(*at_s: float, outcome: str = "pass", **facts: int) -> dict[str, Any]:
    """One with steps of the P95 at these times, after a warm-up of a minute."""
    p95 = {"id": "latency.send.p95", "outcome": "pass", "ci95": None, "facts": {"warmup_s": 60.0}}
    drift = {"id": "drift.latency", "title": "t", "outcome": outcome, "facts": facts}
    steps = [
        {"criterion": "latency.send.p95", "at_s": at, "before_ms": 41.2, "after_ms": 58.0} for at in at_s
    ]
    return {"counts": {"sends": 0}, "criteria": [p95, drift], "steps": steps}


ONE = "made 1 step, from 41.2 to 58.0 ms about minute 30"


@pytest.mark.parametrize(
    ("of", "words", "moved"),
    [
        (verdict(), "steady", None),
        (verdict(30.0), "steady", None),  # in the warm-up
        (verdict(rose=2), "rose, within target", ROSE),
        (verdict(1800.0, rose=2), "rose, within target", ROSE),  # a rise shows as steps
        (verdict(1800.0), "steady but for 1 step", ONE),
        (verdict(1800.0, rose=1, stepped=1), "rose, within target, with 1 step", f"{ROSE} and {ONE}"),
        (verdict(1800.0, 2000.0), "steady but for 2 steps", ONE.replace("1 step,", "2 steps, the first")),
    ],
)
def test_what_moved_is_told_on_the_terminal_and_on_the_first_screen(
    of: dict[str, Any], words: str, moved: str | None
) -> None:
    assert briefly(of) == words
    assert certainty(of) == ([] if moved is None else [f"Latency was not steady: it {moved}."])


def test_a_drift_that_fails_is_said_to_fail_and_no_more() -> None:
    assert certainty(verdict(1800.0, outcome="fail", rose=1)) == []
