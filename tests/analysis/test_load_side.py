"""Promise: the report shows how the load processes fared, the worst of them, as far as it was noted."""

from analysis.judge import judge_evidence
from analysis.report import load_side as on_page
from analysis.server import Panel
from tests.analysis.histories import History


def history(**fares: float) -> History:
    made = History()
    chat = made.chat(0, 1)
    for second in range(30):
        made.send(0, chat, float(second), seq=second + 1)
        made.fare(second, **({} if second else fares))
        made.fare(second, cpu_share=0.1, loop_lag_ms=0.5)
    return made


def panels(made: History) -> dict[str, Panel]:
    return {one.title: one for one in judge_evidence(made.evidence(), lambda _: None).load}


def test_a_bucket_has_the_worst_and_what_was_not_noted_is_left_out() -> None:
    found = panels(history(cpu_share=0.75, loop_lag_ms=40.0))
    assert list(found) == ["Event loop: latest beat", "Processor used"]
    assert found["Processor used"].lines["used"].iloc[0] == 75.0
    lag = found["Event loop: latest beat"].lines["lag"]
    assert (lag.iloc[0], lag.iloc[1]) == (40.0, 1.0)
    assert lag.index.name == "at_s"


def test_an_open_workload_shows_its_departures_and_slots_too() -> None:
    noted = {"late_ms": 12.0, "slot_wait_ms": 3.0, "in_flight": 7, "overflow": 5, "never_left": 2}
    found = panels(history(**noted, gc_ms=1.0, gc_longest_ms=0.5, run_delay_ms=20.0))
    assert found["Departures: latest"].lines["late"].iloc[0] == 12.0
    assert found["Departures: latest"].lines["waited for a slot"].iloc[0] == 3.0
    assert found["Could not leave in time, since the start"].lines["no slot"].max() == 5
    assert list(found["Waited for the processor"].lines) == ["others"]


def test_the_page_draws_them_with_a_table() -> None:
    judgement = judge_evidence(history(late_ms=12.0).evidence(), lambda _: None)
    [figure] = on_page.figure(judgement.load, judgement.timeline)
    assert figure.plot.wide.startswith("<svg")
    assert figure.table is not None
    assert len(figure.table.rows) == sum(len(panel.lines) for panel in judgement.load)
    assert on_page.figure((), judgement.timeline) == []
