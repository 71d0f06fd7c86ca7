from collections.abc import Iterator

import pytest

from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="module")
def stage() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running
