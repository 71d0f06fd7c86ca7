"""How to plant a fault into a world, and how to say what must be found then."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from analysis.record.codes import Status
from tests.analysis.checks.worlds import (
    LOAD_ENDS,
    Truth,
    World,
    answer,
    show,
)
from tests.analysis.histories import Message

T = TypeVar("T")

AFTER_ALL = 55.0  # by then every receipt has taken effect
LATE = LOAD_ENDS + 5  # after every other commit


class Planted(NamedTuple):
    """Criterion → ids of the messages that its findings must name; and criteria that may fail as a consequence."""

    named: dict[str, set[str]]
    consequences: frozenset[str] = frozenset()


Plant = Callable[[World, st.DataObject], Planted]
PLANTS: list[Plant] = []


def plant(function: Plant) -> Plant:
    """Register a fault."""
    PLANTS.append(function)
    return function


def pick(data: st.DataObject, candidates: list[T]) -> T:
    """One of them; a world without any is none for this fault."""
    assume(candidates)
    return data.draw(st.sampled_from(candidates))


def found(criterion: str, *rows: Truth) -> Planted:
    return Planted({criterion: {str(row.id) for row in rows}})


def forget(world: World, row: Truth) -> None:
    """The row never was: nobody sees anything of it."""
    world.rows.remove(row)
    world.shown = [shown for shown in world.shown if shown.truth is not row]
    for page in world.pages:
        page.rows = [other for other in page.rows if other is not row]


def neighbours(world: World) -> list[tuple[Truth, Truth]]:
    """Messages of the run with the one after each in the same chat."""
    by_place = {(row.message.chat, row.seq): row for row in world.rows}
    pairs = [(row, by_place.get((row.message.chat, (row.seq or 0) + 1))) for row in world.ours()]
    return [(row, after) for row, after in pairs if after is not None and after.ours]


def shift(world: World, chat: int, above: int, by: int) -> None:
    """Every later message of a chat gets another seq."""
    for row in world.rows:
        if row.message.chat == chat and row.seq is not None and row.seq > above:
            row.seq += by
    answer(world)


def stored_late(world: World, message: Message, text: str, seq: int | None = None) -> Truth:
    """One more row for this message, after every other commit; the chat's next seq unless told otherwise."""
    assume(not any(chat == message.chat and at > LATE - 1 for _, chat, at, _, _ in world.marks))
    others = [row.seq or 0 for row in world.rows if row.message.chat == message.chat]
    late = Truth(
        message,
        LATE,
        seq or max(others, default=world.baseline[message.chat]) + 1,
        sender=message.sender,
        text=text,
        statuses=[(LATE, Status.SENT)],
    )
    world.rows.append(late)
    show(world, late)
    return late
