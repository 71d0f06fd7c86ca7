"""Many findings, shown as few: those that say the same stand together, with how many there are of all. No input or output here.

How many there are is what the judge counted over all findings; the rows below are some of those that ``verdict.json`` names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from analysis.faults import pattern

PAGE_ROWS = 600  # findings in a page, whatever it holds: it stays small enough to open
ROWS_MOST = 150  # of a criterion
ROWS_SHOWN = 12  # of a criterion that has no more: they need no groups
ROWS_OF_GROUP = 3  # that are open to the eye; a group has as many before another gets more
GROUPS_MOST = 30  # of a criterion


@dataclass(frozen=True, slots=True)
class Row:
    """A finding. `number` is its place in the verdict's list, from 1."""

    number: int
    example: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one kind, or all that are of a kind of their own.

    Attributes:
        why: their sentence, with … for what differs; None: each is of a kind of its own.
        count: how many there are, shown or not.
        chats, worst_chat: as in ``verdict.json``.
    """

    why: str | None
    count: int
    chats: int
    worst_chat: Mapping[str, Any] | None
    rows: Sequence[Row]

    @property
    def open(self) -> Sequence[Row]:
        """The rows that are open to the eye."""
        return self.rows[:ROWS_OF_GROUP]

    @property
    def folded(self) -> Sequence[Row]:
        """The others, which unfold."""
        return self.rows[ROWS_OF_GROUP:]


@dataclass(frozen=True, slots=True)
class Section:
    """The findings of a criterion on the page.

    Attributes:
        rows: all of them, where they are few enough to need no groups; else empty.
        shown: how many rows there are, in groups or not.
        further_kinds, further: kinds that have no group, and their findings.
    """

    entry: Mapping[str, Any]
    rows: Sequence[Row]
    groups: Sequence[Group]
    shown: int
    further_kinds: int
    further: int


def sections(criteria: Sequence[Mapping[str, Any]]) -> list[Section]:
    """The findings of every criterion that has any, with no more rows than a page may have."""
    found = [entry for entry in criteria if entry["examples"]]
    rooms = shared(PAGE_ROWS, [min(ROWS_MOST, len(entry["examples"])) for entry in found])
    return [_section(entry, room) for entry, room in zip(found, rooms, strict=True)]


def shared(room: int, wanted: Sequence[int]) -> list[int]:
    """`room` given out evenly: nobody gets more than wanted, and what is left over goes to the others."""
    given = [0] * len(wanted)
    by_need = sorted(range(len(wanted)), key=lambda one: wanted[one])
    for served, one in enumerate(by_need):
        given[one] = min(wanted[one], room // (len(wanted) - served))
        room -= given[one]
    return given


def _section(entry: Mapping[str, Any], room: int) -> Section:
    rows = [Row(number, example) for number, example in enumerate(entry["examples"], 1)]
    count = entry["findings"]["count"]
    if count <= min(ROWS_SHOWN, room):
        return Section(entry, rows, (), len(rows), 0, 0)
    kinds = entry["findings"]["largest"]
    of_kind: dict[str, list[Row]] = {kind["why"]: [] for kind in kinds}
    alone: list[Row] = []
    for row in rows:
        of_kind.get(pattern(row.example["why"]), alone).append(row)
    several = [kind for kind in kinds if kind["count"] > 1]
    shown = several[: min(GROUPS_MOST, max(1, room // ROWS_OF_GROUP))]
    groups = [Group(**kind, rows=of_kind[kind["why"]]) for kind in shown]
    rest_kinds = entry["findings"]["kinds"] - len(shown)
    rest = count - sum(kind["count"] for kind in shown)
    if len(shown) == len(several) and rest_kinds == rest > 0:  # each of a kind of its own
        alone += [row for kind in kinds[len(several) :] for row in of_kind[kind["why"]]]
        alone.sort(key=lambda row: row.number)
        groups.append(Group(None, rest, 0, None, alone))
        rest_kinds, rest = 0, 0
    groups = _within(groups, room)
    return Section(entry, (), groups, sum(len(group.rows) for group in groups), rest_kinds, rest)


def _within(groups: Sequence[Group], room: int) -> list[Group]:
    """The same with no more rows than there is room for: the open ones of every group first, then those of the largest."""
    opened = shared(room, [len(group.open) for group in groups])
    left = room - sum(opened)
    made = []
    for group, first in zip(groups, opened, strict=True):
        more = min(left, len(group.rows) - first)
        left -= more
        made.append(Group(group.why, group.count, group.chats, group.worst_chat, group.rows[: first + more]))
    return made
