"""Promise: ten minutes of a hundred users, with everything on, and every message accounted for, whatever PostgreSQL does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adversary.whole_runs import (
    FORGIVING,
    answers,
    clean_but,
    described,
    kill_postgresql,
    settings_for,
    wait_for_messages,
)
from tests.adversary.world import holds
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage, running_stage

pytestmark = [pytest.mark.soaks, pytest.mark.timeout(1_200)]

LOAD = ("--users", "100", "--spawn-rate", "25", "--run-time", "10m")
EVERYTHING_ON = {
    "CHATSOAK_THINK_TIME_S": "1",
    "CHATSOAK_WARMUP_S": "auto",
    "CHATSOAK_REPEAT_SHARE": "0.05",
    "CHATSOAK_RECONNECT_SHARE": "0.005",
    "CHATSOAK_OUTSIDER_SHARE": "0.05",
}
KILLED_AT = (10_000, 25_000)  # messages stored


@pytest.fixture
def stage_of_its_own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def soak(folder: Path, stage: RunningStage, *options: str, **settings: str) -> Soak:
    environment = settings_for(stage, **EVERYTHING_ON, **settings)
    return Soak(folder, "--host", stage.app_url, *LOAD, *options, environment=environment, patience_s=900)


@pytest.mark.parametrize("processes", [1, 2])
def test_nothing_goes_wrong(stage_of_its_own: RunningStage, tmp_path: Path, processes: int) -> None:
    options = () if processes == 1 else ("--processes", str(processes))
    with soak(tmp_path, stage_of_its_own, *options) as running:
        ended = running.end()
    clean_but(ended, set())
    assert {one["outcome"] for one in ended.verdict["criteria"]} == {"pass"}, described(ended)
    assert [one for one in ended.verdict["criteria"] if one["observed"] and one["examples"]] == []
    counts = ended.verdict["counts"]
    assert counts["ok"] == counts["stored"] > 20_000
    assert counts["deliveries"] == counts["deliveries_expected"] > counts["ok"]


def test_postgresql_is_killed_twice(stage_of_its_own: RunningStage, tmp_path: Path) -> None:
    with soak(tmp_path, stage_of_its_own, **FORGIVING) as running:
        running.wait_for_load()
        for messages in KILLED_AT:
            wait_for_messages(running, stage_of_its_own, messages)
            kill_postgresql(stage_of_its_own)
            running.wait_until("PostgreSQL is back", lambda: answers(stage_of_its_own))
        ended = running.end()
    holds(ended.verdict, "PostgresKilled")
    counts = ended.verdict["counts"]
    assert counts["stored"] >= counts["ok"] > 20_000
    assert (counts["stored"] - counts["ok"]) <= counts["info"]
