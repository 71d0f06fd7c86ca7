"""Promise: the report shows how the load processes fared, the worst of them, as far as it was noted."""

import pytest

from analysis.judge import judge_evidence
from analysis.panels import Panel
from analysis.report import panels
from tests.analysis.histories import History


def history(**fares: float) -> History:
    made = History()
    chat = made.chat(0, 1)
    for second in range(30):
        made.send(0, chat, float(second), seq=second + 1)
        made.fare(second, **({} if second else fares))
        made.fare(second, cpu_share=0.1, loop_lag_ms=0.5)
    return made


def told(made: History) -> dict[str, Panel]:
    return {one.title: one for one in judge_evidence(made.evidence(), lambda _: None).load_panels}


def test_a_bucket_has_the_worst_and_the_best_and_what_was_not_noted_is_left_out() -> None:
    found = told(history(cpu_share=0.75, loop_lag_ms=40.0))
    assert list(found) == ["Event loop: latest beat", "Processor used"]
    used = found["Processor used"].lines["used"].fine
    assert used.iloc[0].to_dict() == pytest.approx({"low": 10.0, "high": 75.0})
    lag = found["Event loop: latest beat"].lines["lag"].fine
    assert lag["high"].tolist()[:2] == [40.0, 1.0]
    assert lag.index.name == "at_s"


def test_an_open_workload_shows_its_departures_and_slots_too() -> None:
    noted = {"late_ms": 12.0, "slot_wait_ms": 3.0, "in_flight": 7, "overflow": 5, "never_left": 2}
    found = told(history(**noted, gc_ms=1.0, gc_longest_ms=0.5, run_delay_ms=20.0))
    assert found["Departures: latest"].lines["late"].fine["high"].iloc[0] == 12.0
    assert found["Departures: latest"].lines["waited for a slot"].fine["high"].iloc[0] == 3.0
    assert found["Could not leave in time, since the start"].lines["no slot"].fine["high"].max() == 5
    assert list(found["Waited for the processor"].lines) == ["for others"]


def test_each_is_drawn_with_a_table() -> None:
    judgement = judge_evidence(history(late_ms=12.0).evidence(), lambda _: None)
    figures = panels.figures("load", judgement.load_panels, judgement.panels_s, judgement.timeline)
    assert len(figures) == len(judgement.load_panels) > 2
    for figure, panel in zip(figures, judgement.load_panels, strict=True):
        assert figure.plot.wide.startswith("<svg")
        (table,) = figure.tables
        assert len(table.table.head) == 1 + len(panel.lines)
        assert table.table.rows
