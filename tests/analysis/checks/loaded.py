"""Histories whose load processes tell how they fared, and what is judged of them."""

from dataclasses import dataclass, field, replace
from typing import Any

from analysis.evidence import Evidence, assemble
from analysis.judge import judge_evidence
from analysis.record.process import READER
from tests.analysis.histories import History
from tests.analysis.in_memory import InMemory

SECONDS = 60


@dataclass
class Loaded(History):
    """A history with settings of its own; `arrivals` are by the word of whoever it names."""

    settings: dict[str, Any] = field(default_factory=lambda: {"CHATSOAK_WARMUP_S": 0})
    arrivals: str = READER

    def run(self):  # type: ignore[no-untyped-def]
        return replace(super().run(), settings=self.settings)

    def evidence(self) -> Evidence:
        parts = {self.process: InMemory(self.rows, self.process, self.arrivals)}
        return assemble(self.run(), parts, InMemory(self.rows, "monitor"))


def loaded(took_s: float = 0.05, *, each_s: float = 0.25, **fares: Any) -> Loaded:
    """Sends that take `took_s`, four a second for a minute."""
    history = Loaded()
    chat = history.chat(0, 1)
    for number in range(round(SECONDS / each_s)):
        message = history.send(0, chat, number * each_s, took=took_s, seq=number + 1)
        history.deliver(message, message.at + took_s)
    for second in range(SECONDS + 1):
        history.fare(second, **fares)
    return history


def opened(late_s: float, took_s: float = 0.01, **fares: Any) -> Loaded:
    """An open workload whose sends leave `late_s` late, each of them."""
    history = loaded(took_s, **fares)
    history.settings = {"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": "open"}
    sends = history.rows["sends"]
    sends[:] = [(*send[:4], send[4] - round(late_s * 1e9), *send[5:]) for send in sends]
    return history


def queued(longest_s: float = 14.0, stall_s: float = 0.05) -> Loaded:
    """A server of 200 ms behind too few slots: sends wait for longer and longer, and the loop stands still for a moment each second."""
    history = opened(0, 0.2)
    sends = history.rows["sends"]
    for number, send in enumerate(sends):
        waited_ns = round(longest_s * 1e9 * number / len(sends))
        sends[number] = (*send[:4], send[4] - waited_ns, *send[5:])
    history.no_slot_was_free(-20.0, SECONDS + 1)
    for second in range(SECONDS):
        history.stall(second + 0.6, second + 0.6 + stall_s, cpu_ms=1)
    return history


def verdict_of(evidence: Evidence) -> dict[str, dict[str, Any]]:
    verdict = judge_evidence(evidence, lambda _: None).verdict
    return {one["id"]: one for one in verdict["criteria"]}


def judged(history: History) -> dict[str, dict[str, Any]]:
    return verdict_of(history.evidence())


def outcomes(found: dict[str, dict[str, Any]], *ids: str) -> list[str]:
    return [found[name]["outcome"] for name in (*ids, "generator.healthy")]
