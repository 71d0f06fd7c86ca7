"""Promise: each fault, planted into a run in which all else is right, is found by its criteria alone, and named."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.checks import audit
from analysis.criteria import Criterion, Verdict
from tests.analysis.checks.plants import PLANTS, Plant
from tests.analysis.checks.worlds import World, asked_of_worlds, worlds


def names(world: World, criterion: Criterion) -> set[str]:
    """What the findings of a criterion are about, in the words of `plants`."""
    if criterion.id == "idempotency.retries":
        return {uuid.UUID(finding.client_generated_id or "").hex for finding in criterion.examples}
    if criterion.id == "seq.gaps":
        chats = {str(world.history.chat_id(chat)): chat for chat in range(len(world.history.chats))}
        return {f"{chats[finding.chat_id or '']}/{finding.seq}" for finding in criterion.examples}
    return {finding.message_id or "" for finding in criterion.examples}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
@asked_of_worlds(10)
@given(world=worlds(), data=st.data())
def test_it_is_found_by_exactly_its_criteria(plant: Plant, world: World, data: st.DataObject) -> None:
    planted = plant(world, data)
    found = audit(world.recorded().evidence(), delivered_within_s=5)
    failed = {one.id: one for one in found.criteria if one.outcome is Verdict.FAIL}
    said = {one.id: [finding.why for finding in one.examples] for one in failed.values()}
    assert set(planted.named) <= set(failed), said
    assert set(failed) - set(planted.named) <= planted.consequences, said
    for criterion, messages in planted.named.items():
        named = names(world, failed[criterion])
        assert named <= messages, failed[criterion]
        assert named, failed[criterion]
