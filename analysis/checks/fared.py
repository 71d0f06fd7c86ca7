"""What the load processes tell of how they fared: the one argument of `generator.healthy` and of its reasons. Pure."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.checks.spans import Floats
from analysis.checks.stalls import Stalls, Still

# A process that uses so much of what it may use of a processor has a queue in front of it.
BUSY = 0.9
# A second of which a process was behind for longer than this is named as one that is not to be believed.
BAD_SECOND = 0.2


@dataclass(frozen=True, slots=True)
class Delay:
    """What kept sends from leaving, or their answers from being read, all those together of which much is the generator's own.

    Attributes:
        held: for each second of the load the share of it for which one of them was delayed by the generator.
        own_s: how long the generator delayed them, added up.
        noted_s: how much of that lies in times in which a process noted that it stood still or was in full use.
        slots_s: how long they waited, beside that, for a slot of those that the server held.
    """

    held: Floats
    own_s: float = 0.0
    noted_s: float = 0.0
    slots_s: float = 0.0

    @property
    def unexplained(self) -> bool:
        """Whether nothing that was noted explains as much as half of it."""
        return self.noted_s < self.own_s / 2


@dataclass(frozen=True, slots=True)
class Load:
    """What the load processes tell of themselves over the time of the load.

    Attributes:
        rows: of table ``generator`` while the load went on.
        judged: those after the warm-up.
        stalls: in that time.
        still: how long the worst of the processes stood still, after the warm-up.
        is_open: by a schedule that does not wait for answers.
        behind: for each second the largest share of it for which a process did not keep up: it stood still, or used all that
            it had of a processor.
        busy_cores: how much of a core a process used in each of its seconds in which it used, or waited for, all it had.
        begin_s, seconds: of the load, on the run's axis.
        stretch: how many times as much would have been done without the generator's own delays.
        processes: how many there were.
        sends: how many left.
        own_errors: sockets that this machine did not have.
        never_left: actions.
        late_ms: one send in twenty left at least so late for what may be reasons of the generator's own.
        late_alone_ms: the same, without those sends of whose latency that is a small part.
        late_most_ms: how late that may be.
        delay: what came of all this.
    """

    rows: pd.DataFrame
    judged: pd.DataFrame
    stalls: Stalls
    still: Still
    is_open: bool
    behind: Floats
    busy_cores: Floats
    begin_s: float
    seconds: float
    stretch: float
    processes: int
    sends: int
    own_errors: int
    overflow: int
    never_left: int
    late_ms: float
    late_alone_ms: float
    late_most_ms: float
    delay: Delay

    @property
    def behind_share(self) -> float:
        """For how much of the load a process did not keep up."""
        return float(self.behind.mean()) if len(self.behind) else 0.0


def usable(rows: pd.DataFrame) -> Floats:
    """How much of a processor a process may use at most, by each of these rows; an older record does not tell."""
    allowed = rows["cpu_allowed"].to_numpy(np.float64)
    return np.where(allowed > 0, np.minimum(allowed, 1.0), 1.0)


def known(values: pd.Series) -> pd.Series:
    """Without those that the system did not tell, or that an older record does not have."""
    return values[values >= 0]
