"""Promise: the server's side is told as it was: rates, statements of this run alone, who waited for whom, what is missing."""

import pytest

from analysis.server import HIDDEN, Server, server_side
from analysis.timeline import TimeAxis
from tests.analysis.histories import History


def run() -> History:
    made = History()
    chat = made.chat(0, 1)
    made.send(0, chat, at=0.0)
    return made


def told(made: History, width_s: int = 5) -> Server:
    evidence = made.evidence()
    return server_side(evidence, TimeAxis.of(evidence), width_s, 4 * width_s)


def test_counters_are_rates_and_levels_are_levels() -> None:
    made = run()
    for look in range(4):
        made.gauge("transactions.committed", 5.0 * look, 1000.0 + 50 * look)
        made.gauge("connections.idle", 5.0 * look, 3.0 + look)
        made.gauge("connections.most", 5.0 * look, 100.0)
        made.gauge("deadlocks", 5.0 * look, 7.0)
    found = told(made)
    panels = {panel.title: panel for panel in found.panels}
    assert panels["Transactions"].lines["committed"].fine["high"].to_dict() == {5: 10.0, 10: 10.0, 15: 10.0}
    assert {
        label: line.fine["high"].tolist() for label, line in panels["Connections by state"].lines.items()
    } == {"idle": [3.0, 4.0, 5.0, 6.0]}
    assert "Deadlocks since the start" in found.still
    assert "Deadlocks since the start" not in panels


def test_a_bucket_keeps_its_peak_and_its_dip() -> None:
    made = run()
    for look, waiting in enumerate([2, 9, 1, 0]):
        made.gauge("locks.waiting", 5.0 * look, waiting)
    (panel,) = told(made, width_s=10).panels
    assert panel.lines["waiting"].fine.to_dict() == {"low": {0: 2.0, 10: 0.0}, "high": {0: 9.0, 10: 1.0}}
    assert panel.lines["waiting"].coarse.to_dict() == {"low": {0: 0.0}, "high": {0: 9.0}}
    assert panel.matters == "high"


def test_of_the_cache_it_is_the_dip_that_matters() -> None:
    made = run()
    for look, (hit, read) in enumerate([(0, 0), (100, 0), (110, 90), (210, 90)]):
        made.gauge("blocks.hit", 5.0 * look, hit)
        made.gauge("blocks.read", 5.0 * look, read)
    (panel,) = told(made, width_s=20).panels
    assert panel.matters == "low"
    assert panel.lines["share"].fine.to_dict() == {"low": {0: 10.0}, "high": {0: 100.0}}


def test_statements_count_from_the_first_look_to_the_last() -> None:
    made = run()
    made.statement(0, "old", 100, 500.0)
    made.statement(90, "old", 110, 600.0, query="select old")
    made.statement(90, "new", 4, 300.0, query="select new")
    made.statement(90, "nameless", 1, 1.0)
    found = told(made)
    assert [(one.query, one.calls, one.total_ms, one.mean_ms) for one in found.statements] == [
        ("select new", 4, 300.0, 75.0),
        ("select old", 10, 100.0, 10.0),
        (HIDDEN, 1, 1.0, 1.0),
    ]
    assert sum(one.share for one in found.statements) == pytest.approx(1)
    assert not found.statements_reset


def test_a_reset_in_between_is_noticed_and_counts_from_zero() -> None:
    made = run()
    made.statement(0, "a", 100, 500.0, reset_us=1)
    made.statement(90, "a", 10, 50.0, query="select a", reset_us=2)
    found = told(made)
    assert found.statements_reset
    assert (found.statements[0].calls, found.statements[0].total_ms) == (10, 50.0)


def test_waits_are_put_together_by_who_waited_for_whom() -> None:
    made = run()
    made.wait(10, waiting=1, waited_ms=100)
    made.wait(11, waiting=1, waited_ms=1100)
    made.wait(11, waiting=3, waited_ms=50)
    made.wait(20, waiting=4, waited_ms=9, statement="lock table x")
    first, second = told(made).waits
    assert first.waiting == "update chats set name = ? (app)"
    assert first.blocking == "select ? (psql, idle in transaction)"
    assert (first.looks, first.sessions, first.longest_ms, first.first_s) == (2, 2, 1100.0, 10.0)
    assert second.waiting.startswith("lock table x")


def test_what_was_not_seen_is_not_there_and_what_could_not_be_read_is_named() -> None:
    made = run()
    made.leave_out("statements", "no such extension")
    assert told(made) == Server((), (), (), False, (), {"statements": "no such extension"})
