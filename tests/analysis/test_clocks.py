"""Promise: across machines nothing is compared but what is certain: clocks drift, measurements err, nobody is blamed
for it; and what is certain is found."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from analysis.checks import order
from analysis.checks.account import account_for
from analysis.clocks import NEVER_NS, Clocks, Offset, unnoticed_ns
from analysis.record.codes import ObservedChange, Outcome, PollKind
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
)
from tests.analysis.checks.oracles.story import Process, Story
from tests.analysis.checks.oracles.writing import evidence as evidence_of

MOST_PPM = 900  # with the leader's own that of two clocks under NTP


@dataclass(frozen=True)
class Clock:
    """A clock that runs wrong by a little, and shows something else; in milliseconds."""

    host: str
    ahead: float
    wrong_ppm: int

    def shows(self, at: float) -> float:
        return at * (1 + self.wrong_ppm / 1e6) + self.ahead


@st.composite
def clocks(draw: st.DrawFn) -> list[Clock]:
    """The leader's own and two others."""
    rates = st.integers(-MOST_PPM, MOST_PPM)
    ahead = st.sampled_from([-400_000.0, 0.0, 3.5, 77_000_000.0])
    return [
        Clock(LEADER, 0, 0),
        *(Clock(host, draw(ahead), draw(rates)) for host in ("far", "farther")),
    ]


def measured(draw: st.DrawFn, process: int, clock: Clock) -> list[Measured]:
    """Questions that were under way for a while, and answers that were, each for another."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        at, there, back = (draw(st.integers(0, most)) for most in (60_000, 30, 30))
        left, came = clock.shows(at - there), clock.shows(at + back)
        middle = (left + came) / 2
        found.append(Measured(process, middle, at - middle, (came - left) / 2 + 1e-5))
    return found


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Clock], Numbers, list[tuple[int, int]]]:
    """One chat of an app that numbers its messages in the order of commits; and when each was really sent and told."""
    hosts = draw(clocks())
    made = Numbers([clock.host for clock in hosts], [0])
    for process, clock in enumerate(hosts[1:], start=1):
        made.measured += measured(draw, process, clock)
    made.polls = [Poll(PollKind.POLL, 100, 100), Poll(PollKind.SWEEP, 100, 100)]
    sent = [
        (left, left + draw(st.integers(0, 50)), draw(st.integers(0, 50)))
        for left in draw(st.lists(st.integers(0, 60_000), min_size=2, max_size=8, unique=True))
    ]
    sent.sort(key=lambda one: one[1])  # by their commits
    truth = []
    for number, (left, committed, more) in enumerate(sent):
        process = draw(st.integers(0, 2))
        clock, seq = hosts[process], number + 1
        told = committed + more
        attempt = Attempt(clock.shows(left), clock.shows(told), Outcome.OK, seq)
        made.sends.append(Send(process, 0, [attempt], number))
        made.rows.append(Row(number, 0, number, [Seen(0, ObservedChange.APPEARED, seq)]))
        truth.append((left, told))
    return hosts, made, truth


@settings(deadline=None)
@given(histories())
def test_an_app_in_good_order_is_never_blamed(
    drawn: tuple[list[Clock], Numbers, list[tuple[int, int]]],
) -> None:
    _, made, _ = drawn
    found = order.order(account_for(evidence(made)))
    assert found.observed == 0
    assert found.facts == {}  # all were compared


@settings(deadline=None)
@given(histories(), st.data())
def test_what_is_certain_is_found(
    drawn: tuple[list[Clock], Numbers, list[tuple[int, int]]], data: st.DataObject
) -> None:
    _, made, truth = drawn
    certain_ms = 300  # two round trips of 60 ms, and two clocks that drift for a minute at most
    apart = [
        number for number in range(len(truth) - 1) if truth[number + 1][0] - truth[number][1] > certain_ms
    ]
    assume(apart)
    first = data.draw(st.sampled_from(apart))
    for number, seq in ((first, first + 2), (first + 1, first + 1)):
        made.rows[number].seen[0].seq = made.sends[number].attempts[0].told = seq
    found = order.order(account_for(evidence(made)))
    assert [one.seq for one in found.examples] == [first + 1]


@settings(deadline=None)
@given(st.data())
def test_the_bounds_hold_the_truth_at_any_time(data: st.DataObject) -> None:
    clock = data.draw(clocks())[1]
    made = Numbers([LEADER, clock.host], [0], measured=measured(data.draw, 1, clock))
    found = Clocks.of(evidence(made))
    (offset,) = found.offsets.values()
    for at in data.draw(st.lists(st.integers(0, 200_000), min_size=1, max_size=5)):
        shown_ns = 5_000_000_000_000 + round(clock.shows(at) * 1e6)
        least, most = offset.bounds(np.array([shown_ns]))
        assert least[0] - 2 <= (5_000_000_000_000 + at * 10**6) - shown_ns <= most[0] + 2


def test_the_clocks_drift_while_a_question_is_under_way_too() -> None:
    clock = Clock("far", 0.0, -MOST_PPM)
    left, came = clock.shows(194), clock.shows(194 + 21)  # answered at once, and the answer took all the time
    middle = (left + came) / 2
    answer = Measured(1, middle, 194 - middle, (came - left) / 2)
    (offset,) = Clocks.of(evidence(Numbers([LEADER, "far"], [0], measured=[answer]))).offsets.values()
    shown_ns = 5_000_000_000_000 + round(clock.shows(293) * 1e6)
    _, most = offset.bounds(np.array([shown_ns]))
    assert 5_000_000_000_000 + 293 * 10**6 - shown_ns <= most[0] + 2


def test_measurements_that_contradict_one_another_are_not_believed() -> None:
    at_ns, error_ns = np.array([0, 10**9]), np.array([1000, 1000])
    drifted = 10**6  # in a second, by as much as two clocks may; in the 1000 ns of an error, by 1 ns
    assert Offset.of(at_ns, np.array([0, drifted + 2002]), error_ns) is not None
    assert Offset.of(at_ns, np.array([0, drifted + 2003]), error_ns) is None
    assert Offset.of(np.array([], np.int64), np.array([], np.int64), np.array([], np.int64)) is None


def test_a_good_measurement_far_away_beats_a_bad_one_close_by() -> None:
    at_ns, none = np.array([0, 1, 2]) * 10**9, np.zeros(3, np.int64)
    for error_ns, away_s in (([1000, 10**8, 10**8], 1.5), ([10**8, 10**8, 1000], 0.5)):
        offset = Offset.of(at_ns, none, np.array(error_ns))
        assert offset is not None
        least, most = offset.bounds(np.array([round(away_s * 1e9)]))
        assert (least[0], most[0]) == (-1001 - 1_500_000, 1001 + 1_500_000)


def test_a_moment_is_dated_by_the_middle_of_what_it_may_be_and_not_at_all_where_nobody_compared() -> None:
    at_ns, none = np.array([10**9]), np.zeros(1, np.int64)
    offset = Offset.of(at_ns, none + 5000, none + 1000)
    assert offset is not None
    clocks = Clocks(leader=0, offsets={1: offset})
    dated = clocks.dated(np.repeat(at_ns, 3), np.array([0, 1, 2]))
    assert dated.tolist() == [10**9, 10**9 + 5000, NEVER_NS]


def test_without_a_word_of_the_monitor_the_first_load_process_has_the_run_s_clock() -> None:
    story = Story(2, [(0, 1)], [0], [Process("a"), Process("b")], Process(silent=True), [0, 1])
    found = evidence_of(story)
    assert Clocks.of(found).known(np.array([part.clock for part in found.parts])).tolist() == [True, False]


@pytest.mark.parametrize(
    ("late_ms", "unnoticed_ms"),
    [([0, 0, 0], 500), ([5000, 0, 0], 5000), ([0, 5000, 0], 500), ([0, 0, 700], 700), ([], 500)],
)
def test_the_first_and_the_last_look_say_what_no_look_would_notice(
    late_ms: list[int], unnoticed_ms: int
) -> None:
    """The database's clock may have been set right after the one, or right before the other."""
    at_ns = [number * 10**10 for number in range(len(late_ms))]
    polls = pd.DataFrame(
        {
            "poll": range(len(late_ms)),
            "kind": [int(PollKind.POLL)] * len(late_ms),
            "at_ns": at_ns,
            "asked_ns": [at - late * 10**6 for at, late in zip(at_ns, late_ms, strict=True)],
        }
    ).iloc[::-1]
    assert unnoticed_ns(polls) == unnoticed_ms * 10**6
