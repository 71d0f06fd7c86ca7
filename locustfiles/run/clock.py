"""How far apart this load process's clock and the leader's are, where they are on two machines: table ``clocks``.

Asked and answered by Locust's own messages. See `analysis.clocks` for what is made of it.
"""

import time
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event

from analysis.record import ProcessInfo

ASK = "chatsoak_clock_ask"  # worker → master: {"round": …}
TOLD = "chatsoak_clock_told"  # master → worker: {"round": …, "at_ns": …, "leader": its clock domain}
ROUNDS = 8  # of which the quickest is kept
EVERY_S = 10.0
ANSWER_S = 2.0


def tell(asked: dict[str, Any]) -> dict[str, Any]:
    """The leader's answer."""
    leader = ProcessInfo.here("leader").clock_domain
    return {"round": asked["round"], "at_ns": time.monotonic_ns(), "leader": leader}


class ClockWatch:
    """Measures in the background, from now until `stop`.

    Args:
        ask: sends a question to the leader.
        add: takes a row of table ``clocks``.
    """

    def __init__(self, ask: Callable[[dict[str, Any]], None], add: Callable[[tuple[Any, ...]], None]) -> None:
        self._ask = ask
        self._add = add
        self._round = 0
        self._left_ns = 0
        self._exchange: tuple[int, tuple[Any, ...]] | None = None  # its round trip, and what it says
        self._answered = Event()
        self._greenlet = gevent.spawn(self._watch)

    def hear(self, told: dict[str, Any]) -> None:
        """An answer has come."""
        now_ns = time.monotonic_ns()
        if told["round"] != self._round or self._answered.is_set():
            return
        took_ns = now_ns - self._left_ns
        middle_ns = self._left_ns + took_ns // 2
        error_ns = took_ns // 2 + 1  # and one for the rounding
        self._exchange = took_ns, (middle_ns, told["at_ns"] - middle_ns, error_ns, told["leader"])
        self._answered.set()

    def stop(self) -> None:
        """Measure a last time, as far as the leader still answers."""
        self._greenlet.kill()
        self._measure()

    def _watch(self) -> None:
        while True:
            self._measure()
            gevent.sleep(EVERY_S)

    def _measure(self) -> None:
        found: list[tuple[int, tuple[Any, ...]]] = []
        for _ in range(ROUNDS):
            self._round += 1
            self._exchange = None
            self._answered.clear()
            self._left_ns = time.monotonic_ns()
            self._ask({"round": self._round})
            self._answered.wait(ANSWER_S)
            if self._exchange is None:
                break
            found.append(self._exchange)
        if found:
            self._add(min(found)[1])
