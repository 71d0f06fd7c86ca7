"""Promise: a status that only went forward is never said to have gone back, whatever clocks show; one that was seen to
go back, in an order that is certain, is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks import status
from analysis.checks.account import account_for
from analysis.criteria import Criterion
from analysis.record.codes import Status
from tests.analysis.checks.oracles.clockwork import LAST, Commit, Truth, event, told, truths
from tests.analysis.checks.oracles.examples import EXAMPLES, thoroughly
from tests.analysis.checks.oracles.story import Story, message_id
from tests.analysis.checks.oracles.writing import evidence


def regressed(story: Story) -> Criterion:
    return status.regressed(account_for(evidence(story)))


@pytest.mark.parametrize("examples", EXAMPLES)
def test_nobody_is_blamed_for_what_clocks_do(examples: int | None) -> None:
    @thoroughly(examples)
    @given(truths(), st.data())
    def blames_nobody(truth: Truth, data: st.DataObject) -> None:
        found = regressed(told(data.draw, truth))
        assert found.examples == ()

    blames_nobody()


def set_back(draw: st.DrawFn, truth: Truth, after: float) -> tuple[int, Commit, Commit]:
    """A message goes back so long after its last change; its number, what it was, and what it became."""
    number = draw(st.integers(0, len(truth.commits) - 1))
    was = truth.commits[number][-1]
    at = was.seen_from + after
    return (
        number,
        was,
        Commit(draw(st.sampled_from([Status.SENT, Status.DELIVERED][: was.status - 1])), at, at),
    )


@pytest.mark.parametrize("examples", EXAMPLES)
def test_what_one_subscription_shows_going_back_is_found(examples: int | None) -> None:
    @thoroughly(examples)
    @given(truths(), st.data())
    def finds_it(truth: Truth, data: st.DataObject) -> None:
        number, was, became = set_back(data.draw, truth, after=0.01)
        since, ahead = truth.story.set_by
        if was.at < since <= became.at and ahead < 0:
            truth.story.set_by = (0, 0)  # or else the database's clock tells another order
        story = told(data.draw, truth)
        person = data.draw(st.integers(0, 1))
        story.events += [event(person, number, was, LAST), event(person, number, became, LAST)]
        assert named(regressed(story)) == {str(message_id(number))}

    finds_it()


@pytest.mark.parametrize("examples", EXAMPLES)
def test_what_a_look_saw_and_an_event_shows_set_back_later_is_found(examples: int | None) -> None:
    @thoroughly(examples)
    @given(truths(), st.data())
    def finds_it(truth: Truth, data: st.DataObject) -> None:
        truth.story.set_by = (0, 0)
        # Answers may be late by 5 s, to questions of 2 s before: then commit times are vague by that, and by what the looks
        # tell of the database's clock; so is the moment of the look itself.
        number, was, became = set_back(data.draw, truth, after=18 if truth.tells_when_asked else 2)
        snapshots = [was.seen_from + 0.3]
        story = told(data.draw, truth, snapshots)
        story.events.append(event(0, number, became, became.at + 0.1))
        assert named(regressed(story)) == {str(message_id(number))}

    finds_it()


def named(found: Criterion) -> set[str | None]:
    return {finding.message_id for finding in found.examples}
