"""Promise: what Realtime may have lost because PostgreSQL restarted is never the app's failure, and is never hidden either."""

import pytest

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from analysis.record.codes import PollKind, SocketEvent
from tests.analysis.histories import History

BEGAN_AT = -3600.0
RESTARTED_AT = 20.2
STANDBY_BEGAN_AT = -7200.0


def realtime_missed(run: History) -> Criterion:
    (found,) = (one for one in audit(run.evidence(), 5).criteria if one.id == "realtime.missed")
    return found


def run_with(missed_at: float, *, restarted: bool = True, then_since: float = RESTARTED_AT) -> Criterion:
    """A message a second, all delivered but the one sent at `missed_at`; PostgreSQL restarts between two looks.

    Args:
        then_since: when the server that is there from then on was started, in s.
    """
    run = History(people=2)
    chat = run.chat(0, 1)
    for second in range(1, 91):
        message = run.send(0, chat, at=float(second), seq=second)
        run.poll(second + 0.5, server_s=then_since if restarted and second >= RESTARTED_AT else BEGAN_AT)
        run.observe(message, second + 0.5)
        run.deliver(message, second + 0.1, *((0,) if second == missed_at else (0, 1)))
    run.finish(100.0)
    return realtime_missed(run)


@pytest.mark.parametrize("at", [10.0, 19.0, 20.0, 21.0, 45.0])
def test_a_message_stored_around_a_restart_leaves_it_open(at: float) -> None:
    """Realtime may have been behind by some seconds when its slot went: the last look before was at 20.5."""
    found = run_with(at)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.examples == ()
    assert "PostgreSQL went away once" in (found.reason or "")
    assert "1 delivery of messages" in (found.reason or "")
    assert found.facts["around_restarts"] == 1


@pytest.mark.parametrize("at", [9.0, 60.0])
def test_a_message_stored_long_before_or_after_is_missed(at: float) -> None:
    found = run_with(at)
    assert found.outcome is Verdict.FAIL
    assert found.observed == 1
    assert found.facts["around_restarts"] == 0


def test_a_standby_that_took_over_may_have_been_started_before_its_primary() -> None:
    found = run_with(20.0, then_since=STANDBY_BEGAN_AT)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.facts["around_restarts"] == 1
    assert run_with(60.0, then_since=STANDBY_BEGAN_AT).outcome is Verdict.FAIL


def test_without_a_restart_it_is_missed() -> None:
    assert run_with(21.0, restarted=False).outcome is Verdict.FAIL


def test_a_server_that_never_comes_back_leaves_it_open_too() -> None:
    run = History(people=2)
    chat = run.chat(0, 1)
    for second in range(1, 41):
        message = run.send(0, chat, at=float(second), seq=second)
        run.poll(second + 0.5)
        run.observe(message, second + 0.5)
        run.deliver(message, second + 0.1, *((0,) if second == 40 else (0, 1)))
    for second in range(41, 60):
        run.poll(second + 0.5, PollKind.FAILED)
    run.socket(1, SocketEvent.CLOSED, 45.0)
    run.socket(1, SocketEvent.GAVE_UP, 59.0, chat=chat)
    found = realtime_missed(run)
    assert found.outcome is Verdict.INCONCLUSIVE
    assert found.facts["around_restarts"] == 1


def test_a_restart_by_which_nothing_got_lost_is_a_pass() -> None:
    assert run_with(0.0).outcome is Verdict.PASS
