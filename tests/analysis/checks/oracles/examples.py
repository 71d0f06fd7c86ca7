"""How many histories each oracle is asked about."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = (
    pytest.param(100, id="some"),
    pytest.param(4000, id="thousands", marks=[pytest.mark.long, pytest.mark.timeout(1800)]),
)


def thoroughly(examples: int) -> Callable[[Any], Any]:
    """Ask about this many."""
    return settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )
