"""Promise: what the load generator did to the figures is never held against the server, and what the server did always is."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence, assemble
from analysis.judge import judge_evidence
from analysis.record import ProcessRecord
from analysis.record.codes import Outcome
from analysis.record.tables import LOAD_TABLES
from tests.analysis.histories import History
from tests.analysis.in_memory import InMemory

SECONDS = 60


@dataclass
class Loaded(History):
    """A history with settings of its own."""

    settings: dict[str, Any] = field(default_factory=lambda: {"CHATSOAK_WARMUP_S": 0})

    def run(self):  # type: ignore[no-untyped-def]
        return replace(super().run(), settings=self.settings)


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


def verdict_of(evidence: Evidence) -> dict[str, dict[str, Any]]:
    verdict = judge_evidence(evidence, lambda _: None).verdict
    return {one["id"]: one for one in verdict["criteria"]}


def judged(history: History) -> dict[str, dict[str, Any]]:
    return verdict_of(history.evidence())


def outcomes(found: dict[str, dict[str, Any]], *ids: str) -> list[str]:
    return [found[name]["outcome"] for name in (*ids, "generator.healthy")]


def test_a_generator_that_kept_up_passes_and_says_what_it_looked_at() -> None:
    found = judged(loaded(cpu_allowed=2.0, run_delay_ms=3.0))["generator.healthy"]
    assert found["outcome"] == "pass"
    assert found["checked"] == SECONDS + 1
    assert found["observed"] == 0
    assert found["reason"] is None
    assert found["facts"]["run_delay_s"] == pytest.approx(0.003 * (SECONDS + 1))


def test_a_slow_server_fails_though_the_loop_stood_still_now_and_then() -> None:
    history = loaded(0.6)
    for second in range(SECONDS):
        history.stall(second + 0.3, second + 0.35)  # nobody's answer was read then
    assert outcomes(judged(history), "latency.send.avg", "latency.send.p95") == ["fail", "fail", "pass"]


def test_an_overloaded_generator_is_inconclusive_and_no_failure_of_the_server() -> None:
    history = loaded(0.8, cpu_share=0.25)
    history.stall(0.0, SECONDS + 1, cpu_ms=250 * (SECONDS + 1))
    found = judged(history)
    assert outcomes(found, "latency.send.avg", "latency.send.p95") == ["inconclusive"] * 3
    assert "generator itself may be to blame" in found["latency.send.p95"]["reason"]
    reason = found["generator.healthy"]["reason"]
    assert "`latency.send.p95` is not to be believed: of its 800.0 ms up to 800.0 ms" in reason
    assert "between second 0 and second 60 of the run" in reason
    assert (
        "it got 25% of a core: 1 load process with a core of its own, or 3 with as little as this" in reason
    )
    assert found["errors.send"]["outcome"] == "pass"


def test_a_generator_that_was_busy_needs_more_processes() -> None:
    history = loaded(0.8, cpu_share=1.0)
    history.stall(0.0, SECONDS + 1, cpu_ms=1000 * (SECONDS + 1))
    found = judged(history)["generator.healthy"]
    assert found["facts"]["processes_needed"] >= 2
    assert f"about {found['facts']['processes_needed']} load processes (--processes)" in found["reason"]


def test_only_the_time_in_question_is_named() -> None:
    history = loaded(0.05)
    for number, send in enumerate(history.rows["sends"]):
        if 20 <= number * 0.25 < 40:  # a third of the run
            history.rows["sends"][number] = (*send[:6], send[5] + 900_000_000, *send[7:])
    history.stall(20.0, 41.0)
    found = judged(history)
    assert outcomes(found, "latency.send.avg", "latency.send.p95")[1:] == ["inconclusive", "inconclusive"]
    assert "between second 20 and second 41 of the run" in found["generator.healthy"]["reason"]


def test_a_figure_that_keeps_its_target_passes_but_not_the_generator_that_made_most_of_it() -> None:
    history = loaded(0.2)
    history.stall(0.0, SECONDS + 1)
    assert outcomes(judged(history), "latency.send.avg", "latency.send.p95") == [
        "pass",
        "pass",
        "inconclusive",
    ]


def test_delays_far_below_the_target_harm_nobody() -> None:
    history = loaded(0.03)
    history.stall(0.0, SECONDS + 1)
    assert (
        outcomes(judged(history), "latency.send.avg", "latency.send.p95", "latency.delivery.p95")
        == ["pass"] * 4
    )


def test_what_was_due_and_never_left_is_in_no_latency_and_so_not_a_pass() -> None:
    history = loaded(never_left=2)
    assert judged(history)["generator.healthy"]["outcome"] == "pass"
    history.fare(SECONDS + 5, never_left=40, overflow=3)
    found = judged(history)["generator.healthy"]
    assert found["outcome"] == "inconclusive"
    assert "40 actions that were due had not left when the load stopped" in found["reason"]
    assert "3 were due while no slot was free: CHATSOAK_MAX_IN_FLIGHT" in found["reason"]
    assert (found["facts"]["never_left"], found["facts"]["overflow"]) == (40, 3)


def test_a_slow_server_that_held_everybody_up_is_not_the_generators_fault() -> None:
    assert outcomes(judged(loaded(0.7, never_left=100)), "latency.send.p95") == ["fail", "pass"]


def opened(late_s: float, took_s: float = 0.01, **fares: Any) -> Loaded:
    """An open workload whose sends leave `late_s` late, each of them."""
    history = loaded(took_s, **fares)
    history.settings = {"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": "open"}
    sends = history.rows["sends"]
    sends[:] = [(*send[:4], send[4] - round(late_s * 1e9), *send[5:]) for send in sends]
    return history


def test_what_left_late_without_a_stall_was_the_generator_all_the_same() -> None:
    found = judged(opened(0.8))
    assert outcomes(found, "latency.send.avg", "latency.send.p95") == ["inconclusive"] * 3
    assert found["latency.send.p95"]["observed"] == 810
    reason = found["generator.healthy"]["reason"]
    assert "of its 810.0 ms up to 800.0 ms are the generator's own delay" in reason
    assert "one send in twenty left 800 ms late or later" in reason
    assert found["generator.healthy"]["facts"]["late_p95_ms"] == 800


def test_what_waited_for_a_slot_was_kept_by_the_server() -> None:
    history = opened(0.8)
    history.no_slot_was_free(-1.0, SECONDS + 1)
    assert outcomes(judged(history), "latency.send.avg", "latency.send.p95") == ["fail", "fail", "pass"]


@pytest.mark.parametrize("fares", [{"cpu_share": 0.95}, {"cpu_share": 0.3, "run_delay_ms": 650.0}])
def test_slots_that_a_busy_process_does_not_free_are_no_fault_of_the_server(fares: dict[str, float]) -> None:
    history = opened(0.8, **fares)
    history.no_slot_was_free(-1.0, SECONDS + 1)
    assert outcomes(judged(history), "latency.send.avg", "latency.send.p95") == ["inconclusive"] * 3


def test_never_left_is_not_hidden_by_a_response_time_that_fails() -> None:
    history = opened(0.8, never_left=100)
    history.no_slot_was_free(-1.0, SECONDS + 1)
    found = judged(history)
    assert outcomes(found, "latency.send.p95") == ["fail", "inconclusive"]
    assert "100 actions that were due had not left" in found["generator.healthy"]["reason"]


def test_of_an_earlier_record_only_stalls_are_known_to_be_the_generators() -> None:
    history = opened(0.8)
    history.finish()
    parts = {"local": Earlier(history.rows, "local", ("slots_taken",))}
    found = verdict_of(assemble(history.run(), parts, InMemory(history.rows, "monitor")))
    assert found["record.complete"]["outcome"] == "pass"
    assert outcomes(found, "latency.send.p95") == ["fail", "pass"]


def some_seconds(history: Loaded, seconds: int, **fares: float) -> Loaded:
    """`history` whose load process fares otherwise in some seconds."""
    rows = history.rows["generator"]
    for second in range(20, 20 + seconds):
        told = dict(zip(LOAD_TABLES["generator"].names, rows[second], strict=True)) | fares
        rows[second] = tuple(told.values())
    return history


@pytest.mark.parametrize(
    ("seconds", "fares", "said"),
    [
        (4, {"cpu_share": 0.91}, "used 90% or more of the processor that it may use in 7% of the seconds"),
        (4, {"cpu_share": 0.24, "cpu_allowed": 0.25}, "in 7% of the seconds"),
        (61, {"gc_ms": 60.0}, "garbage collection took 6% of its time"),
        (3, {"cpu_share": 1.0}, None),  # 5% of 61 seconds
        (61, {"cpu_share": 0.85}, None),
        (61, {"gc_ms": 40.0}, None),
    ],
)
def test_processor_and_garbage_have_bounds(seconds: int, fares: dict[str, float], said: str | None) -> None:
    found = judged(loaded(**fares) if seconds == SECONDS + 1 else some_seconds(loaded(), seconds, **fares))
    healthy = found["generator.healthy"]
    assert healthy["outcome"] == ("pass" if said is None else "inconclusive")
    assert (said or "") in (healthy["reason"] or "").replace("Garbage", "garbage")
    assert outcomes(found, "latency.send.p95")[0] == "pass"


def test_two_busy_seconds_of_a_short_run_are_nobodys_concern() -> None:
    history = some_seconds(loaded(), 2, cpu_share=1.0)
    history.rows["generator"][:] = history.rows["generator"][15:25]
    assert judged(history)["generator.healthy"]["outcome"] == "pass"


def test_a_warmup_may_be_busy() -> None:
    history = loaded()
    rows = history.rows["generator"]
    rows[:] = [(*row[:3], 1.0 if second < 15 else row[3], *row[4:]) for second, row in enumerate(rows)]
    assert judged(history)["generator.healthy"]["outcome"] == "inconclusive"
    history.settings = {"CHATSOAK_WARMUP_S": 15}
    assert judged(history)["generator.healthy"]["outcome"] == "pass"


def fail_some(history: History, error: str, count: int = 5, took_s: float = 10.0) -> None:
    for _ in range(count):
        history.send(0, 0, 30.0, took=took_s, outcome=Outcome.INFO)
        sends = history.rows["sends"]
        sends[-1] = (*sends[-1][:-1], error)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("not connected: too many open files", ["inconclusive", "inconclusive"]),
        ("not connected: cannot assign requested address", ["inconclusive", "inconclusive"]),
        ("not connected: connection refused", ["fail", "pass"]),
        ("connection reset by peer", ["fail", "pass"]),
        ("timed out", ["fail", "pass"]),
    ],
)
def test_sockets_that_this_machine_did_not_have_are_no_errors_of_the_server(
    error: str, expected: list[str]
) -> None:
    history = loaded()
    fail_some(history, error)
    assert outcomes(judged(history), "errors.send") == expected


def test_who_stood_still_while_waiting_cannot_tell_a_time_out() -> None:
    history = loaded()
    fail_some(history, "timed out")
    history.stall(33.0, 40.0)
    assert outcomes(judged(history), "errors.send") == ["inconclusive", "inconclusive"]


def test_a_short_stall_excuses_no_time_out() -> None:
    history = loaded()
    fail_some(history, "timed out")
    history.stall(39.0, 40.0)
    assert outcomes(judged(history), "errors.send") == ["fail", "pass"]


def test_one_socket_too_few_is_enough_even_where_every_send_was_answered() -> None:
    history = loaded()
    history.rows["calls"].append(
        (None, "sign-in", 1, 2, Outcome.INFO, 0, "not connected: too many open files")
    )
    found = judged(history)["generator.healthy"]
    assert found["outcome"] == "inconclusive"
    assert "ran out of sockets or memory 1 times" in found["reason"]


def test_a_generator_that_told_nothing_is_inconclusive() -> None:
    history = loaded()
    history.rows["generator"].clear()
    assert judged(history)["generator.healthy"]["outcome"] == "inconclusive"


class Earlier(InMemory):
    """A part that a version without some tables has written."""

    def __init__(self, rows: dict[str, list[tuple[Any, ...]]], name: str, without: tuple[str, ...]) -> None:
        super().__init__(rows, name)
        self.without = without

    def process(self) -> ProcessRecord:
        record = super().process()
        assert record is not None
        counts = {name: count for name, count in record.counts.items() if name not in self.without}
        return replace(record, counts=counts)

    def complete(self, table: str) -> bool:
        return table not in self.without and super().complete(table)


@pytest.mark.parametrize(("lag_ms", "outcome"), [(1.0, "pass"), (900.0, "inconclusive")])
def test_an_earlier_record_is_judged_by_each_seconds_worst_lateness(lag_ms: float, outcome: str) -> None:
    history = loaded(0.95, each_s=1.0, loop_lag_ms=lag_ms)
    history.finish()
    parts = {"local": Earlier(history.rows, "local", ("stalls", "slots_taken"))}
    found = verdict_of(assemble(history.run(), parts, InMemory(history.rows, "monitor")))
    assert found["record.complete"]["outcome"] == "pass"
    assert found["generator.healthy"]["outcome"] == outcome
    assert found["latency.send.p95"]["outcome"] == ("fail" if outcome == "pass" else outcome)


stalled_spans = st.lists(st.tuples(st.floats(0, 60), st.floats(0.011, 5)), max_size=10)


@settings(max_examples=60, deadline=None)
@given(took_s=st.floats(0.005, 3), spans=stalled_spans)
def test_whatever_happened_nothing_becomes_worse_and_only_a_failure_is_excused(
    took_s: float, spans: list[tuple[float, float]]
) -> None:
    plain, stalled = loaded(took_s), loaded(took_s)
    for begin, length in spans:
        stalled.stall(begin, begin + length)
    before, after = judged(plain), judged(stalled)
    for name, one in before.items():
        if name == "generator.healthy":
            continue
        if one["outcome"] != "fail" or not name.startswith("latency."):
            assert after[name]["outcome"] == one["outcome"], name
        else:
            assert after[name]["outcome"] in {"fail", "inconclusive"}
        assert after[name]["observed"] == one["observed"]
    excused = [
        name
        for name, one in after.items()
        if name.startswith("latency.") and one["outcome"] != before[name]["outcome"]
    ]
    if excused:
        assert after["generator.healthy"]["outcome"] == "inconclusive"


def test_the_excuse_keeps_the_reason_that_was_there() -> None:
    from analysis.checks.generator import Figure, excuse

    criterion = Criterion(
        "latency.send.p95", "t", "< 500 ms", 600.0, "ms", Verdict.FAIL, 10, reason="Said before."
    )
    (found,) = excuse([criterion], [Figure("latency.send.p95", 500, 600, 100, 100)], errors_turn=False)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.reason is not None
    assert found.reason.endswith("Said before.")
