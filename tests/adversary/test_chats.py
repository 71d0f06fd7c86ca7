"""Promise: each fault in a chat is noticed by exactly the criteria that it breaks, which name exactly whom it touched."""

from collections.abc import Iterator

import pytest

from tests.adversary.catalogue import FAULTS
from tests.adversary.faults import ChatFault
from tests.adversary.shared_run import SharedRun
from tests.locustfiles.soaks import TOO_SHORT_FOR
from tests.staging.stages import running_stage

UUID_LENGTH = 36
# By load processes, of the criteria that faults of a chat break.
TOLD_AT_ONCE = {"realtime.duplicated", "realtime.reordered", "realtime.phantom", "history.pages"}

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SharedRun]:
    with running_stage() as stage:
        yield SharedRun(stage, tmp_path_factory.mktemp("adversary"), FAULTS)


@pytest.mark.parametrize("kind", FAULTS, ids=lambda kind: kind.name())
def test_exactly_its_criteria_notice(run: SharedRun, kind: type[ChatFault]) -> None:
    assert run.faults[kind.name()].struck, "the fault never came to act"
    assert kind.name() in run.shown, "the record does not show that it acted"
    assert run.mistakes.get(kind.name(), []) == []


def test_what_was_told_while_it_ran_is_what_the_verdict_says(run: SharedRun) -> None:
    named = {
        (criterion["id"], finding["message_id"])
        for criterion in run.ended.verdict["criteria"]
        for finding in criterion["examples"]
    }
    told = {
        (criterion, why.removeprefix("Message ")[:UUID_LENGTH]) for criterion, why in run.ended.told_by_load()
    }
    assert {criterion for criterion, _ in told} == TOLD_AT_ONCE
    assert told <= named


def test_nobody_else_is_blamed(run: SharedRun) -> None:
    assert set(run.mistakes) <= set(run.faults), run.mistakes


def test_every_other_criterion_passes(run: SharedRun) -> None:
    for criterion in run.ended.verdict["criteria"]:
        otherwise = "info" if criterion["id"] in TOO_SHORT_FOR else "pass"
        expected = "fail" if criterion["id"] in run.broken else otherwise
        assert criterion["outcome"] == expected, (criterion["id"], criterion["reason"], run.mistakes)
