"""The number of users over time, as pure functions of the share of the run that has passed.

The highest point of each curve is the number of users asked for, so people for that many suffice.
"""

from analysis.settings import ShapeName

STEPS = 5  # equally long and equally high
SPIKE_BASE = 0.2  # of the users, before and after the spike
SPIKE_FROM, SPIKE_TO = 0.4, 0.6  # the share of the run during which everybody is there


def users_at(shape: ShapeName, progress: float, peak: int) -> int:
    """How many users there are when `progress` (0 to 1) of the run has passed; at least one.

    soak: everybody, all the time. ramp: evenly more until everybody is there. spike: a fifth, then
    everybody at once, then a fifth again. steps: a fifth more at each fifth of the run.
    """
    progress = min(max(progress, 0.0), 1.0)
    if shape is ShapeName.SOAK:
        share = 1.0
    elif shape is ShapeName.RAMP:
        share = progress
    elif shape is ShapeName.SPIKE:
        share = 1.0 if SPIKE_FROM <= progress < SPIKE_TO else SPIKE_BASE
    else:
        share = min(int(progress * STEPS) + 1, STEPS) / STEPS
    return max(1, round(peak * share))
