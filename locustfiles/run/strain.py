"""Whether a load process keeps up, while the run goes on: by the bound that the verdict has for all of the load (`MOST_STILL`)."""

from collections import deque
from collections.abc import Callable

from analysis.record.standstill import MOST_STILL

Tell = Callable[[str, int, str], None]  # process, for how many seconds it did not keep up, in words

WINDOW = 5  # seconds, of one row each


class Strain:
    """One load process.

    Attributes:
        tell: called whenever there is something new for the live tab.
    """

    def __init__(self, process: str) -> None:
        self.tell: Tell | None = None
        self._seconds = 0
        self._process = process
        self._rows: deque[tuple[float, float, float]] = deque(maxlen=WINDOW)
        self._behind = False

    def hear(self, span_s: float, still_s: float, cpu_s: float) -> str | None:
        """Take in another second; a sentence when the process falls behind, and when it has caught up.

        Args:
            span_s: length of that second.
            still_s: for so much of it, at least, the event loop stood still.
            cpu_s: processor time that the process used in it.
        """
        self._rows.append((span_s, still_s, cpu_s))
        spans, still, used = (sum(column) for column in zip(*self._rows, strict=True))
        behind = len(self._rows) == WINDOW and still > MOST_STILL * spans
        self._seconds += behind
        words = None
        if behind:
            words = (
                f"{self._process} cannot keep up: its event loop stood still for {still / spans:.0%} of the last "
                f"{spans:.0f} s, with {used / spans:.0%} of a core used: users who would have sent meanwhile did not. More than "
                f"{MOST_STILL:.0%} of a whole run makes it inconclusive. Use more load processes (--processes), or a larger machine."
            )
        elif self._behind:
            words = f"{self._process} keeps up again, after {self._seconds} s in which it did not."
        if words is not None and self.tell is not None:
            self.tell(self._process, self._seconds, words)
        changed, self._behind = behind != self._behind, behind
        return words if changed else None
