"""Promise: a function that does not tell the newest seq of a chat makes nobody leave before what is on its way has come."""

from pathlib import Path

import pytest

from tests.adversary.whole_runs import settings_for
from tests.adversary.world import holds
from tests.analysis.targets import run as run_sql
from tests.locustfiles.soaks import Soak
from tests.staging.stages import running_stage

pytestmark = pytest.mark.long

LATE_MS = 6000
NULL = (
    "create or replace function public.get_latest_seq(p_chat_id uuid) returns bigint "
    "language sql as $$ select null::bigint $$"
)
LOAD = ("--users", "12", "--spawn-rate", "12", "--run-time", "10s")
INCONCLUSIVE = 3  # exit code


def test_everything_is_awaited_and_the_function_is_named(tmp_path: Path) -> None:
    with running_stage(f"realtime_delay_ms={LATE_MS}") as stage:
        settings = settings_for(stage, CHATSOAK_RECONNECT_SHARE="0")
        with Soak(tmp_path, "--host", stage.app_url, *LOAD, environment=settings) as soak:
            soak.wait_for_load()
            run_sql(stage.database_url, NULL)  # the stage and its database end with this test
            ended = soak.end()
    assert ended.code == INCONCLUSIVE
    holds(ended.verdict, "NewestSeqUnknown")
    counts = ended.verdict["counts"]
    assert counts["deliveries"] == counts["deliveries_expected"] > 0
    (missed,) = [one for one in ended.verdict["criteria"] if one["id"] == "realtime.missed"]
    assert missed["facts"]["unawaited"] == 0
    assert missed["facts"]["arrived"] >= missed["checked"] > 0.9 * counts["deliveries"], (
        "nearly each is owed, but for what was sent while somebody was coming online"
    )
