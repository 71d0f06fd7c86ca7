"""Promise: every whole minute of the load counts, and one in which the server hung is not within target."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.demand import demand
from analysis.judge import judge
from analysis.latency import NS_PER_MS, NS_PER_S
from analysis.minutes import minutes_within
from analysis.timeline import TimeAxis
from tests.analysis.histories import ns
from tests.analysis.report.judgements import Open, Told

HANGS_S = ((595, 665), (895, 965))


def even(until_s: int, a_second: int = 1) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(until_s * a_second, dtype=np.int64) * NS_PER_S // a_second


def within(start_ns, latency_ms, percent=95, meant=None):  # type: ignore[no-untyped-def]
    latency_ns = (np.broadcast_to(latency_ms, start_ns.shape) * NS_PER_MS).astype(np.int64)
    return minutes_within(start_ns, latency_ns, 500.0, percent, begin_s=0.0, demand=meant)


def test_a_minute_without_an_acknowledged_send_is_not_within_target() -> None:
    start_ns = even(300)
    start_ns = start_ns[(start_ns < 60 * NS_PER_S) | (start_ns >= 120 * NS_PER_S)]
    assert within(start_ns, 100) == (5, 4)
    assert within(start_ns, 100, percent=None) == (5, 4)


def test_so_is_the_end_of_a_run_from_which_on_nothing_was_acknowledged() -> None:
    users = pd.Series(20.0, index=range(600))
    assert within(even(300), 100, meant=users) == (10, 5)
    assert within(even(300), 100) == (5, 5)


def test_so_is_the_beginning() -> None:
    assert within(even(300)[120:], 100) == (5, 3)


def test_a_minute_in_which_nobody_was_meant_to_send_does_not_count() -> None:
    start_ns = even(300)
    start_ns = start_ns[(start_ns < 60 * NS_PER_S) | (start_ns >= 120 * NS_PER_S)]
    users = pd.Series(20.0, index=[second for second in range(300) if not 60 <= second < 120])
    assert within(start_ns, 100, meant=users) == (4, 4)


def test_nor_does_an_empty_one_where_few_are_usual() -> None:
    start_ns = np.array([0, 20, 40, 70, 200, 230, 250, 290], np.int64) * NS_PER_S
    assert within(start_ns, 100) == (3, 3)


def test_of_few_sends_all_have_to_be_within_target_or_their_average() -> None:
    start_ns = np.concatenate((even(60), np.array([70, 80, 90]) * NS_PER_S, 120 * NS_PER_S + even(60)))
    latency_ms = np.full(len(start_ns), 100.0)
    latency_ms[60] = 600
    assert within(start_ns, latency_ms) == (3, 2)
    assert within(start_ns, latency_ms, percent=None) == (3, 3)


def hung(history: Told) -> Told:
    """A quarter of an hour and more of ten users who wait for the answer, and a server that hangs twice."""
    chat = history.chat(0, 1)
    rng = np.random.default_rng(0)
    sent = []
    for _ in range(10):
        at = float(rng.random())
        while at < 1200:
            took = 0.05 + 0.01 * float(rng.random())
            for begin, end in HANGS_S:
                if begin <= at + took < end:
                    took = end - at + 0.05
            sent.append((at, took))
            at += took + 1 + 2 * float(rng.random())
    for number, (at, took) in enumerate(sorted(sent)):
        message = history.send(number % 2, chat, at=at, took=took, seq=number + 1)
        history.store(message)
        history.deliver(message, at + took + 0.05)
    for second in range(0, 1200, 2):
        history.fare(second, users=10)
    history.finish(1210)
    return history


class Soak(Told):
    def run(self):  # type: ignore[no-untyped-def]
        run = super().run()
        run.settings = {"CHATSOAK_WARMUP_S": "0"}
        run.phases = [{"name": "load", "at_ns": ns(0)}, {"name": "stopping", "at_ns": ns(1200)}]
        return run


def test_hangs_of_a_closed_workload_show_in_the_minutes(tmp_path: Path) -> None:
    verdict = judge(hung(Soak(people=2)).write(tmp_path / "run"))
    by_id = {one["id"]: one for one in verdict["criteria"]}
    for name in ("latency.send.avg", "latency.send.p95"):
        facts = by_id[name]["facts"]
        assert facts["minutes"] == 20
        assert 15 <= facts["minutes_within_target"] <= 18
    assert by_id["latency.send.p95"]["observed"] < 100


@pytest.mark.parametrize(("rate", "expected"), [("0s:2,300s:2,301s:0", 300), ("2", 600)])
def test_what_was_meant_ends_with_the_planned_rate_and_with_the_load(rate: str, expected: int) -> None:
    class Planned(Open):
        def run(self):  # type: ignore[no-untyped-def]
            run = super().run()
            run.settings |= {"CHATSOAK_ARRIVAL_RATE": rate}
            run.phases = [{"name": "load", "at_ns": ns(0)}, {"name": "stopping", "at_ns": ns(600)}]
            return run

    history = Planned(people=2)
    chat = history.chat(0, 1)
    history.send(0, chat, at=0.0, seq=1)
    for second in range(700):
        history.fare(second, users=5)
    evidence = history.evidence()
    meant = demand(evidence, TimeAxis.of(evidence))
    assert meant[meant > 0].index.max() == pytest.approx(expected, abs=1)
    assert meant[100] == 10
