"""Faults in the status of messages."""

from hypothesis import assume
from hypothesis import strategies as st

from analysis.record.codes import EventType, MarkKind, Status
from tests.analysis.checks.plants.planting import (
    AFTER_ALL,
    Planted,
    found,
    pick,
    plant,
)
from tests.analysis.checks.worlds import (
    Shown,
    World,
)


@plant
def a_status_is_none_of_the_three(world: World, data: st.DataObject) -> Planted:
    row = pick(data, world.ours())
    row.statuses.append((AFTER_ALL, Status.OTHER))
    return found("status.invalid", row)


@plant
def a_status_goes_back(world: World, data: st.DataObject) -> Planted:
    row = pick(data, [row for row in world.ours() if row.status(AFTER_ALL) > Status.SENT])
    lower = [status for status in (Status.SENT, Status.DELIVERED) if status < row.status(AFTER_ALL)]
    row.statuses.append((AFTER_ALL, pick(data, lower)))
    return found("status.regressed", row)


@plant
def a_status_goes_back_and_forth_between_two_looks(world: World, data: st.DataObject) -> Planted:
    """Only Realtime's events show it."""
    seen = [shown for shown in world.shown if shown.truth.ours and shown.to.ended is None]
    shown = pick(data, [shown for shown in seen if shown.truth.status(AFTER_ALL) is Status.READ])
    row, to = shown.truth, shown.to
    assume(
        any(event.to is to and event.status is Status.READ and event.truth is row for event in world.shown)
    )
    for step, status in enumerate((Status.SENT, Status.READ)):
        when = AFTER_ALL - 0.5 + step / 10
        row.statuses.append((when, status))
        world.shown.append(Shown(row, to, when + 0.05, when, EventType.UPDATE, status))
    return found("status.regressed", row)


@plant
def a_receipt_changes_nothing(world: World, data: st.DataObject) -> Planted:
    covered = [
        row for row in world.acknowledged()
        if any(
            chat == row.message.chat and person != row.sender and up_to >= (row.seq or 0)
            and at > row.committed + 3
            for person, chat, at, _, up_to in world.marks
        )
    ]  # fmt: skip
    row = pick(data, covered)
    del row.statuses[1:]
    world.shown = [one for one in world.shown if one.truth is not row or one.type is EventType.INSERT]
    return found("status.stuck", row)


@plant
def a_reading_changes_nothing(world: World, data: st.DataObject) -> Planted:
    """It was delivered, and stays that."""
    said_to_be_read = [
        row for row in world.acknowledged()
        if any(
            kind is MarkKind.READ and chat == row.message.chat and person != row.sender
            and up_to >= (row.seq or 0) and at > row.committed + 3
            for person, chat, at, kind, up_to in world.marks
        )
    ]  # fmt: skip
    row = pick(data, said_to_be_read)
    row.statuses = [(at, status) for at, status in row.statuses if status is not Status.READ]
    if len(row.statuses) == 1:
        row.statuses.append((row.committed + 1, Status.DELIVERED))
    world.shown = [one for one in world.shown if one.truth is not row or one.status is not Status.READ]
    return found("status.stuck", row)
