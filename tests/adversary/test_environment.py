"""Promise: a fault of the whole environment is noticed by exactly the criteria that it breaks; a nuisance by none."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.adversary import expectations
from tests.adversary.whole_runs import ENVIRONMENT_FAULTS, EnvironmentFault, clean_but, settings_for
from tests.analysis.targets import run
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage, running_stage

pytestmark = pytest.mark.long

LOAD = ("--users", "12", "--spawn-rate", "12", "--run-time", "10s")


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    """Its database is shared by all runs, and may be spoilt."""
    with running_stage() as running:
        yield running


@contextmanager
def around(stage: RunningStage, fault: EnvironmentFault) -> Iterator[None]:
    """The fault's statements before the run and after it."""
    run(stage.database_url, *fault.before)
    try:
        yield
    finally:
        run(stage.database_url, *fault.after)


@pytest.mark.parametrize("fault", ENVIRONMENT_FAULTS, ids=lambda fault: fault.name)
def test_exactly_its_criteria_notice(own: RunningStage, tmp_path: Path, fault: EnvironmentFault) -> None:
    if fault.embedded:
        options = [word for one in fault.stage for word in ("--stage-fault", one)]
        with Soak(tmp_path, *LOAD, *options, environment=fault.settings) as soak:
            ended = soak.end()
    else:
        with (
            around(own, fault),
            running_stage(*fault.stage, database_url=own.database_url) as stage,
            Soak(
                tmp_path, "--host", stage.app_url, *LOAD, environment=settings_for(stage, **fault.settings)
            ) as soak,
        ):
            if fault.during:
                soak.wait_for_load()
                run(own.database_url, *fault.during)
            ended = soak.end()
    clean_but(ended, set(fault.breaks))
    expectations.write(tmp_path / "reports" / "latest", dict.fromkeys(fault.breaks, "fail"))
