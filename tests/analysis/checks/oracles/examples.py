"""How many histories a checker, and its oracle, is asked about."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EXAMPLES = (
    pytest.param(None, id="some"),
    pytest.param(3000, id="thousands", marks=[pytest.mark.thousands, pytest.mark.timeout(3600)]),
)


def thoroughly(examples: int | None) -> Callable[[Any], Any]:
    """Ask about this many, others each time; None: as many as Hypothesis's profile says, and chosen as it says."""
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(
        max_examples=settings().max_examples if examples is None else examples,
        derandomize=settings().derandomize and examples is None,
        deadline=None,
        suppress_health_check=checks,
    )
