"""Which old runs go, and which old records: planned first, told, and only then done.

A run's record is what takes space; its verdict, report and ``run.json`` are small, and all that the history needs. Never
touched are the baseline, the newest run, a run under way, a run with a record that was not judged, or whose verdict this chatsoak
cannot read (the record is all there is of it), and any folder that is not surely a run.
"""

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from analysis.errors import RecordError
from analysis.history.runs import (
    BASELINE,
    LATEST,
    RECORDS,
    known_run,
    pointed_at,
    record_is_there,
    run_folders,
)
from analysis.history.stored import VERDICT_FILE
from analysis.record.run import Run, read_run

STILL = timedelta(hours=1)  # a run without an end in whose folder nothing changed for so long was cut off


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes of one run: its record, or everything."""

    folder: Path
    whole: bool
    frees_bytes: int

    @property
    def paths(self) -> list[Path]:
        """What is removed."""
        return [self.folder] if self.whole else [self.folder / name for name in RECORDS]


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be removed, and which folders are left alone, with the reason."""

    removals: tuple[Removal, ...]
    spared: tuple[tuple[Path, str], ...]


def plan(
    reports_dir: Path,
    now: datetime,
    *,
    keep_records: int | None,
    keep_runs: int | None,
    older_than: timedelta | None,
) -> Plan:
    """What to remove of `reports_dir`.

    Args:
        keep_records: the newest so many runs keep their record; None = all do.
        keep_runs: the newest so many runs stay; None = all do.
        older_than: nothing younger goes; None = age does not matter.
    """
    removals, spared = [], []
    pinned = {
        pointed_at(reports_dir, BASELINE): "is the baseline",
        pointed_at(reports_dir, LATEST): "is the latest",
    }
    for place, folder in enumerate(run_folders(reports_dir) if reports_dir.is_dir() else []):
        whole = keep_runs is not None and place >= keep_runs
        record = keep_records is not None and place >= keep_records and record_is_there(folder)
        if not whole and not record:
            continue
        try:
            run = read_run(folder)
        except RecordError as error:
            spared.append((folder, f"is not surely a run: {error}"))
            continue
        reason = pinned.get(folder.name) or _must_stay(folder, run, now)
        if reason is not None:
            spared.append((folder, reason))
        elif older_than is None or _began(run, folder) < now - older_than:
            removal = Removal(folder, whole, 0)
            removals.append(Removal(folder, whole, sum(_size(path) for path in removal.paths)))
    return Plan(tuple(removals), tuple(spared))


def carry_out(removal: Removal) -> None:
    """Remove what `removal` says.

    Raises:
        RecordError: something of it cannot be removed.
    """
    for path in removal.paths:
        try:
            if path.is_symlink():  # a record that was moved elsewhere: its place goes, what it leads to stays
                path.unlink()
            elif path.exists():
                shutil.rmtree(path)
        except OSError as error:
            raise RecordError(f"{path} cannot be removed: {error}.") from error


def _must_stay(folder: Path, run: Run, now: datetime) -> str | None:
    """Why the run has to stay, or None."""
    if run.run_id != folder.name:
        return f"has another run's id, {run.run_id}"
    judged = (folder / VERDICT_FILE).exists()
    if (run.ended_at is None or not judged) and now - _touched(folder) < STILL:
        return "is under way"
    if not judged and record_is_there(folder):
        return "was not judged: its record is all there is of it"
    if judged and known_run(folder).verdict is None and record_is_there(folder):
        return "has a verdict that cannot be read: its record is all there is of it"
    return None


def _began(run: Run, folder: Path) -> datetime:
    """When the run began, by its own word or, lacking that, by its file's time."""
    if run.started_at is not None:
        try:
            began = datetime.fromisoformat(run.started_at)
        except ValueError:
            return _touched(folder)
        return began if began.tzinfo else began.replace(tzinfo=UTC)
    return _touched(folder)


def _touched(folder: Path) -> datetime:
    """When something in `folder` changed last."""
    times = [path.lstat().st_mtime for path in (folder, *folder.rglob("*"))]
    return datetime.fromtimestamp(max(times), UTC)


def _size(path: Path) -> int:
    if path.is_symlink():
        return 0
    return sum(one.lstat().st_size for one in path.rglob("*") if not one.is_dir())
