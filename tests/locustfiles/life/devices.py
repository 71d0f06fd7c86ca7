"""Devices on a stage, what their process wrote down of them, and what befalls them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gevent
import httpx
from locust.env import Environment

from analysis.record import Chat, Person, read_table
from analysis.record.codes import Outcome, SocketEvent
from analysis.record.tables import LOAD_TABLES
from analysis.settings import load
from locustfiles.clients.messages import Page
from locustfiles.life.device import Device
from locustfiles.run.assignment import Assignment
from locustfiles.run.load import Load
from tests.staging.stages import PASSWORD, RunningStage
from tests.staging.stages import Person as SignedIn

WAIT_S = 20.0


def wait_until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline, "never came to hold"
        gevent.sleep(0.02)


@contextmanager
def devices(stage: RunningStage, folder: Path, *people: SignedIn) -> Iterator[tuple[Load, str, list[Device]]]:
    """The devices of these people, signed in, and the one chat that they share."""
    chat_id = stage.chat(*people)
    ids = tuple(person.id for person in people)
    run = Load(
        Assignment(
            run_id="run",
            folder=str(folder),
            host=stage.app_url,
            process="load",
            share=0,
            shares=1,
            users=len(people),
            people=tuple(Person(person.id, person.email) for person in people),
            chats=(Chat(chat_id, "group", ids, 1.0),),
            settings={},
        ),
        load(
            Path("no such file"),
            {
                "next_public_supabase_url": stage.supabase_url,
                "next_public_supabase_anon_key": stage.anon_key,
                "supabase_service_role_key": stage.service_role_key,
                "database_url": stage.database_url,
                "chatsoak_password": PASSWORD,
                "chatsoak_drain_s": 1,
            },
        ),
    )
    environment = Environment()
    made = []
    for person in run.assignment.people:
        made.append(Device(run, person, environment, lambda _: None))
        made[-1].sign_in()
    try:
        yield run, chat_id, made
    finally:
        run.cease()
        run.drain()


def steps(run: Load, person: Person) -> list[tuple[SocketEvent, int, int | None]]:
    """The person's steps with their times and seqs."""
    run.record.flush()
    rows = read_table(run.record.folder, "sockets", LOAD_TABLES["sockets"]).table.to_pylist()
    mine = [row for row in rows if row["user_id"].hex() == person.id.replace("-", "")]
    return [(SocketEvent(row["event"]), row["at_ns"], row["seq"]) for row in mine]


def write(stage: RunningStage, sender: SignedIn, chat_id: str, count: int) -> None:
    for number in range(count):
        httpx.post(
            f"{stage.app_url}/api/messages",
            headers={"Authorization": f"Bearer {sender.token}"},
            json={"chatId": chat_id, "text": f"message {number}"},
        ).raise_for_status()


def read_seqs(run: Load) -> list[int]:
    """What stood on the pages that were read, page by page."""
    run.record.flush()
    pages = read_table(run.record.folder, "pages", LOAD_TABLES["pages"]).table.to_pylist()
    return [seq for page in pages for seq in page["seqs"] or ()]


@contextmanager
def history_refused(of: Device) -> Iterator[list[int | None]]:
    """Whatever this device asks of history is answered 503; the bounds that it asked for."""
    client, asked = of.messages, []
    history = client.history

    def refused(chat_id: str, before: int | None, *_: object) -> Page:
        asked.append(before)
        return Page(Outcome.INFO, (), 503, "Come back later")

    client.history = refused  # type: ignore[method-assign, assignment]
    try:
        yield asked
    finally:
        client.history = history  # type: ignore[method-assign]


def lose(stage: RunningStage, away: Device, sender: SignedIn, chat_id: str, count: int) -> None:
    """The server makes a subscription anew, and of what was written meanwhile no event comes."""
    before = away.memory[chat_id].seen
    arrived, away._socket._on_insert = away._socket._on_insert, lambda _: None  # type: ignore[union-attr]
    write(stage, sender, chat_id, count)
    gevent.sleep(1.0)
    away._socket._on_insert = arrived  # type: ignore[union-attr]
    assert away.memory[chat_id].seen == before
    away._gap(chat_id, before)
