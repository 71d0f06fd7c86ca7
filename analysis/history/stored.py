"""``verdict.json`` as it lies in a run's folder, read back and checked. Its examples are skipped: runs are compared by figures.

Reading one takes about 0.1 ms for each 100 kB; a list of a thousand runs needs no more than these files.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from analysis.criteria import Verdict
from analysis.errors import RecordError
from analysis.verdict import VERDICT_SCHEMA

VERDICT_FILE = "verdict.json"


class StoredCriterion(msgspec.Struct, frozen=True):
    """A criterion as it was judged; see `analysis.criteria.Criterion`.

    `intervals` is None where the chatsoak that judged the run did not write them yet.
    """

    id: str
    title: str
    target: str
    observed: float | None
    unit: str
    outcome: Verdict
    checked: int
    ci95: tuple[float, float] | None = None
    facts: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] | None = None


class Target(msgspec.Struct, frozen=True):
    """What was tested."""

    host: str
    embedded: bool


class Load(msgspec.Struct, frozen=True):
    """What the load was; see `analysis.load.described`."""

    users: int
    processes: int
    seconds: float | None
    settings: dict[str, Any]
    faults: list[str] = []


class StoredVerdict(msgspec.Struct, frozen=True):
    """A verdict as it was written. `load` is None where the chatsoak that judged the run did not write it yet."""

    schema: int
    run_id: str
    outcome: Verdict
    started_at: datetime | None
    ended_at: datetime | None
    target: Target
    counts: dict[str, int]
    criteria: list[StoredCriterion]
    load: Load | None = None

    def criterion(self, name: str) -> StoredCriterion | None:
        """The criterion with this id, or None."""
        return next((one for one in self.criteria if one.id == name), None)

    @property
    def duration_s(self) -> float | None:
        """From the run's start to its end, in seconds; None for one that was cut off."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


_DECODER = msgspec.json.Decoder(StoredVerdict)


def read_verdict(folder: Path) -> StoredVerdict:
    """The verdict of the run in `folder`.

    Raises:
        RecordError: there is none, or it is not one as this chatsoak writes it.
    """
    path = folder / VERDICT_FILE
    try:
        verdict = _DECODER.decode(path.read_bytes())
    except FileNotFoundError:
        raise RecordError(
            f"The run {folder.name} has not been judged: {path} is missing; run chatsoak report {folder.name}."
        ) from None
    except (OSError, ValueError) as error:  # msgspec's errors are ValueErrors
        raise RecordError(f"{path} cannot be read: {error}; run chatsoak report {folder.name}.") from error
    if verdict.schema != VERDICT_SCHEMA:
        raise RecordError(
            f"{path} has schema {verdict.schema}; this chatsoak reads schema {VERDICT_SCHEMA}: "
            f"run chatsoak report {folder.name}."
        )
    if any(at is not None and at.tzinfo is None for at in (verdict.started_at, verdict.ended_at)):
        raise RecordError(
            f"{path} cannot be read: its times name no time zone; run chatsoak report {folder.name}."
        )
    return verdict


def began(verdict: StoredVerdict) -> datetime:
    """When the run started; one that does not say comes before all others."""
    return verdict.started_at or datetime.min.replace(tzinfo=UTC)
