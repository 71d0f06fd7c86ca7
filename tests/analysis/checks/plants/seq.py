"""Faults in the numbering of messages."""

from hypothesis import assume
from hypothesis import strategies as st

from analysis.record.codes import EventType, Outcome
from tests.analysis.checks.plants.planting import (
    LATE,
    Planted,
    found,
    neighbours,
    pick,
    plant,
    shift,
    stored_late,
)
from tests.analysis.checks.worlds import (
    LOAD_ENDS,
    World,
    answer,
)


@plant
def a_seq_is_left_out(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    shift(world, row.message.chat, (row.seq or 0) - 1, 1)
    return Planted({"seq.gaps": {f"{row.message.chat}/{(row.seq or 0) - 1}"}})


@plant
def a_seq_is_left_out_and_an_event_shows_it(world: World, data: st.DataObject) -> Planted:
    planted = a_seq_is_left_out(world, data)
    ((place,),) = planted.named.values()
    chat, seq = (int(part) for part in place.split("/"))
    shown = pick(data, [one for one in world.shown if one.truth.ours and one.truth.message.chat == chat])
    shown.seq = seq
    return Planted(planted.named | {"realtime.phantom": {str(shown.truth.id)}})


@plant
def a_message_has_no_seq(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    above = row.seq or 0
    row.seq = None
    shift(world, row.message.chat, above, -1)
    return found("seq.missing", row)


@plant
def a_seq_is_given_twice(world: World, data: st.DataObject) -> Planted:
    first, second = pick(data, neighbours(world))
    second.seq = first.seq
    shift(world, second.message.chat, first.seq or 0, -1)
    return Planted({"seq.duplicates": {str(first.id), str(second.id)}})


@plant
def a_deleted_message_s_seq_is_given_again(world: World, data: st.DataObject) -> Planted:
    row = pick(data, [row for row in world.acknowledged() if row.committed < LOAD_ENDS - 5])
    after = [
        other
        for other in world.rows
        if other.message.chat == row.message.chat and (other.seq or 0) > (row.seq or 0)
    ]
    assume(not after)
    row.deleted = data.draw(
        st.sampled_from([row.committed + 0.0001, LATE - 0.5])
    )  # a look saw it, or none did
    row.statuses = [change for change in row.statuses if change[0] < row.deleted]
    world.shown = [one for one in world.shown if one.truth is not row or one.type is EventType.INSERT]
    assume(not any(row in page.rows and page.at + 1 > row.deleted for page in world.pages))
    unanswered = world.history.send(row.sender, row.message.chat, LATE - 0.1, took=0.6, outcome=Outcome.INFO)
    again = stored_late(world, unanswered, unanswered.text, row.seq)
    again.id = unanswered.id
    return Planted({"messages.lost": {str(row.id)}, "seq.duplicates": {str(row.id), str(again.id)}})


@plant
def two_messages_have_each_others_seq(world: World, data: st.DataObject) -> Planted:
    sends = world.history.rows["sends"]
    left = {send[2]: min(other[5] for other in sends if other[2] == send[2]) for send in sends}
    known = {
        send[2]: min(other[6] for other in sends if other[2] == send[2] and other[7] is Outcome.OK)
        for send in sends if send[7] is Outcome.OK
    }  # fmt: skip
    apart = [
        (first, second) for first, second in neighbours(world)
        if known.get(first.message.client_id.bytes, 1 << 62) < left[second.message.client_id.bytes]
    ]  # fmt: skip
    first, second = pick(data, apart)
    first.seq, second.seq = second.seq, first.seq
    answer(world)
    for page in world.pages:
        page.rows.sort(key=lambda row: -(row.seq or 0))
    # Realtime tells in the order of commits, which is no longer that of seq.
    return Planted({"seq.order": {str(second.id)}}, frozenset({"realtime.reordered"}))
