"""One stage without faults for all tests of this folder that break nothing."""

from collections.abc import Iterator

import httpx
import pytest

from tests.staging.calls import Office
from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=20) as client:
        yield client


@pytest.fixture(scope="session")
def office(stage: RunningStage, http: httpx.Client) -> Office:
    """Callers of that stage."""
    return Office(stage, http)
