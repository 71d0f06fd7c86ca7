"""Many findings, told as few: those that say the same about different messages stand together. No input or output here."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_PARTICULAR = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # an id
    r"|\d(?:[\d,.]*\d)?"  # a number
    r"|\"(?:[^\"\\]|\\.)*\""  # a text of the run
)


@dataclass(frozen=True, slots=True)
class Group:
    """Findings of one criterion with the same sentence but for ids, numbers and quoted texts.

    Attributes:
        pattern: the sentence, with … for what differs.
        first: number of its first finding in the verdict's list, from 0.
        chats: how many chats they are in.
    """

    pattern: str
    first: int
    examples: Sequence[Mapping[str, Any]]
    chats: int

    @property
    def worst_chat(self) -> tuple[str, int] | None:
        """The chat with most of them and how many, when it has more than one; None when chats are not known."""
        counted: dict[str, int] = {}
        for example in self.examples:
            if example["chat_id"] is not None:
                counted[example["chat_id"]] = counted.get(example["chat_id"], 0) + 1
        if not counted:
            return None
        chat, count = max(counted.items(), key=lambda item: item[1])
        return (chat, count) if count > 1 else None


def groups(examples: Sequence[Mapping[str, Any]]) -> list[Group]:
    """`examples` of a criterion in groups, the largest first; equals in the order of the verdict."""
    found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {}
    for number, example in enumerate(examples):
        found.setdefault(pattern(example["why"]), []).append((number, example))
    made = [
        Group(
            sentence,
            members[0][0],
            [example for _, example in members],
            len({example["chat_id"] for _, example in members} - {None}),
        )
        for sentence, members in found.items()
    ]
    return sorted(made, key=lambda group: (-len(group.examples), group.first))


def pattern(why: str) -> str:
    """`why` with … in place of ids, numbers and quoted texts."""
    return re.sub(r"…(?:, …)*(?:,? and …)?", "…", _PARTICULAR.sub("…", why))
