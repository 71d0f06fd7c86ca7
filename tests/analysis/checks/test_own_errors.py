"""Promise: errors of the generator's own making are never held against the server, and the server's own always are."""

import pytest

from analysis.record.codes import Outcome, SocketEvent
from tests.analysis.checks.loaded import Loaded, judged, loaded, outcomes
from tests.analysis.histories import History

STATUS = 8  # column of the table of sends


def fail_some(
    history: History,
    error: str,
    count: int = 5,
    took_s: float = 10.0,
    *,
    who: int = 0,
    outcome: Outcome = Outcome.INFO,
    status: int = 0,
) -> None:
    for _ in range(count):
        history.send(who, 0, 30.0, took=took_s, outcome=outcome)
        send = history.rows["sends"][-1]
        history.rows["sends"][-1] = (*send[:STATUS], status, *send[STATUS + 1 : -1], error)


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


@pytest.mark.parametrize("said", ["500 out of memory", "500 EMFILE: too many open files, open 'a.js'"])
def test_a_server_that_has_no_memory_or_file_left_is_not_excused_by_saying_so(said: str) -> None:
    history = loaded()
    fail_some(history, said, took_s=0.05, status=500)
    history.rows["calls"].append((None, "sign-in", 1, 2, Outcome.INFO, 500, said))
    assert outcomes(judged(history), "errors.send") == ["fail", "pass"]


def test_a_server_that_says_that_it_timed_out_was_heard() -> None:
    history = loaded()
    fail_some(history, "504 upstream timed out", status=504)
    history.stall(33.0, 45.0)
    assert outcomes(judged(history), "errors.send")[0] == "fail"


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("not connected: too many open files", "inconclusive"),
        ("WebSocket handshake: no buffer space available", "inconclusive"),
        ("out of memory", "pass"),
        ("the WebSocket was refused: 500 too many open files", "pass"),
    ],
)
def test_a_socket_is_missing_where_this_machine_says_so_and_not_the_server(note: str, expected: str) -> None:
    history = loaded()
    history.rows["sockets"].append((None, 1, None, SocketEvent.REFUSED, 1, None, note))
    assert outcomes(judged(history)) == [expected]


def test_who_is_rightly_refused_changes_nothing_of_the_excuse() -> None:
    """Three of 243 counted sends miss the target; none would but for this machine."""
    history = Loaded(people=3)
    chat = history.chat(0, 1, 2)
    for person in range(3):
        history.member(person, chat, -1.0)
    history.poll(0.0)
    for number in range(240):
        message = history.send(0, chat, number / 4, took=0.05, seq=number + 1)
        history.deliver(message, message.at + 0.05)
    for second in range(61):
        history.fare(second)
    history.poll(20.0)
    history.member(1, chat, 21.0, there=False)
    history.poll(21.0)
    fail_some(history, "403 not a participant", 10, 0.05, who=1, outcome=Outcome.FAIL, status=403)
    fail_some(history, "not connected: too many open files", 3, 0.01)
    history.finish()
    found = judged(history)
    assert found["errors.send"]["facts"]["after_leaving"] == 10
    assert outcomes(found, "errors.send") == ["inconclusive", "inconclusive"]
