"""Promise: a wall clock that jumps by an hour changes nothing: whatever is judged was timed by the monotonic one.

libfaketime shows load process and monitor another wall clock, and leaves the monotonic one alone.
Source: https://github.com/wolfcw/libfaketime
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from analysis.evidence import read_evidence
from tests.adversary.whole_runs import (
    FORGIVING,
    children,
    clean_but,
    let_pass,
    observed,
    settings_for,
    wait_for_messages,
    wait_for_more,
)
from tests.adversary.world import holds
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
def test_a_wall_clock_that_jumps_by_an_hour(own: RunningStage, tmp_path: Path) -> None:
    """Forwards, and back to where it was."""
    shown = tmp_path / "clock"
    shown.write_text("+0s\n")
    environment = settings_for(
        own,
        **FORGIVING,
        LD_PRELOAD=str(library()),
        FAKETIME_TIMESTAMP_FILE=str(shown),
        FAKETIME_NO_CACHE="1",
        FAKETIME_DONT_FAKE_MONOTONIC="1",
    )
    load = ("--host", own.app_url, "--users", "12", "--spawn-rate", "12", "--run-time", "120s")
    with Soak(tmp_path, *load, environment=environment) as running:
        running.wait_for_load()
        wait_for_messages(running, own, 40)
        (monitor,) = children(running, lambda words: "monitor" in words)
        assert any(LIBRARY in one.path for one in monitor.memory_maps())
        for ahead_s in (HOUR_S, 0):
            shown.write_text(f"{ahead_s:+d}s\n")
            wait_for_more(running, own, 40)
            let_pass(running, 2, "the load process notes its clocks")
        running.interrupt()
        ended = running.end()
    clean_but(ended, set())
    holds(ended.verdict, "ClockJumps")
    assert 0 < observed(ended, "latency.send.avg") < LONG_MS
    assert 0 < observed(ended, "latency.delivery.p95") < LONG_MS

    evidence = read_evidence((running.reports / "latest").resolve())
    generator = evidence.generator
    ahead_s = (generator["wall_us"].to_numpy() * 1000 - generator["at_ns"].to_numpy()) / 1e9
    steps_s = np.diff(ahead_s)
    assert np.isclose(steps_s.max(), HOUR_S, atol=1), "the clock did not jump"
    assert np.isclose(steps_s.min(), -HOUR_S, atol=1), "the clock did not jump back"
    assert (np.diff(evidence.polls["at_ns"].to_numpy()) > 0).all()
    timed = evidence.sends["answered_ns"] - evidence.sends["left_ns"]
    assert timed.between(0, LONG_MS * 10**6).all()
