"""Promise: the order of messages is judged across machines, by offsets of their clocks that the run itself measured."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.checks import order
from analysis.checks.account import NEVER, account_for
from analysis.clocks import Clocks
from analysis.evidence import Evidence, read_evidence
from tests.locustfiles.soaks import BUSY, Soak, describe
from tests.staging.stages import ROOT, RunningStage

pytestmark = pytest.mark.long

# Of the leader's monotonic clock; the first process has the leader's own. No clock may show a time before this machine
# was started, so that on one that has just been started there is not much to be behind by.
AHEAD_S = (0, 100_000, -min(30_000, int(time.monotonic()) // 2))
UNSHARE = ("unshare", "--time", "--monotonic")


def may_have_clocks_of_their_own() -> bool:
    """Whether this machine lets us make time namespaces: Linux 5.6 and the right to."""
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*UNSHARE, "1", "true"], check=False, capture_output=True).returncode == 0


@contextmanager
def worker(folder: Path, port: int, ahead_s: int, environment: dict[str, str]) -> Iterator[None]:
    """A load process whose monotonic clock shows another time, as on another machine."""
    with (folder / f"worker{ahead_s}.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *((*UNSHARE, str(ahead_s), "--fork", "--kill-child") if ahead_s else ()),
                *(sys.executable, "-m", "locust", "-f", "locustfiles/chat.py", "--worker", "--master-port", str(port)),
            ],
            cwd=ROOT,
            env={**os.environ, **BUSY, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        yield
        assert process.wait(30) == 0, (folder / f"worker{ahead_s}.log").read_text()
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not may_have_clocks_of_their_own(), reason="no time namespaces here (unshare --time)")
def test_a_run_of_three_machines(stage: RunningStage, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**describe(stage), "CHATSOAK_REPORTS_DIR": str(tmp_path / "reports")}
    options = (
        *(
            "--master",
            "--master-bind-port",
            str(port),
            "--expect-workers",
            str(len(AHEAD_S)),
            "--host",
            stage.app_url,
        ),
        *("--users", "16", "--spawn-rate", "16", "--run-time", "20s"),
    )
    with Soak(tmp_path, *options, environment=environment) as soak, ExitStack() as workers:
        for ahead_s in AHEAD_S:
            workers.enter_context(worker(tmp_path, port, ahead_s, environment))
        ended = soak.end()
    assert ended.code == 0, ended.output
    (judged,) = (one for one in ended.verdict["criteria"] if one["id"] == "seq.order")
    assert judged["checked"] > 100
    assert "own_clock_only" not in judged["facts"]

    evidence = read_evidence((tmp_path / "reports" / "latest").resolve())
    ahead_ns = check_offsets(evidence)
    check_that_a_swap_is_noticed(evidence, ahead_ns)


def check_offsets(evidence: Evidence) -> dict[int, int]:
    """The measured offsets are right: how far the leader's clock is really ahead of each other one."""
    clocks = Clocks.of(evidence)
    assert len({part.clock for part in evidence.parts} | {evidence.database.clock}) == len(AHEAD_S)
    assert len(clocks.offsets) == len(AHEAD_S) - 1
    ahead_ns = {clocks.leader: 0}
    for clock, offset in clocks.offsets.items():
        assert len(offset.at_ns) >= 3  # at the begin, in between, at the end
        (ahead_s,) = (one for one in AHEAD_S[1:] if abs(one * 10**9 + offset.least_ns[0]) < 10**9)
        assert (offset.least_ns <= -ahead_s * 10**9).all()
        assert (offset.most_ns >= -ahead_s * 10**9).all()
        assert (offset.most_ns - offset.least_ns).max() < 10**8
        ahead_ns[clock] = -ahead_s * 10**9
    return ahead_ns


def check_that_a_swap_is_noticed(evidence: Evidence, ahead_ns: dict[int, int]) -> None:
    """Two messages of different machines, one sent long after the other was acknowledged, change their numbers."""
    account = account_for(evidence)
    assert order.order(account).observed == 0
    sent = account.operations.merge(
        account.rows[["operation", "seq"]].rename(columns={"seq": "stored"}),
        left_index=True,
        right_on="operation",
    )
    offset = sent["clock"].map(ahead_ns)
    sent = sent.assign(left=sent["left_ns"] + offset, told=sent["acknowledged_ns"] + offset)
    pairs = sent.merge(sent.assign(stored=sent["stored"] - 1), on=["chat_id", "stored"])
    apart = pairs[
        (pairs["clock_x"] != pairs["clock_y"])
        & (pairs["acknowledged_ns_x"] != NEVER)
        & (pairs["left_y"] > pairs["told_x"] + 3 * 10**8)
    ]
    assert len(apart), "nobody wrote after somebody on another machine"
    swapped = with_numbers_changed(
        evidence, *(int(apart.iloc[0][name]) for name in ("message_id_x", "message_id_y"))
    )
    found = order.order(account_for(swapped))
    assert found.observed == 1
    assert found.examples[0].seq == apart.iloc[0]["stored"]
    assert "sent at least " in found.examples[0].why
    unmeasured = replace(swapped, clocks=evidence.clocks.iloc[:0])
    assert order.order(account_for(unmeasured)).observed == 0


def with_numbers_changed(evidence: Evidence, first: int, second: int) -> Evidence:
    """As if each of two messages had been given the other one's seq: by the answers and by every look."""

    def changed(table: pd.DataFrame) -> pd.DataFrame:
        message, seq = table["message_id"].to_numpy(), table["seq"].to_numpy().copy()
        places = [np.flatnonzero((message == one) & (seq >= 0)) for one in (first, second)]
        numbers = [seq[of_one[0]] for of_one in places]
        for of_one, number in zip(places, numbers[::-1], strict=True):
            seq[of_one] = number
        return table.assign(seq=seq)

    return replace(
        evidence,
        rows=changed(evidence.rows),
        sends=changed(evidence.sends),
        observations=changed(evidence.observations),
    )
