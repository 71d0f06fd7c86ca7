"""Faults in who is let in."""

from hypothesis import strategies as st

from analysis.record.codes import AttemptKind, Outcome
from tests.analysis.checks.plants.planting import Planted, found, pick, plant
from tests.analysis.checks.worlds import STRANGER, World
from tests.analysis.histories import Message


@plant
def an_outsider_s_message_is_stored(world: World, data: st.DataObject) -> Planted:
    row = pick(data, [row for row in world.rows if not row.ours])
    meant = row.message
    intruding = Message(STRANGER, meant.chat, row.text, meant.client_id, row.id, at=meant.at)
    outcome = data.draw(st.sampled_from([Outcome.OK, Outcome.INFO]))
    world.history.attempt(
        STRANGER, meant.chat, meant.at, AttemptKind.SEND, outcome=outcome, message=intruding
    )
    return found("access.denied", row)
