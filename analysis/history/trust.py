"""Whether the figures of a run are to be believed. No input or output here."""

from analysis.criteria import Verdict
from analysis.history.stored import StoredVerdict

# Where one of these is not a pass, what the run says of the server is not to be believed.
TRUSTED = ("generator.healthy", "record.complete")


def doubts(verdict: StoredVerdict) -> list[str]:
    """Why the figures of a run are not to be relied on, what can be said of it for each reason; empty when they are."""
    told = ["was cut off before its end"] if verdict.ended_at is None else []
    for name in TRUSTED:
        criterion = verdict.criterion(name)
        if criterion is None:
            told.append(f"was not judged by {name}")
        elif criterion.outcome is not Verdict.PASS:
            told.append(f"did not pass “{criterion.title}” ({criterion.outcome})")
    return told
