"""Promise: a load generator that is held to a quarter of its time is found out, and its delays are not the server's failure."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.adversary import expectations
from tests.adversary.whole_runs import PATIENT, clean_but, observed, settings_for
from tests.adversary.world import holds, outcomes
from tests.locustfiles.soaks import Soak
from tests.staging.stages import RunningStage

pytestmark = pytest.mark.long

# The same as a control group's quota of a quarter, with the longest period that the kernel allows (1 s), for a process that
# would use all it gets: it runs, and stands still. Signals need no rights, and nothing but the one process.
RUNS_S, STANDS_S = 0.25, 0.75
CLOSED = ("--users", "10", "--spawn-rate", "10", "--run-time", "15s")
LOAD = (*CLOSED, "--workload", "open", "--arrival-rate", "15")
# Below what somebody waits for a process that stands still, above what a busy machine makes of the same run.
TARGETS = {**PATIENT, "CHATSOAK_TARGET_SEND_P95_MS": "600"}


@contextmanager
def held_to_a_quarter(pid: int, runs_s: float = RUNS_S, stands_s: float = STANDS_S) -> Iterator[None]:
    """The process runs for a quarter of the time."""
    over = threading.Event()

    def hold() -> None:
        while not over.is_set():
            os.kill(pid, signal.SIGSTOP)
            over.wait(stands_s)
            os.kill(pid, signal.SIGCONT)
            over.wait(runs_s)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()


def test_a_generator_that_is_held_up_is_inconclusive_and_no_failure_of_the_server(
    stage: RunningStage, tmp_path: Path
) -> None:
    settings = settings_for(stage, **TARGETS)
    with Soak(tmp_path, "--host", stage.app_url, *LOAD, environment=settings) as running:
        running.wait_for_load()
        with held_to_a_quarter(running.process.pid):
            running.wait_until("the end of the load", lambda: "the load stops" in running.output())
        ended = running.end()
    assert ended.code == 3, ended.output
    assert observed(ended, "latency.send.p95") >= 600, "it was not held up enough to tell"
    holds(ended.verdict, "GeneratorHeld")
    (healthy,) = (one for one in ended.verdict["criteria"] if one["id"] == "generator.healthy")
    assert "load process" in healthy["reason"]
    assert "local cannot keep up: its event loop stood still" in ended.output
    assert "generator.healthy" in ended.report
    expectations.write((running.reports / "latest").resolve(), outcomes("GeneratorHeld"))


@pytest.mark.parametrize("times", [1.0, 0.1], ids=["each-second", "each-100-ms"])
def test_one_that_is_held_up_where_no_latency_shows_it_is_inconclusive(
    stage: RunningStage, tmp_path: Path, times: float
) -> None:
    """In a closed workload the kernel says when answers came: users who stand still only send less."""
    settings = settings_for(stage, **TARGETS)
    with Soak(tmp_path, "--host", stage.app_url, *CLOSED, environment=settings) as running:
        running.wait_for_load()
        with held_to_a_quarter(running.process.pid, times * RUNS_S, times * STANDS_S):
            running.wait_until("the end of the load", lambda: "the load stops" in running.output())
        ended = running.end()
    assert ended.code == 3, ended.output
    holds(ended.verdict, "GeneratorHeldInClosedWorkload")
    (healthy,) = (one for one in ended.verdict["criteria"] if one["id"] == "generator.healthy")
    assert "users sent less than they would have" in healthy["reason"]
    assert "load process" in healthy["reason"]
    assert "local cannot keep up: its event loop stood still" in ended.output
    expectations.write((running.reports / "latest").resolve(), outcomes("GeneratorHeldInClosedWorkload"))


def test_the_same_run_with_a_free_generator_passes(stage: RunningStage, tmp_path: Path) -> None:
    settings = settings_for(stage, **TARGETS)
    with Soak(tmp_path, "--host", stage.app_url, *LOAD, environment=settings) as running:
        clean_but(running.end(), set())
