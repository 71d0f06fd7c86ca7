"""Where the monitors of a run keep their parts of its record.

The first one writes into ``database/`` itself. When it was killed, the one that takes over writes into ``database/2/``,
so that what the first had written stays as it is; both together are one history.
"""

from pathlib import Path

DATABASE = "database"  # beside ``record/``
SUCCESSOR = "2"


def monitor_folder(run_folder: Path, *, successor: bool = False) -> Path:
    """The folder of the first monitor, or of its `successor`."""
    first = run_folder / DATABASE
    return first / SUCCESSOR if successor else first


def monitor_folders(run_folder: Path) -> list[Path]:
    """The folders that there are, in the order of time; the first one's in any case."""
    successor = monitor_folder(run_folder, successor=True)
    return [monitor_folder(run_folder), *([successor] if successor.is_dir() else [])]
