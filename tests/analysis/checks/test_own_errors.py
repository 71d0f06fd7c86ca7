"""Promise: errors of the generator's own making are never held against the server, and the server's own always are."""

import pytest

from analysis.record.codes import Outcome
from tests.analysis.checks.loaded import judged, loaded, outcomes
from tests.analysis.histories import History


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
