"""chatsoak: its messages client in a Locust user, each send recorded and shown in Locust's statistics."""

import os
import time
import uuid
from pathlib import Path
from typing import Any, ClassVar

from locust import User, events, task
from locust.env import Environment

from analysis.record import ProcessInfo, RecordWriter
from analysis.record.tables import LOAD_TABLES
from analysis.settings import Settings
from benchmarks.loads.common import CHAT, PERSON, TEXT, TOKEN
from locustfiles.clients import HttpClient, Ledger, MessagesClient, Session
from locustfiles.run.pulse import Pulse


@events.init.add_listener
def _open_record(environment: Environment, **_: Any) -> None:
    record = RecordWriter(Path(os.environ["BENCH_RECORD"]), LOAD_TABLES, ProcessInfo.here("local"))
    Pulse(record, lambda: 50)
    Sender.ledger = Ledger(record, environment.events.request.fire)


class Sender(User):
    """Sends one message after another."""

    ledger: ClassVar[Ledger]

    def on_start(self) -> None:
        url = os.environ["BENCH_URL"]
        settings = Settings(
            _env_file=None,
            next_public_supabase_url=url,
            next_public_supabase_anon_key="anon",
            supabase_service_role_key="service",
            database_url="postgresql://localhost/none",
        )
        supabase = HttpClient(url, settings.chatsoak_request_timeout_s)
        session = Session(PERSON, TOKEN, "", time.monotonic() + 3600, {})
        self.messages = MessagesClient(settings, url, session, self.ledger, supabase)

    @task
    def send(self) -> None:
        self.messages.send(CHAT, TEXT, str(uuid.uuid4()), time.monotonic_ns())
