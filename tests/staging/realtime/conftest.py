from collections.abc import Iterator

import pytest

from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    """A stage without faults."""
    with running_stage() as running:
        yield running
