from pathlib import Path

import pytest

from tests.analysis.monitor.runs import WatchedRun
from tests.analysis.targets import Target


@pytest.fixture
def watched(target: Target, database: str, tmp_path: Path) -> WatchedRun:
    """A run with one chat, in a database of its own."""
    return WatchedRun(tmp_path, target.but(DATABASE_URL=database))
