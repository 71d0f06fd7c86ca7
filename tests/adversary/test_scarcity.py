"""Promise: without room on the disk, or a connection to the database, nothing recorded is lost, and nobody is blamed for it."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from analysis.record.codes import PollKind
from tests.adversary import expectations
from tests.adversary.hoarder import NAME, Hoarder
from tests.adversary.whole_runs import (
    FORGIVING,
    clean_but,
    described,
    let_pass,
    polls_of,
    settings_for,
    wait_for_messages,
    wait_for_more,
)
from tests.adversary.world import holds, outcomes
from tests.locustfiles.soaks import Soak
from tests.staging.stages import ROOT, RunningStage, running_stage

pytestmark = pytest.mark.long

LOAD = ("--users", "12", "--spawn-rate", "12")
DISK_BYTES = 4_000_000
FILE_BYTES = 60_000
FILLER = "everything else"


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def soak(folder: Path, stage: RunningStage, *options: str, **settings: str) -> Soak:
    environment = settings_for(stage, **FORGIVING, **settings)
    return Soak(folder, "--host", stage.app_url, *LOAD, *options, environment=environment)


def may_mount() -> bool:
    """Whether we are allowed to make a file system of our own: not every root is."""
    probe = ["/usr/bin/unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return os.geteuid() == 0 and subprocess.run(probe, check=False, capture_output=True).returncode == 0


class FullFileSystem:
    """The folder of reports is a file system of its own, so small that a file of ours fills it."""

    fault = "DiskFull"

    def __init__(self, reports: Path) -> None:
        self._reports = reports

    def __enter__(self) -> "FullFileSystem":
        self._reports.mkdir()
        options = ["-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs"]
        subprocess.run(["/usr/bin/mount", *options, str(self._reports)], check=True)
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["/usr/bin/umount", "--lazy", str(self._reports)], check=True)

    def fill(self, running: Soak) -> None:
        """To the last byte."""
        with suppress(OSError), (self._reports / FILLER).open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))

    def make_room(self) -> None:
        """Somebody tidies up."""
        (self._reports / FILLER).unlink()


class SmallFiles:
    """Where no file system may be mounted: no file of the run may grow any further."""

    fault = "FilesLimited"

    def __init__(self, reports: Path) -> None:
        self._reports = reports

    def __enter__(self) -> "SmallFiles":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def fill(self, running: Soak) -> None:
        """Of Locust, and of what it starts later."""
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))

    def make_room(self) -> None:
        """Others may write as they like."""


def judged_by_hand(folder: Path) -> dict[str, Any]:
    """The verdict of `chatsoak report`, which has to be inconclusive."""
    command = [sys.executable, "-m", "analysis.cli", "report", str(folder), "--json"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert (done.returncode, verdict["outcome"]) == (3, "inconclusive"), described(verdict) + done.stderr
    return verdict


@pytest.mark.parametrize("disk", [FullFileSystem if may_mount() else SmallFiles], ids=lambda disk: disk.fault)
def test_the_disk_is_full(
    own: RunningStage, tmp_path: Path, disk: type[FullFileSystem] | type[SmallFiles]
) -> None:
    """What was written before stays readable."""
    with disk(tmp_path / "reports") as small:
        with soak(tmp_path, own, "--run-time", "120s") as running:
            running.wait_for_load()
            wait_for_messages(running, own, 40)
            let_pass(running, 2, "the record is flushed")
            small.fill(running)
            wait_for_more(running, own)
            running.interrupt()
            ended = running.end()
        assert ended.code == 3, ended.output
        assert "Traceback" not in ended.output, ended.output
        assert "Logging error" not in ended.output, ended.output
        (folder,) = running.reports.glob("2*")
        small.make_room()
        kept = shutil.copytree(folder, tmp_path / "kept")
    verdict = judged_by_hand(kept)
    assert verdict["counts"]["ok"] > 0
    holds(verdict, disk.fault)
    expectations.write(kept, outcomes(disk.fault))


def test_the_database_has_no_connection_left(own: RunningStage, tmp_path: Path) -> None:
    """Not even for its superuser; the monitor and half of the app lose what they have."""
    terminated = f"""
        select pg_terminate_backend(pid) from (
          select pid, application_name, row_number() over (partition by application_name order by pid) as place,
            count(*) over (partition by application_name) as many
          from pg_stat_activity where backend_type = 'client backend' and application_name <> '{NAME}'
        ) one
        where application_name = 'chatsoak-monitor' or (application_name = '' and place <= (many + 1) / 2)"""
    again = """
        select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'chatsoak-monitor' and backend_type = 'client backend'"""
    with soak(tmp_path, own, "--run-time", "120s", CHATSOAK_MONITOR_INTERVAL_S="0.3") as running:
        running.wait_for_load()
        wait_for_messages(running, own, 40)

        def refused() -> int:
            return sum("no connection left" in (poll["error"] or "") for poll in polls_of(running))

        cut = 1
        with Hoarder(own.database_url) as hoarder:
            assert len(hoarder.fetch(terminated)) >= 2

            def is_left_without() -> bool:
                """It may have been quicker than the hoarder to take a connection, and then keeps it."""
                nonlocal cut
                cut += len(hoarder.fetch(again))
                return refused() >= 2

            running.wait_until("two looks found no connection", is_left_without)
        wait_for_more(running, own)
        running.interrupt()
        ended = running.end()
    clean_but(ended, set())
    holds(ended.verdict, "NoConnectionLeft")
    kinds = [(poll["kind"] == PollKind.FAILED, poll["error"]) for poll in polls_of(running)]
    others = [error for failed, error in kinds if failed and "no connection left" not in error]
    assert len(others) <= cut, others  # looks that were under way when their connection was ended
    assert not kinds[-1][0], "it never recovered"
