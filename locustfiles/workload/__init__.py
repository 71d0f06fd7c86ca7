"""When a user acts: closed (waits for the answer, then thinks) or open (keeps to a schedule)."""

from locustfiles.workload.pace import ClosedPace, OpenPace, Pace
from locustfiles.workload.schedule import Schedule

__all__ = ["ClosedPace", "OpenPace", "Pace", "Schedule"]
