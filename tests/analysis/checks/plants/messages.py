"""Faults in what is stored of what was sent."""

import uuid

from hypothesis import strategies as st

from analysis.record.codes import EventType, Outcome
from tests.analysis.checks.plants.planting import (
    AFTER_ALL,
    Planted,
    forget,
    found,
    pick,
    plant,
    stored_late,
)
from tests.analysis.checks.worlds import (
    Truth,
    World,
)


@plant
def an_acknowledged_message_is_not_stored(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.acknowledged())
    forget(world, row)
    return found("messages.lost", row)


@plant
def a_stored_message_vanishes(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.acknowledged())
    row.deleted = AFTER_ALL
    return found("messages.lost", row)


@plant
def a_message_without_an_answer_is_stored_and_vanishes(world: World, data: st.DataObject) -> Planted:
    row = pick(data, [row for row in world.ours() if row not in world.acknowledged()])
    row.deleted = AFTER_ALL
    return found("messages.lost", row)


@plant
def a_message_vanishes_before_any_look_saw_it(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.acknowledged())
    world.shown = [shown for shown in world.shown if shown.truth is not row or shown.type is EventType.INSERT]
    world.pages = [page for page in world.pages if row not in page.rows]
    row.deleted = row.committed + 0.0001
    return found("messages.lost", row)


@plant
def a_refused_message_is_stored(world: World, data: st.DataObject) -> Planted:
    refused = [key for key, outcomes in world.outcomes().items() if set(outcomes) == {Outcome.FAIL}]
    message = pick(data, [one for one in world.history.messages if one.client_id.bytes in refused])
    row = stored_late(world, message, message.text)
    return found("messages.unexpected", row)


@plant
def a_message_is_stored_twice(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    stored_late(world, row.message, row.text)
    return stored_twice(world, row)


@plant
def a_copy_is_stored_and_removed_again(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    copy = stored_late(world, row.message, row.text)
    copy.deleted = AFTER_ALL
    return stored_twice(world, row)


@plant
def an_attempt_and_its_repeat_store_a_row_each_and_neither_is_answered(
    world: World, data: st.DataObject
) -> Planted:
    row = pick(data, [row for row in world.ours() if was_repeated(world, row)])
    stored_late(world, row.message, row.text)
    sends = world.history.rows["sends"]
    for number, send in enumerate(sends):
        if send[2] == row.message.client_id.bytes:
            sends[number] = (*send[:7], Outcome.INFO, 0, None, None, *send[11:])
    return stored_twice(world, row)


def was_repeated(world: World, row: Truth) -> bool:
    return len(world.outcomes()[row.message.client_id.bytes]) > 1


def stored_twice(world: World, row: Truth) -> Planted:
    planted = found("messages.duplicated", row)
    if was_repeated(world, row):
        planted.named["idempotency.retries"] = {row.message.client_id.hex}
    return planted


@plant
def a_text_is_changed(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    row.text += data.draw(st.sampled_from([" ", "\n", "?", "\u0301"]))
    return found("messages.corrupted", row)


@plant
def a_message_is_stored_under_another_name(world: World, data: st.DataObject) -> Planted:
    receipted = {chat for _, chat, _, _, _ in world.marks}
    row = pick(data, [row for row in world.ours() if row.message.chat not in receipted])
    row.sender = pick(data, [one for one in world.history.chats[row.message.chat] if one != row.sender])
    return found("messages.corrupted", row)


@plant
def the_answer_tells_another_seq(world: World, data: st.DataObject) -> Planted:
    sends = world.history.rows["sends"]
    outcomes = world.outcomes()
    once = [
        n
        for n, send in enumerate(sends)
        if send[7] is Outcome.OK and outcomes[send[2]].count(Outcome.OK) == 1
    ]
    number = pick(data, once)
    sends[number] = (*sends[number][:10], sends[number][10] + 1, *sends[number][11:])
    return found(
        "messages.corrupted",
        *[row for row in world.ours() if row.message.client_id.bytes == sends[number][2]],
    )


@plant
def a_repeat_is_answered_with_another_message(world: World, data: st.DataObject) -> Planted:
    sends = world.history.rows["sends"]
    outcomes = world.outcomes()
    repeats = [n for n, send in enumerate(sends) if send[3] > 0 and outcomes[send[2]].count(Outcome.OK) == 2]
    number = pick(data, repeats)
    sends[number] = (*sends[number][:9], uuid.uuid4().bytes, *sends[number][10:])
    return Planted({"idempotency.retries": {uuid.UUID(bytes=sends[number][2]).hex}})
