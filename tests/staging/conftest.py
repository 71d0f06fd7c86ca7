"""One stage without faults for all tests of this folder that break nothing."""

from collections.abc import Iterator

import pytest

from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running
