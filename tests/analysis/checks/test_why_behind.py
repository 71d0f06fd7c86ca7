"""Promise: when and why a generator did not keep up is said where it was noted, and no cause is made up where it was not."""

from tests.analysis.checks.loaded import SECONDS, judged, loaded, opened, outcomes, queued


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


def test_a_wait_of_which_much_is_the_generators_is_told_with_what_the_slots_are() -> None:
    found = judged(queued(2.0, stall_s=0.4))
    healthy = found["generator.healthy"]
    assert outcomes(found, "latency.send.p95")[1] == "inconclusive"
    assert "Most of the wait of the sends in question" in healthy["reason"]
    assert "the server had not answered those that held them" in healthy["reason"]
    assert "load process" in healthy["reason"], "and what was the generator's"


def test_where_nothing_was_noted_no_cause_is_named_and_the_time_is() -> None:
    history = opened(0, cpu_share=0.3)
    sends = history.rows["sends"]
    sends[100:120] = [
        (*send[:4], send[4] - 2_000_000_000, *send[5:]) for send in sends[100:120]
    ]  # seconds 25-30
    history.stall(50.0, 50.02, cpu_ms=20)  # long after
    healthy = judged(history)["generator.healthy"]
    assert healthy["outcome"] == "inconclusive"
    assert "between second 23 and second 30 of the run" in healthy["reason"]
    assert (
        "The cause is not known: of 40.0 s for which sends were delayed, added up, 40.0 s"
        in healthy["reason"]
    )
    assert "busy" not in healthy["reason"]
    assert "processes_needed" not in healthy["facts"]


def test_what_is_noted_explains_a_delay_of_which_it_is_the_greater_part() -> None:
    history = opened(0, cpu_share=0.3)
    sends = history.rows["sends"]
    sends[100:120] = [(*send[:4], send[4] - 2_000_000_000, *send[5:]) for send in sends[100:120]]
    history.stall(23.5, 29.5, cpu_ms=900)
    history.no_slot_was_free(29.5, 29.6)
    healthy = judged(history)["generator.healthy"]
    assert (
        "between second 23 and second 30 of the run (its event loop stood still for 6.0 s in all)"
        in healthy["reason"]
    )
    assert "Meanwhile it got 15% of a core" in healthy["reason"]
    assert "slot" not in healthy["reason"], "hardly anybody waited for one"
    assert healthy["facts"]["processes_needed"] == 1


def test_two_times_far_apart_are_not_told_as_one() -> None:
    history = opened(0, cpu_share=0.3)
    sends = history.rows["sends"]
    for some in (slice(20, 40), slice(200, 220)):
        sends[some] = [(*send[:4], send[4] - 500_000_000, *send[5:]) for send in sends[some]]
    reason = judged(history)["generator.healthy"]["reason"]
    assert "It did not keep up in 12 seconds between second 4 and second 55 of the run:" in reason


def test_short_stalls_are_counted_and_not_said_to_be_all_over_the_run() -> None:
    history = loaded(gc_ms=60.0)
    for second in range(10, 40):
        history.stall(second + 0.62, second + 0.68, cpu_ms=60)
    reason = judged(history)["generator.healthy"]["reason"]
    assert (
        "between second 11 and second 40 of the run: its event loop stood still for 1.8 s in all, in 30 stalls of at most 60 ms."
        in reason
    )


def test_the_seconds_in_which_answers_were_read_late_are_named() -> None:
    history = loaded(0.03)
    history.settings |= {"CHATSOAK_TARGET_SEND_AVG_MS": 40, "CHATSOAK_TARGET_SEND_P95_MS": 60}
    for number in range(40, 160):  # for 25 ms, a tenth of the time
        history.stall(number / 4 + 0.005, number / 4 + 0.03, cpu_ms=25)
    reason = judged(history)["generator.healthy"]["reason"]
    assert "between second 10 and second 40 of the run" in reason
