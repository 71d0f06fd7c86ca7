"""What clients have noticed, on its way to whoever watches the run: the first few of each criterion by name, all of them counted.

However many there are, little of them is kept and little travels. Pure.
"""

import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

NAMED: Final = 10  # of each criterion, by each load process
COUNTED_EVERY_S: Final = 10.0  # how often a log says how many more there are, and one more is named


@dataclass(frozen=True, slots=True)
class Notice:
    """A finding: one sentence, and whom and what it is about, as far as that is known."""

    why: str
    chat_id: str | None = None
    seq: int | None = None
    message_id: str | None = None
    sender_id: str | None = None
    recipient_id: str | None = None


class Notices:
    """Those of one load process that nobody was told yet."""

    def __init__(self) -> None:
        self._lately: Counter[str] = Counter()  # the next of a criterion is named up to `NAMED`
        self._named: list[dict[str, Any]] = []
        self._more: Counter[str] = Counter()  # not named, and not told yet
        self._unlogged: Counter[str] = Counter()  # not named, and no sentence has told of them yet
        self._logged_s = 0.0

    def add(self, criterion: str, notice: Callable[[], Notice]) -> None:
        """There is another one; `notice` says what, if it is to be named."""
        self._lately[criterion] += 1
        if self._lately[criterion] <= NAMED:
            known = {name: value for name, value in asdict(notice()).items() if value is not None}
            self._named.append({"criterion": criterion, **known})
        else:
            self._more[criterion] += 1

    def take(self, now_s: float, *, last: bool = False) -> list[dict[str, Any]]:
        """What is new, in the monitor's own form of a finding.

        Args:
            now_s: by `time.monotonic`.
            last: nothing will follow, so that nothing may be kept for a later sentence.
        """
        taken, self._named = [{"finding": one} for one in self._named], []
        if self._more:
            self._unlogged += self._more
            taken.append({"finding": {"more": dict(self._more)}})
            self._more = Counter()
        if self._unlogged and (last or now_s - self._logged_s >= COUNTED_EVERY_S):
            counts = ", ".join(f"{count:,} of {criterion}" for criterion, count in self._unlogged.items())
            taken.append({"finding": {"why": f"More findings, not named one by one: {counts}."}})
            for criterion in self._unlogged:  # so that one of the newest is named again now and then
                self._lately[criterion] = NAMED - 1
            self._unlogged.clear()
            self._logged_s = now_s
        return taken


def is_id(text: str | None) -> bool:
    """Whether the record can hold it as an id, so that the verdict knows it, too."""
    try:
        return text is not None and bool(uuid.UUID(text))
    except ValueError:
        return False
