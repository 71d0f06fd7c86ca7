"""Promise: `seq.*` says of any history what plain loops over it say: the same faults, counts and outcome."""

from collections.abc import Callable, Hashable
from typing import Any

import pytest
from hypothesis import given

from analysis.checks import gaps, order, sequence
from analysis.checks.account import Account, account_for
from analysis.criteria import Criterion, Finding, Verdict
from analysis.record.codes import ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles import numbering_oracles
from tests.analysis.checks.oracles.answer import Answer, agree
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.numbering import (
    LEADER,
    Attempt,
    Measured,
    Numbers,
    Poll,
    Row,
    Seen,
    Send,
    evidence,
    key_id,
    numbers,
)


def message(finding: Finding) -> Hashable:
    return finding.message_id


def place(finding: Finding) -> Hashable:
    return finding.chat_id, finding.seq


def given_again(finding: Finding) -> Hashable:
    return finding.message_id if "given again" in finding.why else place(finding)


def send(finding: Finding) -> Hashable:
    return next(number for number in range(20) if str(key_id(number)) == finding.client_generated_id)


CHECKS: dict[
    str, tuple[Callable[[Account], Criterion], Callable[[Numbers], Answer], Callable[[Finding], Hashable]]
] = {
    "missing": (sequence.missing, numbering_oracles.missing, message),
    "duplicates": (sequence.duplicates, numbering_oracles.duplicates, given_again),
    "gaps": (gaps.gaps, numbering_oracles.gaps, place),
    "order": (order.order, numbering_oracles.order, send),
}


@pytest.mark.parametrize("examples", EXAMPLES)
@pytest.mark.parametrize("name", CHECKS)
def test_a_checker_agrees_with_its_oracle(name: str, examples: int) -> None:
    check, oracle, about = CHECKS[name]

    @thoroughly(examples)
    @given(numbers())
    def agrees(made: Numbers) -> None:
        agree(check(account_for(evidence(made))), oracle(made), about)

    agrees()


APPEARED = ObservedChange.APPEARED


def told(*outcomes: Outcome, rows: dict[int, int], xids: tuple[tuple[int, int], ...], **more: Any) -> Numbers:
    """Sends with these outcomes in one chat; row and seq of those that are stored; xmin and next id of the looks."""
    made = Numbers([LEADER], [0], **more)
    made.polls = [Poll(PollKind.POLL, *ids) for ids in xids]
    made.polls[-1].kind = PollKind.SWEEP
    made.sends = [Send(0, 0, [Attempt(0, 1, one, None)], number) for number, one in enumerate(outcomes)]
    made.rows = [Row(number, 0, number, [Seen(0, APPEARED, seq)]) for number, seq in rows.items()]
    return made


OK, INFO = Outcome.OK, Outcome.INFO
STILL, ENDED = ((100, 102), (100, 102)), ((100, 102), (102, 105))


@pytest.mark.parametrize(
    ("made", "outcome", "count"),
    [
        (told(OK, rows={0: 2}, xids=ENDED), Verdict.FAIL, 1),
        (told(OK, rows={0: 2}, xids=((100, 102), (101, 102))), Verdict.INCONCLUSIVE, 0),
        (told(OK, rows={0: 2}, xids=STILL), Verdict.INCONCLUSIVE, 0),
        (
            told(OK, INFO, rows={0: 2}, xids=ENDED),
            Verdict.FAIL,
            1,
        ),  # whose fate is open holds nothing any more
        (told(OK, rows={0: 2}, xids=ENDED, knows_ids=False), Verdict.FAIL, 1),
        (told(OK, INFO, rows={0: 2}, xids=ENDED, knows_ids=False), Verdict.INCONCLUSIVE, 0),
        (told(OK, INFO, rows={0: 3}, xids=ENDED, knows_ids=False), Verdict.FAIL, 2),
        (told(OK, INFO, rows={0: 2, 1: 3}, xids=ENDED, knows_ids=False), Verdict.FAIL, 1),  # stored: not open
        (told(OK, rows={0: 1}, xids=ENDED), Verdict.PASS, 0),
    ],
)
def test_when_a_hole_is_a_gap(made: Numbers, outcome: Verdict, count: int) -> None:
    found = gaps.gaps(account_for(evidence(made)))
    assert (found.outcome, found.observed) == (outcome, count)
    agree(found, numbering_oracles.gaps(made), place)


def test_a_row_at_the_baseline_fills_no_hole_above_it() -> None:
    made = told(OK, OK, rows={0: 5, 1: 7}, xids=ENDED)
    made.baseline = [5]
    found = gaps.gaps(account_for(evidence(made)))
    assert [one.seq for one in found.examples] == [6]
    agree(found, numbering_oracles.gaps(made), place)


def test_what_left_at_the_very_moment_of_an_answer_did_not_leave_after_it() -> None:
    made = told(OK, OK, rows={0: 2, 1: 1}, xids=ENDED)
    for later, faults in ((1, 0), (2, 1)):  # the answer came at 1
        made.sends[1].attempts[0] = Attempt(later, later + 1, OK, None)
        found = order.order(account_for(evidence(made)))
        assert found.observed == faults
        agree(found, numbering_oracles.order(made), send)


def test_a_clock_that_was_not_measured_is_compared_with_no_other() -> None:
    made = told(OK, OK, OK, rows={0: 9, 1: 1, 2: 8}, xids=ENDED)
    made.hosts = ["unmeasured", LEADER, "far"]
    made.measured = [Measured(2, 0, 0, 1)]
    for process, one in enumerate(made.sends):
        one.process = process
    made.sends[1].attempts[0] = made.sends[2].attempts[0] = Attempt(5000, 5001, OK, None)
    found = order.order(account_for(evidence(made)))
    assert (found.observed, found.facts) == (0, {"own_clock_only": 1})
    agree(found, numbering_oracles.order(made), send)


@pytest.mark.parametrize("hosts", [[LEADER, "far"], ["far", LEADER]])
@pytest.mark.parametrize(("later", "faults"), [(1030, 0), (1050, 1)])
def test_across_machines_only_what_is_certain_counts(hosts: list[str], later: int, faults: int) -> None:
    made = told(OK, OK, rows={0: 2, 1: 1}, xids=ENDED)
    made.hosts = hosts
    made.measured = [Measured(hosts.index("far"), 1000, 0, 40)]
    made.sends[1].process = 1
    made.sends[0].attempts[0] = Attempt(900, 1000, OK, None)
    made.sends[1].attempts[0] = Attempt(later, later + 9, OK, None)
    found = order.order(account_for(evidence(made)))
    assert found.observed == faults
    agree(found, numbering_oracles.order(made), send)
