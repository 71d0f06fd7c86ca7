"""Promise: a figure is doubted, and a failure excused, by what the generator's own delays are a share of."""

from dataclasses import replace

import pytest

from analysis.checks.own_part import Figure, excuse
from analysis.criteria import Criterion, Verdict
from tests.analysis.checks.loaded import Loaded, judged, opened, outcomes
from tests.analysis.histories import ns


def some_late(took_s: float, late_s: float, each: int = 25) -> Loaded:
    """An open workload in which one send in `each` leaves so late by the generator's own doing."""
    history = opened(0, took_s)
    sends = history.rows["sends"]
    sends[::each] = [(*send[:4], send[4] - round(late_s * 1e9), *send[5:]) for send in sends[::each]]
    return history


def test_a_server_that_misses_its_target_excuses_no_delay_of_the_generators_own() -> None:
    found = judged(some_late(0.6, 20.0))
    average, healthy = found["latency.send.avg"], found["generator.healthy"]
    assert outcomes(found, "latency.send.avg", "latency.send.p95") == ["fail", "fail", "inconclusive"]
    assert average["observed"] == pytest.approx(600 + 20_000 / 24)
    assert average["facts"]["without_generator_ms"] == 600
    assert "not to be believed, though the target is missed either way" in average["reason"]
    assert "without that it would be 600.0 ms" in average["reason"]
    assert healthy["observed"] == pytest.approx(100 * 20_000 / 24 / 600)
    assert "`latency.send.avg` is not to be believed" in healthy["reason"]
    p95 = found["latency.send.p95"]
    assert "without_generator_ms" not in p95["facts"], "fewer than one in twenty left late"
    assert "not to be believed" not in (p95["reason"] or "")


def test_a_slow_server_is_not_excused_by_a_small_part_of_what_it_took() -> None:
    found = judged(
        some_late(4.0, 20.0)
    )  # 833 ms of the average, more than twice its target, and a fifth of what it took
    assert outcomes(found, "latency.send.avg") == ["fail", "pass"]
    assert found["generator.healthy"]["observed"] == pytest.approx(100 * 20 / 24 / 4)


def test_a_figure_that_keeps_its_target_says_too_what_it_would_be_without() -> None:
    found = judged(some_late(0.05, 4.0))
    assert outcomes(found, "latency.send.avg") == ["pass", "inconclusive"]
    assert found["latency.send.avg"]["facts"]["without_generator_ms"] == 50
    assert "though the target is kept either way" in found["latency.send.avg"]["reason"]


@pytest.mark.parametrize(
    ("observed_ms", "without_ms", "doubted"),
    [
        (1340.0, 600.0, True),
        (299.0, 200.0, True),
        (310.0, 299.0, True),  # it decides
        (299.0, 230.0, False),
        (700.0, 600.0, False),
    ],
)
def test_a_figure_is_doubted_by_what_its_own_part_is_a_share_of(
    observed_ms: float, without_ms: float, doubted: bool
) -> None:
    assert Figure("latency.send.avg", 300, observed_ms, without_ms, without_ms).doubted is doubted


@pytest.mark.parametrize(("without_ms", "slots_ms", "by_slots"), [(510.0, 20.0, False), (510.0, 110.0, True)])
def test_slots_are_the_cause_of_what_they_are_the_most_of(
    without_ms: float, slots_ms: float, by_slots: bool
) -> None:
    assert Figure("latency.send.p95", 500, 610, without_ms, 490, slots_ms).by_slots is by_slots


def test_a_server_that_misses_the_target_by_itself_does_not_do_so_for_want_of_slots() -> None:
    assert not Figure("latency.send.p95", 500, 1610, 1510, 500, 1100).by_slots


def test_the_excuse_keeps_the_reason_that_was_there() -> None:
    criterion = Criterion(
        "latency.send.p95", "t", "< 500 ms", 600.0, "ms", Verdict.FAIL, 10, reason="Said before."
    )
    (found,) = excuse([criterion], [Figure("latency.send.p95", 500, 600, 100, 100)], turned=())
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.reason is not None
    assert found.reason.endswith("Said before.")


SOAK_S = 900


class Soak(Loaded):
    """A quarter of an hour under steady load."""

    def run(self):  # type: ignore[no-untyped-def]
        return replace(
            super().run(),
            phases=[{"name": "load", "at_ns": ns(0)}, {"name": "stopping", "at_ns": ns(SOAK_S)}],
        )


def soak(of_server_s: float, of_generator_s: float, workload: str) -> Loaded:
    """Sends that took 50 ms at the beginning; by its end the server takes so much longer, and the generator adds so much."""
    history = Soak(settings={"CHATSOAK_WARMUP_S": 0, "CHATSOAK_WORKLOAD": workload})
    chat = history.chat(0, 1)
    for number in range(2 * SOAK_S):
        at, progress = number / 2 + 0.25, number / (2 * SOAK_S) * (1 + number * 7919 % 11 / 100)
        took, late = 0.05 + of_server_s * progress, of_generator_s * progress
        if workload == "open":
            message = history.send(0, chat, at, took=took, late=late, seq=number + 1)
            history.stall(at - late, at)
        else:
            message = history.send(0, chat, at, took=took + late, seq=number + 1)
            history.stall(at + took, at + took + late)
        history.deliver(message, at + took + late)
    for second in range(SOAK_S):
        history.fare(second, users=20)
    history.finish(SOAK_S + 10)
    return history


@pytest.mark.parametrize("workload", ["open", "closed"])
def test_a_rise_that_is_the_generators_own_is_no_drift_of_the_server(workload: str) -> None:
    found = judged(soak(0.0, 0.4, workload))
    assert outcomes(found, "drift.latency") == ["inconclusive", "inconclusive"]
    assert "without its own delays no latency would drift" in found["drift.latency"]["reason"]
    assert "`drift.latency` finds a rise that is the generator's own" in found["generator.healthy"]["reason"]


@pytest.mark.parametrize("workload", ["open", "closed"])
def test_a_drift_of_the_server_beside_one_of_the_generator_fails(workload: str) -> None:
    found = judged(soak(0.25, 0.1, workload))
    assert found["drift.latency"]["outcome"] == "fail"
    assert "`drift.latency`" not in (found["generator.healthy"]["reason"] or "")
