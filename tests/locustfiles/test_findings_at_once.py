"""Promise: what the monitor and the load processes can tell at once stands on the terminal, and on Locust's page, before it has looked a third time.

Each fault is done by hand in one transaction, and its time is the database's; a line of the log has its time, and the page is
asked for its own when it shows the finding. The looks in between are those of the monitor's record.
"""

import asyncio
import re
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest
from playwright.sync_api import sync_playwright

from analysis.evidence import read_evidence
from analysis.monitor.findings import JUDGED
from analysis.record.codes import EventType
from tests.browsers import CHROMIUM, FLAGS
from tests.locustfiles.soaks import BY_LOAD, PATIENCE_S, Soak, describe, query
from tests.staging.stages import ROOT, RunningStage, running_stage

pytestmark = pytest.mark.long

MOST_LOOKS = 2
LOAD = ("--users", "10", "--spawn-rate", "10", "--run-time", "5m")
# Locust's page asks every 2 s for what is new, whatever the monitor does.
LOOKS_ON_THE_PAGE_S = "3"

PREPARATIONS = ("repeat_seq_rate_prepare", "status_invalid_rate_prepare")
READ = "select id from chat_messages where status = 'read' and chat_id = any($1::uuid[]) limit 5"
NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint"
STRIKES = {
    "messages.lost": "delete from chat_messages where id = '{id}'",
    "seq.missing": "update chat_messages set seq = null where id = '{id}'",
    "seq.duplicates": (
        "update chat_messages m set seq = (select max(seq) from chat_messages n where n.chat_id = m.chat_id "
        "and n.id <> m.id) where id = '{id}'"
    ),
    "status.invalid": "update chat_messages set status = 'seen' where id = '{id}'",
    "status.regressed": "update chat_messages set status = 'sent' where id = '{id}'",
}
# Else the next receipt in the chat would mend the statuses before anybody has looked.
KEEP = (
    "create function keep() returns trigger language plpgsql as 'begin return null; end'",
    "create trigger keep before update on chat_messages for each row when (old.id in ({ids})) execute function keep()",
)


@pytest.fixture
def own() -> Iterator[RunningStage]:
    """A stage whose database is spoilt afterwards."""
    with running_stage() as running:
        yield running


async def strike(stage: RunningStage, ids: list[uuid.UUID]) -> int:
    """Do every fault of `STRIKES` to one message each; the time right before they are committed, in us."""
    connection = await asyncpg.connect(stage.database_url)
    try:
        async with connection.transaction():
            for name in PREPARATIONS:
                await connection.execute((ROOT / "sql" / "staging" / "faults" / f"{name}.sql").read_text())
            for statement, message in zip(STRIKES.values(), ids, strict=True):
                await connection.execute(statement.format(id=message))
            for statement in KEEP:
                await connection.execute(statement.format(ids=", ".join(f"'{message}'" for message in ids)))
            struck_us: int = await connection.fetchval(NOW)
    finally:
        await connection.close()
    return struck_us


def struck(stage: RunningStage, running: Soak) -> tuple[int, list[uuid.UUID]]:
    """Strike once the monitor has seen that the messages were read; when, and which."""
    running.wait_for_load()
    found: list[uuid.UUID] = []

    def enough_were_read() -> bool:
        found[:] = [row["id"] for row in query(stage, READ, running.chats())]
        return len(found) == len(STRIKES)

    running.wait_until("messages that were read", enough_were_read)
    read_us = time.time_ns() // 1000
    running.wait_until(
        "two looks since", lambda: running.looks(read_us, time.time_ns() // 1000) >= MOST_LOOKS
    )
    return asyncio.run(strike(stage, found)), found


def logged(running: Soak, ids: list[uuid.UUID]) -> list[int]:
    """When each finding stood in the log, once all do.

    Of two messages with one seq the sentence begins with the one that the look had read later, which may be either
    where the look was the first to see the other.
    """
    told: list[int | None] = []

    def all_are_told() -> bool:
        told[:] = [
            running.logged_us(f"Monitor: Message {message}")
            or running.logged_us(f"same seq as message {message}")
            for message in ids
        ]
        return None not in told

    running.wait_until("every finding in the log", all_are_told)
    return [at_us for at_us in told if at_us is not None]


# What load processes notice: the environment errs all the time, and the record tells when.
NOTICED = {
    "realtime.duplicated": "realtime_duplicate_rate=0.05",
    "realtime.reordered": "realtime_reorder_rate=0.05",
    "access.denied": "access_open=1",
}
ABOUT = re.compile(r"[Mm]essage ([0-9a-f-]{36}), .*?(?:person|to) ([0-9a-f-]{36})")
OF_LOAD = {"CHATSOAK_OUTSIDER_SHARE": "0.5", "CHATSOAK_RECONNECT_SHARE": "0"}


@pytest.fixture
def erring() -> Iterator[RunningStage]:
    with running_stage(*NOTICED.values()) as running:
        yield running


def first_noticed(running: Soak) -> dict[str, str]:
    """The first sentence of each criterion of `NOTICED` in the log, once there is one of each."""
    found: dict[str, str] = {}

    def all_are_named() -> bool:
        for criterion, why in reversed(BY_LOAD.findall(running.output())):
            if ABOUT.search(why):
                found[criterion] = why
        return found.keys() >= NOTICED.keys()

    running.wait_until("a finding of each criterion", all_are_named)
    return found


def happened_us(run: Path, criterion: str, why: str) -> int:
    """When the wall clock showed what a sentence tells of: the latest event of its message to the person, or the answer."""
    record = read_evidence(run)
    clock = record.generator.iloc[0]
    message, person = re.findall(ABOUT, why)[0]
    if criterion == "access.denied":
        tried = record.attempts
        at_ns = tried[tried["message_id"].map(record.messages.text) == message]["answered_ns"].min()
    else:
        events = record.events[record.events["message_id"].map(record.messages.text) == message]
        events = events[events["user_id"].map(record.people.text) == person]
        at_ns = events[events["type"] == EventType.INSERT]["received_ns"].max()
    return int(clock["wall_us"] + (at_ns - clock["at_ns"]) // 1000)


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one process", "two processes"])
def test_what_load_processes_notice_is_named_on_the_terminal(
    erring: RunningStage, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    environment = {**describe(erring), **OF_LOAD}
    with Soak(tmp_path, "--host", erring.app_url, *LOAD, *processes, environment=environment) as running:
        named = first_noticed(running)
        logged_us = {criterion: running.logged_us(why) for criterion, why in named.items()}
        running.interrupt()
        ended = running.end()
    (run,) = running.reports.glob("2*")
    for criterion in NOTICED:
        at_us, told_us = happened_us(run, criterion, named[criterion]), logged_us[criterion]
        assert told_us is not None
        assert running.looks(at_us, told_us) <= MOST_LOOKS, named[criterion]
    assert set(NOTICED) <= set(ended.failed())
    assert ended.told_in_vain() == []


def test_what_is_struck_here_is_told_at_once_and_the_rest_is_proved_at_the_monitor() -> None:
    """By rows alone; what takes the load's own word stands in tests/analysis/monitor/test_looks.py."""
    assert set(STRIKES) < set(JUDGED)


def test_on_the_terminal(own: RunningStage, tmp_path: Path) -> None:
    with Soak(tmp_path, "--host", own.app_url, *LOAD, environment=describe(own)) as running:
        struck_us, ids = struck(own, running)
        looks = [running.looks(struck_us, at_us) for at_us in logged(running, ids)]
        running.interrupt()
        ended = running.end()
    assert all(1 <= count <= MOST_LOOKS for count in looks), looks
    assert set(STRIKES) <= set(ended.failed())


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_on_locusts_page(own: RunningStage, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = {**describe(own), "CHATSOAK_MONITOR_INTERVAL_S": LOOKS_ON_THE_PAGE_S}
    way = ("--autostart", "--web-host", "127.0.0.1", "--web-port", port)
    with (
        Soak(tmp_path, "--host", own.app_url, *LOAD, environment=environment, way=way) as running,
        sync_playwright() as playwright,
    ):
        running.wait_for_load()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{port}")
        page.get_by_role("tab", name="chatsoak").click()
        with ThreadPoolExecutor(1) as elsewhere:  # Playwright's event loop is this thread's
            struck_us, ids = elsewhere.submit(struck, own, running).result()
        shown = page.wait_for_function(
            "ids => ids.every(id => document.body.innerText.includes(id)) && Date.now()",
            arg=[str(message) for message in ids],
            timeout=PATIENCE_S * 1000,
        )
        looks = running.looks(struck_us, shown.json_value() * 1000)
        browser.close()
        running.interrupt()
        ended = running.end()
    assert 1 <= looks <= MOST_LOOKS
    assert set(STRIKES) <= set(ended.failed())
