"""Promise: what one worker was answered vouches for what another one has heard, and what a worker notices reaches the master."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from locust.rpc import Message

from locustfiles.clients.channel import TWICE, Wrong
from locustfiles.clients.events import Row
from locustfiles.clients.watch import Watch
from locustfiles.run.crew import Workers
from locustfiles.run.worker import Worker

CHAT, MINE = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


class Runner:
    """Locust's runner of a worker or the master, as far as messages go; `others` get what it sends."""

    def __init__(self) -> None:
        self.others: list[Runner] = []
        self._handlers: dict[str, Callable[..., None]] = {}

    def register_message(self, kind: str, handler: Callable[..., None], **_: Any) -> None:
        self._handlers[kind] = handler

    def send_message(self, kind: str, data: dict[str, Any]) -> None:
        for other in self.others:
            other._handlers[kind](None, Message(kind, data, "somebody"))  # type: ignore[no-untyped-call]


class Crowd:
    """A master and its workers, each with a watch of its own."""

    def __init__(self, workers: int) -> None:
        self.noticed: list[tuple[str, list[dict[str, Any]]]] = []
        master = Runner()
        Workers(master, lambda *_: None, lambda *said: self.noticed.append(said))  # type: ignore[arg-type]
        self.workers = []
        self.watches = [Watch() for _ in range(workers)]
        for watch in self.watches:
            runner = Runner()
            runner.others = [master]
            master.others.append(runner)
            worker = Worker(runner, None, lambda _: None, forked=False)  # type: ignore[arg-type]
            worker._load = SimpleNamespace(watch=watch)  # type: ignore[assignment]
            self.workers.append(worker)


def test_another_workers_answer_is_as_good_as_ones_own() -> None:
    crowd = Crowd(3)
    heard, _, sent = crowd.watches
    sent.answered.note(MINE, CHAT, 7)
    heard.event(Wrong(TWICE), Row(id=MINE, chat_id=CHAT, seq=7), "somebody")
    assert heard.notices.take(0.0) == []
    crowd.workers[0]._seek(heard.sought())
    heard.look_again()
    (said,) = heard.notices.take(0.0)
    assert said["finding"]["criterion"] == "realtime.duplicated"


def test_what_nobody_was_answered_stays_open() -> None:
    crowd = Crowd(2)
    heard, _ = crowd.watches
    heard.event(Wrong(TWICE), Row(id=MINE, chat_id=CHAT, seq=7), "somebody")
    crowd.workers[0]._seek(heard.sought())
    heard.look_again()
    assert heard.notices.take(0.0) == []


def test_what_a_worker_notices_reaches_the_master() -> None:
    crowd = Crowd(1)
    said = [{"finding": {"criterion": "history.pages", "why": "Twice."}}]
    crowd.workers[0]._tell_noticed("worker-0", said)
    assert crowd.noticed == [("worker-0", said)]
