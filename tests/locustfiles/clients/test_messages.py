"""Promise: Locust is told of a send what will be judged of it: how long it took, or how long somebody waited who came when it was due."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from locust.stats import RequestStats

from analysis.record.codes import PagePurpose
from analysis.settings import Settings, Workload
from locustfiles.clients.http import HttpClient
from locustfiles.clients.messages import MessagesClient
from locustfiles.clients.session import Session
from locustfiles.run.live import Live
from tests.locustfiles.clients.recorded import Recorded
from tests.locustfiles.clients.scripted import Connection, serving

CHAT, PERSON = (str(uuid.UUID(int=number)) for number in (1, 2))
HELD_UP_S = 14  # between due and left
STORED = b'{"id": "0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21", "seq": 1}'


def acknowledging(connection: Connection) -> None:
    """Answers each send at once."""
    while connection.request() is not None:
        connection.answer(STORED, 201)


def refusing(connection: Connection) -> None:
    """Has no answer for any."""
    while connection.request() is not None:
        connection.answer(b"{}", 500)


@contextmanager
def client_of(
    recorded: Recorded, workload: Workload, script: object = acknowledging
) -> Iterator[MessagesClient]:
    with serving(script) as server:  # type: ignore[arg-type]
        settings = Settings(
            _env_file=None,
            next_public_supabase_url=server.url,
            next_public_supabase_anon_key="anon",
            supabase_service_role_key="service",
            database_url="postgresql://localhost/none",
            chatsoak_workload=workload,
        )
        http = HttpClient(server.url, 5.0)
        session = Session(PERSON, "token", "", time.monotonic() + 3600, {})
        try:
            yield MessagesClient(settings, server.url, session, recorded.ledger, http)
        finally:
            http.close()


def told_ms(recorded: Recorded) -> float:
    """What Locust was told of the one send."""
    ((method, _, elapsed_ms, _),) = recorded.requests
    assert method == "POST"
    assert elapsed_ms is not None
    return elapsed_ms


def send(client: MessagesClient, late_s: float = HELD_UP_S) -> None:
    client.send(CHAT, "Hello", str(uuid.uuid4()), time.monotonic_ns() - round(late_s * 1e9))


@pytest.mark.parametrize("script", [acknowledging, refusing])
def test_in_an_open_workload_who_waits_since_it_was_due_is_told(recorded: Recorded, script: object) -> None:
    with client_of(recorded, Workload.OPEN, script) as client:
        send(client)
    (row,) = recorded.rows("sends")
    assert told_ms(recorded) == (row["answered_ns"] - row["due_ns"]) / 1e6 >= HELD_UP_S * 1000


def test_in_a_closed_workload_the_service_time_is_told(recorded: Recorded) -> None:
    with client_of(recorded, Workload.CLOSED) as client:
        send(client)
    (row,) = recorded.rows("sends")
    assert told_ms(recorded) == (row["answered_ns"] - row["left_ns"]) / 1e6 < HELD_UP_S * 1000


@pytest.mark.parametrize(("workload", "alarming"), [(Workload.OPEN, True), (Workload.CLOSED, False)])
def test_the_live_line_shows_what_is_judged(recorded: Recorded, workload: Workload, alarming: bool) -> None:
    with client_of(recorded, workload) as client:
        send(client)
    ((_, name, elapsed_ms, _),) = recorded.requests
    stats = RequestStats()
    stats.log_request("POST", name, elapsed_ms, 0)
    (p95,) = (piece for piece in Live().pieces(name, stats, 0, 5_000) if piece.text.startswith("P95"))
    assert p95.alarming is alarming
    if alarming:
        assert p95.text == "P95 ~14,000 of 5,000 ms"


def test_other_calls_are_told_from_when_they_left(recorded: Recorded) -> None:
    with client_of(recorded, Workload.OPEN) as client:
        client.latest_seq(CHAT)
    assert 0 <= told_ms(recorded) < HELD_UP_S * 1000


def test_what_was_answered_vouches_for_what_events_will_show(recorded: Recorded) -> None:
    with client_of(recorded, Workload.CLOSED) as client:
        send(client)
    assert recorded.ledger.watch.answered.told("0f5f2a3e-7d0c-4b0e-8a83-0b8d3a4f6c21", CHAT, 1)


def test_a_page_of_history_that_contradicts_itself_is_noticed(recorded: Recorded) -> None:
    message = STORED.decode()

    def repeating(connection: Connection) -> None:
        while connection.request() is not None:
            connection.answer(f"[{message}, {message}]".encode())

    with client_of(recorded, Workload.CLOSED, repeating) as client:
        page = client.history(CHAT, None, 5, PagePurpose.BROWSE, 1)
    assert len(page.messages) == 2
    (said,) = recorded.ledger.watch.notices.take(0.0)
    assert said["finding"]["criterion"] == "history.pages"
    assert said["finding"]["recipient_id"] == PERSON
