"""All runs below ``reports/``, as far as they can be read: a broken one is named, never fatal. Reads verdicts only."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.errors import RecordError
from analysis.history.stored import VERDICT_FILE, StoredVerdict, read_verdict

RUN_FILE = "run.json"
RECORDS = ("record", "database")  # what retention takes away first, and a run is judged from
LATEST = "latest"
BASELINE = "baseline"


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run's folder. Either its `verdict` is there, or `problem` says why it is not."""

    folder: Path
    verdict: StoredVerdict | None
    problem: str | None

    @property
    def name(self) -> str:
        """The folder's name, which is the run's id."""
        return self.folder.name


def run_folders(reports_dir: Path) -> list[Path]:
    """The folders of all runs below `reports_dir`, the newest first."""
    found = [folder for folder in _folders(reports_dir) if (folder / RUN_FILE).exists()]
    return sorted(found, key=lambda folder: folder.name, reverse=True)


def known_runs(reports_dir: Path) -> list[KnownRun]:
    """Every folder below `reports_dir` in which a run has left something, the newest first."""
    left_by_runs = (RUN_FILE, VERDICT_FILE, *RECORDS)
    found = [
        folder for folder in _folders(reports_dir) if any((folder / name).exists() for name in left_by_runs)
    ]
    return [known_run(folder) for folder in sorted(found, key=lambda folder: folder.name, reverse=True)]


def known_run(folder: Path) -> KnownRun:
    """The run in `folder`."""
    try:
        return KnownRun(folder, read_verdict(folder), None)
    except RecordError as error:
        return KnownRun(folder, None, str(error))


def record_is_there(folder: Path) -> bool:
    """Whether the run in `folder` can be judged from its record, or retention has taken it away."""
    return any((folder / name).is_dir() for name in RECORDS)


def pointed_at(reports_dir: Path, link: str) -> str | None:
    """The name of the run that ``latest`` or ``baseline`` points at; None when there is no such link."""
    try:
        return (reports_dir / link).readlink().name
    except OSError:
        return None


def point(reports_dir: Path, link: str, name: str) -> None:
    """Make `link` in `reports_dir` point at the run `name`; whoever reads it meanwhile sees the old or the new one.

    Raises:
        OSError: it cannot be written.
    """
    temporary = reports_dir / f".{link}.part"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(name, target_is_directory=True)
    temporary.replace(reports_dir / link)


def find_run(named: Path, reports_dir: Path) -> Path:
    """The folder of the run that `named` is: a folder, or an id, ``latest`` or ``baseline`` in `reports_dir`.

    Raises:
        RecordError: neither holds a run.
    """
    for candidate in (named, reports_dir / named):
        if (candidate / RUN_FILE).is_file():
            return candidate.resolve()
    if str(named) == BASELINE and pointed_at(reports_dir, BASELINE) is None:
        raise RecordError(f"There is no baseline in {reports_dir}: pin a run with chatsoak baseline RUN.")
    newest = run_folders(reports_dir)[:1] if reports_dir.is_dir() else []
    hint = f"the newest there is {newest[0].name}" if newest else f"{reports_dir} holds no run yet"
    raise RecordError(
        f"There is no run {str(named)!r}: expected a run's folder, or the id of a run in {reports_dir}, "
        f"or latest, or baseline; {hint}."
    )


def _folders(reports_dir: Path) -> Iterator[Path]:
    return (folder for folder in reports_dir.iterdir() if folder.is_dir() and not folder.is_symlink())
