"""Soaks for tests: the `locust` command as a user types it, against a staging environment that is there already."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

import asyncpg

from analysis.record import monitor_folder, read_table
from analysis.record.tables import DATABASE_TABLES
from tests.staging.stages import ROOT, RunningStage

PATIENCE_S = 180.0  # of a machine that is busy with other things

# A finding that a load process names, in the log.
BY_LOAD = re.compile(r"(?:local|worker-\d+), (\w+\.\w+): (.+)")

# Criteria that take ten minutes of load, and say so of the minute that tests last.
TOO_SHORT_FOR = {"drift.latency", "drift.database"}

# Much of everything in little time.
BUSY = {
    "CHATSOAK_WARMUP_S": "1",
    "CHATSOAK_THINK_TIME_S": "0.5",
    "CHATSOAK_REPEAT_SHARE": "0.2",
    "CHATSOAK_RECONNECT_SHARE": "0.02",
}


def describe(stage: RunningStage) -> dict[str, str]:
    """The stage as environment variables."""
    return {
        "NEXT_PUBLIC_SUPABASE_URL": stage.supabase_url,
        "NEXT_PUBLIC_SUPABASE_ANON_KEY": stage.anon_key,
        "SUPABASE_SERVICE_ROLE_KEY": stage.service_role_key,
        "DATABASE_URL": stage.database_url,
    }


@dataclass(frozen=True)
class Ended:
    """A soak that is over. `verdict` and `report` are empty when none was written."""

    code: int
    output: str
    verdict: dict[str, Any]
    report: str

    def told_by_load(self) -> list[tuple[str, str]]:
        """What load processes told while the run went on: criterion and sentence of each finding that they named."""
        return BY_LOAD.findall(self.output)

    def told_in_vain(self) -> list[tuple[str, str]]:
        """Those whose criterion did not fail in the end."""
        failed = self.failed()
        return [(criterion, why) for criterion, why in self.told_by_load() if criterion not in failed]

    def failed(self) -> list[str]:
        """Ids of the criteria that failed."""
        return [one["id"] for one in self.verdict["criteria"] if one["outcome"] == "fail"]


class Soak:
    """One `locust` process; killed with all it started when the block ends before it does.

    Args:
        way: options that say how Locust is run.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        environment: dict[str, str],
        patience_s: float = PATIENCE_S,
        way: Sequence[str] = ("--headless", "--only-summary"),
    ) -> None:
        self._patience_s = patience_s
        self.reports = folder / "reports"
        self._log = folder / "locust.log"
        with self._log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", "locustfiles/chat.py", *way, *options],
                cwd=ROOT,
                env={**os.environ, "CHATSOAK_REPORTS_DIR": str(self.reports), **BUSY, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip

    def __enter__(self) -> "Soak":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def output(self) -> str:
        """All that it printed so far."""
        return self._log.read_text()

    def wait_until(self, what: str, look: Callable[[], bool]) -> None:
        """Wait until `look` says yes, while the soak goes on. Bounded."""
        deadline = time.monotonic() + self._patience_s
        while not look():
            assert self.process.poll() is None, f"ended before {what}: {self.output()}"
            assert time.monotonic() < deadline, f"{what}: never; {self.output()}"
            time.sleep(0.05)

    def chats(self) -> list[str]:
        """Ids of the chats of the run, once it is prepared."""
        return [
            chat["id"]
            for run in self.reports.glob("2*/run.json")
            for chat in json.loads(run.read_text())["chats"]
        ]

    def wait_for_load(self) -> None:
        """Wait until everything is prepared and the load has begun."""
        self.wait_until("the load", lambda: "All users spawned" in self.output())

    def logged_us(self, words: str) -> int | None:
        """When `words` were first logged, by the wall clock; None as long as they were not."""
        for line in self.output().splitlines():
            if words in line and (said := re.match(r"\[([\d-]+ [\d:]+,\d+)\] ", line)):
                return round(datetime.strptime(said[1], "%Y-%m-%d %H:%M:%S,%f").timestamp() * 1e6)  # noqa: DTZ007
        return None

    def looks(self, after_us: int, until_us: int) -> int:
        """How many looks at the database the monitor has begun between these times of the wall clock."""
        (run,) = self.reports.glob("2*")
        polls = read_table(monitor_folder(run), "polls", DATABASE_TABLES["polls"], ["database_us"]).table
        return sum(after_us < at_us <= until_us for at_us in polls["database_us"].drop_null().to_pylist())

    def interrupt(self) -> None:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> Ended:
        """Wait for its end, and read what it left."""
        code = self.process.wait(self._patience_s)
        verdicts = sorted(self.reports.glob("2*/verdict.json"))
        if not verdicts:
            return Ended(code, self.output(), {}, "")
        report = verdicts[-1].with_name("report.html")
        text = report.read_text() if report.exists() else ""
        return Ended(code, self.output(), json.loads(verdicts[-1].read_text()), text)


def query(stage: RunningStage, statement: str, *arguments: object) -> list[asyncpg.Record]:
    """What a person at psql would get."""

    async def ask() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(stage.database_url)
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    return asyncio.run(ask())
