"""Promise: a wall clock that jumps by an hour changes nothing: whatever is judged was timed by the monotonic one.

libfaketime shows load process and monitor another wall clock, and leaves the monotonic one alone.
Source: https://github.com/wolfcw/libfaketime
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analysis.evidence import read_evidence
from tests.adversary.test_world import FORGIVING, children, wait_for_messages
from tests.adversary.whole_runs import clean_but, settings_for
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage, running_stage

pytestmark = pytest.mark.long

LIBRARY = "faketime/libfaketimeMT.so.1"
HOUR_S = 3600
LONG_MS = 20_000  # longer than any request may take, and far from an hour


def library() -> Path | None:
    """Where Debian's package `faketime` puts it."""
    return next(iter(Path("/usr/lib").glob(f"*/{LIBRARY}")), None)


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


@pytest.mark.skipif(library() is None, reason="libfaketime is not there (apt-get install faketime)")
@pytest.mark.parametrize("jump_s", [HOUR_S, -HOUR_S], ids=["forwards", "back"])
def test_a_wall_clock_that_jumps_by_an_hour(own: RunningStage, tmp_path: Path, jump_s: int) -> None:
    shown = tmp_path / "clock"
    shown.write_text("+0s\n")
    environment = settings_for(
        own,
        **FORGIVING,  # how fast a shared machine is, is no part of this promise
        LD_PRELOAD=str(library()),
        FAKETIME_TIMESTAMP_FILE=str(shown),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    load = ("--host", own.app_url, "--users", "12", "--spawn-rate", "12", "--run-time", "18s")
    with Soak(tmp_path, *load, environment=environment) as running:
        running.wait_for_load()
        wait_for_messages(running, own, 60)
        (monitor,) = children(running, lambda words: "monitor" in words)
        assert any(LIBRARY in one.path for one in monitor.memory_maps())
        shown.write_text(f"{jump_s:+d}s\n")
        ended = running.end()
    clean_but(ended, set())
    figures = {one["id"]: one["observed"] for one in ended.verdict["criteria"]}
    assert 0 < figures["latency.send.avg"] < LONG_MS
    assert 0 < figures["latency.delivery.p95"] < LONG_MS

    evidence = read_evidence((running.reports / "latest").resolve())
    generator = evidence.generator
    ahead_s = (generator["wall_us"].to_numpy() * 1000 - generator["at_ns"].to_numpy()) / 1e9
    assert np.isclose(ahead_s[-1] - ahead_s[0], jump_s, atol=1), "the clock did not jump"
    assert (np.diff(evidence.polls["at_ns"].to_numpy()) > 0).all()
    timed = evidence.sends["answered_ns"] - evidence.sends["left_ns"]
    assert timed.between(0, LONG_MS * 10**6).all()
