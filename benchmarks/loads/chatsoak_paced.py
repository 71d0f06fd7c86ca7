"""chatsoak: sends on a schedule that does not wait for answers, as in an open workload; a record that can be judged."""

import os
import time
import uuid
from pathlib import Path
from random import Random
from typing import Any, ClassVar

import gevent
from locust import User, events, task
from locust.env import Environment
from locust.exception import StopUser

import benchmarks.loads.own_statistics  # noqa: F401 - listens
from analysis.rates import RateCurve
from analysis.record import Chat, Person, ProcessInfo, RecordWriter, Run
from analysis.record.process import KERNEL, READER
from analysis.record.tables import LOAD_TABLES
from analysis.settings import Settings
from benchmarks.loads.common import CHAT, PERSON, TEXT, TOKEN
from locustfiles.clients import HttpClient, Ledger, MessagesClient, Session
from locustfiles.clients.arrival import arrivals
from locustfiles.run.early import look_up_callers
from locustfiles.run.pulse import Departures, Pulse
from locustfiles.workload import OpenPace
from locustfiles.workload.alarm import Alarm
from locustfiles.workload.pace import evenly
from locustfiles.workload.slots import Slots

URL = os.environ["BENCH_URL"]
SETTINGS = Settings(
    _env_file=None,
    next_public_supabase_url=URL,
    next_public_supabase_anon_key="anon",
    supabase_service_role_key="service",
    database_url="postgresql://localhost/none",
)
RATE_PER_S = float(os.environ["BENCH_RATE"])
USERS = int(os.environ["BENCH_USERS"])
MAX_IN_FLIGHT = 4000
LAST_ANSWERS_S = 10.0


@events.init.add_listener
def _open_record(environment: Environment, **_: Any) -> None:
    folder = Path(os.environ["BENCH_RECORD"])
    folder.mkdir(parents=True)
    Run(
        run_id="accuracy",
        host=URL,
        embedded=False,
        settings={"CHATSOAK_WORKLOAD": "open", "CHATSOAK_WARMUP_S": "0"},
        versions={},
        people=[Person(PERSON, "chatsoak+1@example.com")],
        chats=[Chat(CHAT, "direct", (PERSON,), 1.0)],
        processes=["local"],
    ).write(folder)
    Sender.record = RecordWriter(
        folder / "record" / "local",
        LOAD_TABLES,
        ProcessInfo.here("local", KERNEL if arrivals() is not None else READER),
    )
    look_up_callers()
    Sender.lane = Slots(MAX_IN_FLIGHT, Sender.record.adder("slots_taken"))
    Sender.pulse = Pulse(Sender.record, lambda: USERS, _departures)
    Sender.ledger = Ledger(Sender.record, environment.events.request.fire)


def _departures() -> Departures:
    lane = Sender.lane
    return Departures(
        lane.take_latest_ns() / 1e6, lane.in_flight, lane.take_longest_wait_ns() / 1e6, lane.overflow
    )


@events.test_stopping.add_listener
def _close_record(**_: Any) -> None:
    """Before Locust ends its users and prints its tables: answers on their way must not wait for that."""
    Sender.stopping = True
    with gevent.Timeout(LAST_ANSWERS_S):
        while Sender.under_way:
            gevent.sleep(0.01)
    Sender.pulse.stop()
    Sender.record.close()


class Sender(User):
    """Has one message after the other sent when it is due."""

    record: ClassVar[RecordWriter]
    pulse: ClassVar[Pulse]
    ledger: ClassVar[Ledger]
    lane: ClassVar[Slots]
    rng: ClassVar[Random] = Random(1)
    alarm: ClassVar[Alarm] = Alarm()
    under_way: ClassVar[int] = 0
    stopping: ClassVar[bool] = False

    def on_start(self) -> None:
        supabase = HttpClient(URL, SETTINGS.chatsoak_request_timeout_s)
        session = Session(PERSON, TOKEN, "", time.monotonic() + 3600, {})
        self.messages = MessagesClient(SETTINGS, URL, session, self.ledger, supabase)
        rate = RateCurve(((0.0, RATE_PER_S / USERS),))
        self.pace = OpenPace(rate, time.monotonic_ns(), evenly(self.rng.random()))
        self.due_ns = time.monotonic_ns()

    def wait_time(self) -> float:
        self.due_ns = self.pace.next_due_ns(time.monotonic_ns())
        self.alarm.wait_until(self.due_ns)
        return 0.0

    @task
    def send(self) -> None:
        if self.stopping:
            raise StopUser
        due_ns = self.due_ns
        self.lane.carry_out(lambda: self._send(due_ns), due_ns)

    def _send(self, due_ns: int) -> None:
        Sender.under_way += 1
        try:
            self.messages.send(CHAT, TEXT, str(uuid.uuid4()), due_ns)
        finally:
            Sender.under_way -= 1
