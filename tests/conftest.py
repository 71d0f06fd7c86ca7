from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from xdist.scheduler import LoadScopeScheduling

from tests.analysis.targets import MIGRATIONS, SCHEMA, Target, new_database, run_files
from tests.staging.stages import RunningStage, running_stage

# How long an example takes says how busy the machine is, not whether it is right. The same examples every time: a change is
# not held up by what another day's luck finds. New ones are for `thousands`, and for the nights.
settings.register_profile(
    "chatsoak",
    max_examples=30,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("chatsoak")

# For tests/mutate.py, which asks many times whether some test fails, and never why: shrinking takes longest.
SEARCH = (Phase.explicit, Phase.reuse, Phase.generate)
RANDOM = settings(settings.get_profile("chatsoak"), derandomize=False, phases=SEARCH)
settings.register_profile("glance", RANDOM, max_examples=60)
settings.register_profile("mutations", RANDOM, max_examples=400)

# Tests in these folders put load on the machine, so they take turns; the others only want a processor of their own.
IN_TURN = {"adversary", "docs", "locustfiles", "sql", "staging"}


class TakingTurns(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """Which tests one worker has to run, where there are several: those that take turns, and each other file's."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "in turn" if PurePath(file).parts[1] in IN_TURN else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> TakingTurns:
    """Hook of xdist."""
    return TakingTurns(config, log)


@pytest.fixture(scope="session")
def stage() -> Iterator[RunningStage]:
    """A stage without faults."""
    with running_stage() as running:
        yield running


@pytest.fixture
def target(stage: RunningStage, tmp_path: Path) -> Target:
    """The stage, as a target in good order."""
    return Target.of(stage, tmp_path / "reports")


@pytest.fixture(scope="session")
def schema_template(stage: RunningStage) -> Iterator[str]:
    """Name of a database with the app's schema and no migration, to be copied."""
    with new_database(stage.database_url) as url:
        run_files(url, SCHEMA)
        yield urlsplit(url).path[1:]


@pytest.fixture(scope="session")
def migrated_template(stage: RunningStage, schema_template: str) -> Iterator[str]:
    """Name of a database with the app's schema and all migrations, to be copied."""
    with new_database(stage.database_url, schema_template) as url:
        run_files(url, MIGRATIONS)
        yield urlsplit(url).path[1:]


@pytest.fixture
def bare_database(stage: RunningStage, schema_template: str) -> Iterator[str]:
    """URL of a database of its own, as the app has it before the migrations."""
    with new_database(stage.database_url, schema_template) as url:
        yield url


@pytest.fixture
def database(stage: RunningStage, migrated_template: str) -> Iterator[str]:
    """URL of a database of its own, with all migrations."""
    with new_database(stage.database_url, migrated_template) as url:
        yield url
