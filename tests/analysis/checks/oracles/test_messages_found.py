"""Promise: what the oracles of messages once found stays mended."""

from analysis.checks import messages
from analysis.checks.account import account_for
from analysis.criteria import Verdict
from analysis.record.codes import ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles.ledger import Ledger, Send, State, recorded
from tests.analysis.checks.oracles.story import Poll, key_id, message_id


def ledger(last: PollKind, sends: list[Send], rows: list[list[State]]) -> Ledger:
    polls = [Poll(PollKind.POLL, 5), Poll(PollKind.POLL, 10), Poll(last, 20)]
    return Ledger(2, [(0, 1)], [0], process_of=[0, 0], polls=polls, sends=sends, rows=rows)


def came_and_went(key: int | None) -> list[State]:
    return [
        State(0, ObservedChange.APPEARED, 0, 0, key, 1, "a"),
        State(1, ObservedChange.GONE, 0, 0, key, 1, "a"),
    ]


def test_without_a_last_look_what_was_seen_to_go_is_lost_also_where_the_answer_told_no_id() -> None:
    sent = Send(0, 0, 0, "a", 1, 2, Outcome.OK)
    found = messages.lost(account_for(recorded(ledger(PollKind.POLL, [sent], [came_and_went(0)]))))
    assert (found.outcome, found.observed) == (Verdict.FAIL, 1)


def test_what_went_is_named_by_its_own_row_where_the_answer_told_another_message_s_id() -> None:
    """The answered one is still there: to name it would send somebody to look for what is not missing."""
    rows = [[State(0, ObservedChange.APPEARED, 0, 1, 1, 2, "b")], came_and_went(0)]
    sends = [
        Send(1, 0, 1, "b", 1, 2, Outcome.OK, id=0, seq=2),
        Send(0, 0, 0, "a", 1, 2, Outcome.OK, id=0, seq=2),
    ]
    found = messages.lost(account_for(recorded(ledger(PollKind.SWEEP, sends, rows))))
    (finding,) = found.examples
    assert (finding.message_id, finding.client_generated_id) == (str(message_id(1)), str(key_id(0)))
