"""One stage without faults for all tests of this folder, and somewhere for clients to put down what they see."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.locustfiles.clients.recorded import Recorded
from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


@pytest.fixture
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    made = Recorded(tmp_path / "record")
    yield made
    made.close()
