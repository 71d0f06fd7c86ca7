"""What whole runs have in common: how they are set up, what is done to them, and how they are looked at from outside."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

from analysis.record import iter_batches, monitor_folders
from analysis.record.tables import POLLS
from tests.locustfiles.soaks import Ended, Soak, describe, query
from tests.staging.stages import PASSWORD, RunningStage

# How fast a shared machine is, is no part of a promise that is not about latency.
PATIENT = {
    "CHATSOAK_TARGET_SEND_AVG_MS": "9000",
    "CHATSOAK_TARGET_SEND_P95_MS": "9000",
    "CHATSOAK_TARGET_DELIVERY_P95_MS": "20000",
}
# In a run of seconds, too, every criterion has something to check: by the shares of a long run it might be nothing.
SHORT = {"CHATSOAK_REPEAT_SHARE": "0.3", "CHATSOAK_HISTORY_SHARE": "0.2", "CHATSOAK_OUTSIDER_SHARE": "0.2"}
# A server that was away answers some sends with errors: that is said, and is no part of promises about it.
FORGIVING = {"CHATSOAK_TARGET_ERRORS_SHARE": "0.9", "CHATSOAK_HEARTBEAT_S": "2"}


def settings_for(stage: RunningStage, **settings: str) -> dict[str, str]:
    """The environment of a run on this stage."""
    # Several stages share a database, and each has a key of its own to derive passwords from; people of these runs
    # alone have this password, whatever other tests do with the same stage.
    own = {
        **PATIENT,
        **SHORT,
        "CHATSOAK_PASSWORD": PASSWORD,
        "CHATSOAK_PERSON_EMAIL": "adversary+{n}@example.com",
    }
    return {**describe(stage), **own, **settings}


def clean_but(ended: Ended, broken: set[str]) -> None:
    """Exactly these criteria failed, everything else passed, and everything was checked."""
    assert ended.verdict, ended.output
    outcomes = {one["id"]: one["outcome"] for one in ended.verdict["criteria"]}
    said = described(ended.verdict)
    assert {name for name, outcome in outcomes.items() if outcome == "fail"} == broken, said
    assert {name for name, outcome in outcomes.items() if outcome == "inconclusive"} == set(), said
    assert ended.code == (1 if broken else 0)
    assert ended.told_in_vain() == []


def described(verdict: Mapping[str, Any]) -> str:
    """What did not pass, for a person."""
    return json.dumps(
        [
            (one["id"], one["outcome"], one["reason"], one["examples"][:3])
            for one in verdict["criteria"]
            if one["outcome"] != "pass"
        ],
        indent=1,
    )


def observed(ended: Ended, criterion: str) -> Any:
    """The figure of a criterion."""
    (one,) = (one for one in ended.verdict["criteria"] if one["id"] == criterion)
    return one["observed"]


# What goes on


def messages_stored(stage: RunningStage, running: Soak) -> int:
    """How many messages of the run there are."""
    statement = "select count(*) from chat_messages where chat_id = any($1::uuid[])"
    return int(query(stage, statement, running.chats())[0]["count"])


def wait_for_messages(running: Soak, stage: RunningStage, count: int) -> None:
    """Until so many messages of the run are stored."""
    running.wait_until(f"{count} messages", lambda: messages_stored(stage, running) >= count)


def wait_for_more(running: Soak, stage: RunningStage, count: int = 15) -> None:
    """Until so many messages more than now are stored: the run goes on."""
    wait_for_messages(running, stage, messages_stored(stage, running) + count)


def let_pass(running: Soak, seconds: float, what: str) -> None:
    """So much time, in which something has to last, while the run goes on."""
    until_s = time.monotonic() + seconds
    running.wait_until(what, lambda: time.monotonic() > until_s)


def polls_of(running: Soak) -> list[dict[str, Any]]:
    """The monitors' looks at the database so far, as they are written down."""
    folders = [path for run in running.reports.glob("2*") for path in monitor_folders(run)]
    return [
        row for path in folders for batch in iter_batches(path, "polls", POLLS) for row in batch.to_pylist()
    ]


def children(running: Soak, what: Callable[[list[str]], bool]) -> list[psutil.Process]:
    """The processes below Locust's whose command line `what` recognises."""
    found = []
    for one in psutil.Process(running.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it may end at any moment
            if what(one.cmdline()):
                found.append(one)
    return found


# PostgreSQL


def kill_postgresql(stage: RunningStage) -> None:
    """Kill one of its processes so that all others end at once too, as if its power were cut; it comes back by itself."""
    statement = "select pid from pg_stat_activity where backend_type = 'checkpointer'"
    os.kill(query(stage, statement)[0]["pid"], signal.SIGKILL)


def answers(stage: RunningStage) -> bool:
    try:
        return bool(query(stage, "select not pg_is_in_recovery() as up")[0]["up"])
    except Exception:  # noqa: BLE001 - it may refuse in many ways while it comes back
        return False


class Postmaster:
    """The first process of a stage's PostgreSQL: killed, it takes all others with it, and nobody starts it again but us.

    The stage has to keep its data in a folder: otherwise that goes with the server.
    """

    def __init__(self, stage: RunningStage) -> None:
        folder = Path(query(stage, "show data_directory")[0]["data_directory"])
        self._stage = stage
        self._old = psutil.Process(int((folder / "postmaster.pid").read_text().split()[0]))
        self._command, self._home = self._old.cmdline(), self._old.cwd()
        self._user, self._group = self._old.uids().real, self._old.gids().real
        self._new: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        """`kill -9`, and until it is gone."""
        self._old.kill()
        self._old.wait(10)

    def is_back(self) -> bool:
        """Whether PostgreSQL answers again; starts it as often as it refuses, which it does until all of the old are gone."""
        if self._new is None or self._new.poll() is not None:
            self._new = subprocess.Popen(
                self._command,
                cwd=self._home,
                user=self._user,
                group=self._group,
                extra_groups=[],
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        return answers(self._stage)

    def stop(self) -> None:
        """End the one that we have started."""
        if self._new is not None:
            self._new.send_signal(signal.SIGINT)  # fast
            self._new.wait(20)
