"""What `plan.history` must say of explained history queries, chat by chat.

Written from the words of docs/what-is-checked.md and of the checker, and from nothing else of it.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from tests.analysis.checks.oracles.answer import Answer

PAGE_TIMES_TEN = 500
READS_PAGES = {
    "chat_id, seq": True,
    "chat_id, seq DESC": True,
    "chat_id DESC, seq": True,
    "chat_id, created_at": False,
    "seq, chat_id": False,
    "chat_id": False,
}


@dataclass(frozen=True, slots=True)
class Index:
    """An index of chat_messages, and whether PostgreSQL may use it."""

    name: str
    leads: str
    usable: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The query ran once for a chat, or was only planned with every other way forbidden (`forced`); `took_ms` None: it failed."""

    chat: int
    forced: bool
    took_ms: float | None
    rows_read: int
    index: str | None
    is_sorted: bool


def history(indexes: Sequence[Index], samples: Sequence[Sample], target_ms: float) -> Answer:
    """For each chat at most one fault of the way, and one of the time."""
    serving = {one.name for one in indexes if READS_PAGES[one.leads]}
    ran = [one for one in samples if not one.forced]
    faults: list[Hashable] = []
    for chat in sorted({one.chat for one in ran}):
        of_chat = [one for one in ran if one.chat == chat and one.took_ms is not None]
        could = any(one.chat == chat and one.forced and _in_order(one, serving) for one in samples)
        otherwise = [one for one in of_chat if not _in_order(one, serving)]
        if otherwise and (not could or max(one.rows_read for one in otherwise) > PAGE_TIMES_TEN):
            faults.append((chat, "way"))
        median_ms = _median([one.took_ms for one in of_chat if one.took_ms is not None])
        if median_ms is not None and median_ms >= target_ms:
            faults.append((chat, "time"))
    return Answer(faults, len(ran), unseen=all(one.took_ms is None for one in ran))


def slowest_median_ms(samples: Sequence[Sample]) -> float | None:
    """Of the chats' medians the largest; None where nothing ran to its end."""
    ran = [one for one in samples if not one.forced]
    medians = [
        _median([one.took_ms for one in ran if one.chat == chat and one.took_ms is not None])
        for chat in {one.chat for one in ran}
    ]
    return max((median for median in medians if median is not None), default=None)


def _in_order(sample: Sample, serving: set[str]) -> bool:
    return sample.index in serving and not sample.is_sorted


def _median(times_ms: list[float]) -> float | None:
    """The smallest that at least half do not exceed."""
    for candidate in sorted(times_ms):
        if 2 * sum(one <= candidate for one in times_ms) >= len(times_ms):
            return candidate
    return None
