"""Promise: Locust is told of a send what will be judged of it: how long it took, or how long somebody waited who came when it was due;
and of a page the record keeps what it showed."""

import time
import unicodedata
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import orjson
import pytest
from locust.stats import RequestStats

from analysis.record.codes import PagePurpose, Status
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
    recorded: Recorded, workload: Workload, script: object = acknowledging, **settings_: str
) -> Iterator[MessagesClient]:
    with serving(script) as server:  # type: ignore[arg-type]
        settings = Settings(
            _env_file=None,
            next_public_supabase_url=server.url,
            next_public_supabase_anon_key="anon",
            supabase_service_role_key="service",
            database_url="postgresql://localhost/none",
            chatsoak_workload=workload,
            **settings_,
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


COMPOSED = unicodedata.normalize("NFC", "Ça va, hôtel ? 👋🏽")
# As a row of the database has them, and what no app should show.
SHOWN = [
    {"id": "a", "seq": 5, "message_text": COMPOSED, "status": "read"},
    {"id": "b", "seq": 4, "message_text": unicodedata.normalize("NFD", COMPOSED), "status": "pending"},
    {"id": "c", "seq": 3, "message_text": "", "status": None},
    {"id": "d", "seq": 2, "message_text": None, "status": 1},
    {"id": "e", "seq": 1, "message_text": ["no text"], "status": ["sent"]},
    {"id": "f", "seq": 0, "text": "in another field", "state": "sent"},
]


def read(recorded: Recorded, shown: object, **settings: str) -> tuple[list[int | None], list[Status | None]]:
    """The checksums and statuses that the record has of a page that was answered so."""

    def script(connection: Connection) -> None:
        while connection.request() is not None:
            connection.answer(orjson.dumps(shown))

    with client_of(recorded, Workload.CLOSED, script, **settings) as client:
        client.history(CHAT, None, 9, PagePurpose.BROWSE, 1)
    (row,) = recorded.rows("pages")
    return row["text_crc32s"], row["statuses"]


def test_texts_and_statuses_of_a_page_are_recorded_as_they_were_shown(recorded: Recorded) -> None:
    composed, decomposed = (
        zlib.crc32(unicodedata.normalize(form, COMPOSED).encode()) for form in ("NFC", "NFD")
    )
    texts, statuses = read(recorded, SHOWN)
    assert texts == [composed, decomposed, zlib.crc32(b""), None, None, None]
    assert statuses == [Status.READ, Status.OTHER, Status.NULL, Status.OTHER, Status.OTHER, None]


def test_their_fields_have_the_names_of_the_settings(recorded: Recorded) -> None:
    texts, statuses = read(recorded, SHOWN[-2:], chatsoak_answer_text="text", chatsoak_answer_status="state")
    assert texts == [None, zlib.crc32(b"in another field")]
    assert statuses == [None, Status.SENT]


def test_what_an_app_is_said_not_to_tell_is_not_known(recorded: Recorded) -> None:
    found = read(recorded, SHOWN, chatsoak_answer_text="", chatsoak_answer_status="")
    assert found == ([None] * len(SHOWN), [None] * len(SHOWN))


def test_rest_tells_them_by_the_names_of_the_columns(recorded: Recorded) -> None:
    texts, statuses = read(
        recorded,
        SHOWN[:1],
        chatsoak_transport="rest",
        chatsoak_answer_text="body",
        chatsoak_answer_status="state",
    )
    assert (texts, statuses) == ([zlib.crc32(COMPOSED.encode())], [Status.READ])
