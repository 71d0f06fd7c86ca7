"""Promise: what the load generator did to the figures is never held against the server, and what the server did always is."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.evidence import assemble
from analysis.record import ProcessRecord
from analysis.record.process import KERNEL
from analysis.record.tables import LOAD_TABLES
from tests.analysis.checks.loaded import SECONDS, Loaded, judged, loaded, opened, outcomes, queued, verdict_of
from tests.analysis.in_memory import InMemory


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
        "it got 25% of a core: 2 load processes with a core of their own, or 6 with as little as this"
        in reason
    )
    assert found["errors.send"]["outcome"] == "pass"


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
    for send in range(4 * SECONDS):
        history.stall(send / 4, send / 4 + 0.07)  # every answer is read late
    assert (
        outcomes(judged(history), "latency.send.avg", "latency.send.p95", "latency.delivery.p95")
        == ["pass"] * 4
    )


def held(stands_s: float, each_s: float, *, seconds: int = SECONDS) -> Loaded:
    """A load process that stands still for `stands_s` in each `each_s`, a beat before it noticed."""
    history = loaded(0.005, cpu_share=0.07)
    history.arrivals = KERNEL
    for number in range(round(seconds / each_s)):
        begin = (number + 1) * each_s - stands_s
        history.stall(begin - 0.02, begin + stands_s, cpu_ms=2)
    return history


@pytest.mark.parametrize(("stands_s", "each_s"), [(0.75, 1.0), (0.075, 0.1), (0.3, 1.0)])
def test_a_process_that_stood_still_did_not_make_the_load_though_no_latency_shows_it(
    stands_s: float, each_s: float
) -> None:
    found = judged(held(stands_s, each_s))
    healthy = found["generator.healthy"]
    assert outcomes(found, "latency.send.avg", "latency.send.p95") == ["pass", "pass", "inconclusive"]
    assert healthy["observed"] == 0, "answers have the kernel's stamp"
    assert healthy["facts"]["still_share"] == pytest.approx(stands_s / each_s, abs=0.02)
    assert (
        f"The event loop of a load process stood still for at least {stands_s / each_s:.0%} of the time (bound: 25%), so that "
        "the load was not made as asked for: users sent less than they would have."
    ) in healthy["reason"]
    assert "would have been needed" in healthy["reason"]


def test_what_was_not_sent_counts_among_what_would_have_been_needed() -> None:
    reason = judged(held(0.75, 1.0))["generator.healthy"]["reason"]
    assert "1 load process with a core of its own, or 6 with as little as this" in reason


@pytest.mark.parametrize(
    ("stands_s", "each_s", "seconds"),
    [
        (0.24, 1.0, SECONDS),  # below the bound
        (0.012, 0.05, SECONDS),  # a beat before each is not held against it
        (0.9, 1.0, 2),  # of a run of a minute
    ],
)
def test_standing_still_for_less_than_a_quarter_is_nobodys_concern(
    stands_s: float, each_s: float, seconds: int
) -> None:
    assert judged(held(stands_s, each_s, seconds=seconds))["generator.healthy"]["outcome"] == "pass"


def test_two_seconds_of_a_short_run_are_nobodys_concern_whatever_their_share() -> None:
    history = held(0.9, 1.0, seconds=2)
    history.rows["sends"][:] = history.rows["sends"][: 4 * 5]
    assert judged(history)["generator.healthy"]["outcome"] == "pass"


def test_in_an_open_workload_what_came_due_meanwhile_left_late() -> None:
    history = opened(0.0, 0.005, cpu_share=0.07)
    for second in range(SECONDS):
        history.stall(second + 0.28, second + 0.7, cpu_ms=2)
    healthy = judged(history)["generator.healthy"]
    assert healthy["outcome"] == "inconclusive"
    assert "stood still for at least 40% of the time" in healthy["reason"]
    assert "what came due meanwhile left late, all at once" in healthy["reason"]


def test_a_warmup_may_stand_still() -> None:
    history = held(0.75, 1.0, seconds=30)
    assert judged(history)["generator.healthy"]["outcome"] == "inconclusive"
    history.settings = {"CHATSOAK_WARMUP_S": 31}
    assert judged(history)["generator.healthy"]["outcome"] == "pass"


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


def test_a_wait_of_seconds_for_a_slot_is_not_the_generators_for_some_short_stalls() -> None:
    found = judged(queued())
    p95, healthy = found["latency.send.p95"], found["generator.healthy"]
    assert outcomes(found, "latency.send.avg", "latency.send.p95") == ["fail", "fail", "pass"]
    assert healthy["facts"]["late_p95_ms"] > 500, "an upper bound all the same"
    assert healthy["observed"] < 10
    assert healthy["reason"] is None
    assert "ms are the wait for a free slot (CHATSOAK_MAX_IN_FLIGHT)" in p95["reason"]
    assert p95["reason"].startswith("Of this, 12,")
    assert "From when they left, sends took 200.0 ms." in p95["reason"]


def test_a_server_that_is_slow_by_itself_is_not_told_to_lack_slots() -> None:
    history = opened(0.2, 0.7)
    history.no_slot_was_free(-1.0, SECONDS + 1)
    found = judged(history)
    assert outcomes(found, "latency.send.p95") == ["fail", "pass"]
    assert found["latency.send.p95"]["reason"] is None or "slot" not in found["latency.send.p95"]["reason"]


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
    assert ("It was busy then" in (healthy["reason"] or "")) is (fares.get("cpu_share") == 0.91)


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


@settings(max_examples=12, deadline=None)
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
    healthy = after["generator.healthy"]
    assert healthy["outcome"] == "inconclusive" or (healthy["observed"] or 0) <= 25
    excused = [
        name
        for name, one in after.items()
        if name.startswith("latency.") and one["outcome"] != before[name]["outcome"]
    ]
    if excused:
        assert after["generator.healthy"]["outcome"] == "inconclusive"
