"""Promise: a load process that cannot keep up is not the server's failure, and a server that stalls is not its own.

A real schedule with real slots, alarm and pulse; in place of a server something that takes as long as it is told.
"""

import time
import uuid
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import gevent
import pytest

from analysis.evidence import read_evidence
from analysis.judge import judge_evidence
from analysis.rates import RateCurve
from analysis.record import Chat, Person, ProcessInfo, RecordWriter, Run
from analysis.record.codes import Outcome
from analysis.record.process import KERNEL
from analysis.record.tables import LOAD_TABLES
from locustfiles.run.pulse import Departures, Pulse
from locustfiles.workload import OpenPace
from locustfiles.workload.alarm import Alarm
from locustfiles.workload.pace import at_random
from locustfiles.workload.slots import Slots

NS_PER_S = 1_000_000_000
SECONDS = 6
FAST_S = 0.005
PERSON, CHAT = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


def busy(seconds: float) -> None:
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


class Generator:
    """One load process whose actions cost it `cost_s`, at `rate_per_s`; `served_s(left_s)` is what the server takes."""

    def __init__(
        self,
        folder: Path,
        *,
        slots: int,
        rate_per_s: float,
        cost_s: float,
        served_s: Callable[[float], float],
        users: int = 20,
    ) -> None:
        self.folder, self.cost_s, self.served_s = folder, cost_s, served_s
        Run(
            "saturated",
            "http://localhost",
            False,
            {"CHATSOAK_WORKLOAD": "open", "CHATSOAK_WARMUP_S": "0"},
            {},
            people=[Person(PERSON, "chatsoak+1@example.com")],
            chats=[Chat(CHAT, "direct", (PERSON,), 1.0)],
            processes=["local"],
        ).write(folder)
        self.record = RecordWriter(
            folder / "record" / "local", LOAD_TABLES, ProcessInfo.here("local", KERNEL)
        )
        self.add = self.record.adder("sends")
        self.alarm, self.slots = Alarm(), Slots(slots, self.record.adder("slots_taken"))
        self.begin_ns = time.monotonic_ns()
        self.over = False
        rate = RateCurve(((0.0, rate_per_s / users),))
        self.paces = [OpenPace(rate, self.begin_ns, at_random(Random(number))) for number in range(users)]
        self.never_left = 0

    def run(self) -> dict[str, dict[str, Any]]:
        """Make the load, judge it, and return the criteria."""
        pulse = Pulse(self.record, lambda: len(self.paces), self._departures)
        users = [gevent.spawn(self._act_by, pace) for pace in self.paces]
        gevent.sleep(SECONDS)
        self.over = True
        self.never_left += sum(pace.behind(time.monotonic_ns()) for pace in self.paces)
        gevent.sleep(0.1)
        gevent.killall(users)
        pulse.stop()
        self.alarm.close()
        self.record.close()
        verdict = judge_evidence(read_evidence(self.folder), lambda _: None).verdict
        return {one["id"]: one for one in verdict["criteria"]}

    def _departures(self) -> Departures:
        slots = self.slots
        waited_ms = slots.take_longest_wait_ns() / 1e6
        return Departures(
            slots.take_latest_ns() / 1e6, slots.in_flight, waited_ms, slots.overflow, self.never_left
        )

    def _act_by(self, pace: OpenPace) -> None:
        while not self.over:
            due_ns = pace.next_due_ns(time.monotonic_ns())
            self.alarm.wait_until(due_ns)
            if not self.over:
                self.slots.carry_out(lambda due_ns=due_ns: self._send(due_ns), due_ns)  # type: ignore[misc]

    def _send(self, due_ns: int) -> None:
        busy(self.cost_s / 2)
        left_ns = time.monotonic_ns()
        took_s = self.served_s((left_ns - self.begin_ns) / NS_PER_S)
        gevent.sleep(took_s)
        came_ns = left_ns + round(took_s * NS_PER_S)  # as the kernel would say
        busy(self.cost_s / 2)
        if not self.over:
            answered = (Outcome.OK, 201, str(uuid.uuid4()), None, "", None)
            self.add((PERSON, CHAT, str(uuid.uuid4()), 0, due_ns, left_ns, came_ns, *answered))


@pytest.mark.long
@pytest.mark.parametrize("slots", [64, 4000])
def test_a_saturated_process_is_inconclusive_and_no_failure_of_the_server(tmp_path: Path, slots: int) -> None:
    # half as much again as one core can do, by callbacks so short that no beat is late
    generator = Generator(
        tmp_path, slots=slots, rate_per_s=10_000, cost_s=0.00015, served_s=lambda _: FAST_S, users=50
    )
    found = generator.run()
    healthy = found["generator.healthy"]
    assert found["latency.send.p95"]["observed"] >= 500, "it was not loaded enough to tell"
    assert [found[name]["outcome"] for name in ("latency.send.avg", "latency.send.p95")] == [
        "inconclusive"
    ] * 2
    assert healthy["outcome"] == "inconclusive", healthy
    assert "`latency.send.p95` is not to be believed" in healthy["reason"]
    assert healthy["facts"]["late_p95_ms"] > 100
    assert healthy["facts"]["processes_needed"] >= 2


def test_a_server_that_holds_all_slots_fails_though_most_of_its_answers_are_quick(tmp_path: Path) -> None:
    def served_s(left_s: float) -> float:
        return max(FAST_S, 3.5 - left_s) if left_s > 1 else FAST_S  # it stands still from second 1 to 3.5

    found = Generator(tmp_path, slots=10, rate_per_s=100, cost_s=0, served_s=served_s).run()
    p95 = found["latency.send.p95"]
    assert p95["outcome"] == "fail", p95
    assert p95["facts"]["service_p95_ms"] < 500 <= p95["observed"]
    overflow = found["generator.healthy"]["facts"]["overflow"]
    assert overflow > p95["checked"] / 4, "who was due in the stall, not only who waited for a slot"
