"""The tests of the checkers, asked about one mutation after another: does any of them notice it?

Every test may be asked, and one that notices is enough. So those go first that noticed other mutations of the same file,
then the nearest ones, then the quickest. Only of what none of them sees at a glance the nearest see many more examples.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from tests.mutations.copies import ROOT, mutated
from tests.mutations.in_order import ORDER, TOLD
from tests.mutations.mutation import Mutation
from tests.mutations.nearest import CHECKS, NEAREST, TESTS

PYTEST = (
    *("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "tests.mutations.in_order"),
    *("-m", "not long and not thousands and not soaks"),
)
GLANCE, THOROUGH = "--hypothesis-profile=glance", "--hypothesis-profile=mutations"
ORACLES = f"{CHECKS}/oracles"
OTHERS = tuple(
    f"{TESTS}/test_{name}.py"
    for name in ("criteria", "faults", "latency", "latency_criteria", "verdict", "clocks")
)
# Exit codes: tests failed, or could not even be collected. A process that was killed has noticed nothing.
NOTICED = {1, 2}
NEVER_ENDED = "a test that never ended"
MOST_S = 1800.0


class AskedError(Exception):
    """Tests fail without any mutation, and would notice everything."""


def run(copy: Path, command: Sequence[str], timeout_s: float = MOST_S) -> subprocess.CompletedProcess[str]:
    """Python's `command` in the copy."""
    # A mutated file could have the size and the second of the one before, by which Python knows what it has compiled.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout_s,
    )


def nearest(mutation: Mutation) -> str | None:
    """The file of tests that is the nearest."""
    return NEAREST.get(Path(mutation.file).stem)


class Tests:
    """All tests that may be asked.

    Args:
        mutations: what they will be asked about.
        copies: of the repository, one for each thread.
    """

    __test__ = False  # for pytest

    def __init__(self, mutations: Iterable[Mutation], copies: Sequence[Path]) -> None:
        self._copies = copies
        near = {file for one in mutations if (file := nearest(one))}
        # Locust patches sockets for the whole process: its tests get one of their own.
        self._apart = sorted(file for file in near if not file.startswith(TESTS))
        files = {str(path.relative_to(ROOT)) for path in (ROOT / CHECKS).rglob("test_*.py")}
        self._files = sorted(files | (near - set(self._apart)) | set(OTHERS))
        self._seconds: dict[str, float] = {}
        self._noticed: defaultdict[str, Counter[str]] = defaultdict(Counter)  # mutated file → tests
        self._clean_ones: set[tuple[str, ...]] = set()
        self._lock = Lock()

    def measure(self) -> None:
        """Run everything without a mutation, to know how long each takes.

        Raises:
            AskedError: some fail.
        """
        shares = [
            (copy, self._files[number :: len(self._copies)]) for number, copy in enumerate(self._copies)
        ]
        with ThreadPoolExecutor(len(shares)) as pool:
            for seconds in pool.map(lambda share: self._clean(share[0], (*share[1], GLANCE)), shares):
                self._seconds |= seconds
        for file in self._apart:
            self._clean(self._copies[0], (file, GLANCE))

    def noticed_by(self, mutation: Mutation, copy: Path) -> str | None:
        """The test that notices; None where none does."""
        near = nearest(mutation)
        with mutated(copy, mutation):
            if near in self._apart and (found := self._asked(copy, mutation, (near, GLANCE))):
                return found
            if found := self._asked(copy, mutation, (*self._files, GLANCE)):
                return found
        thorough = (near or ORACLES, THOROUGH)
        with self._lock:
            if thorough not in self._clean_ones:
                self._clean(copy, thorough)
                self._clean_ones.add(thorough)
        with mutated(copy, mutation):
            return self._asked(copy, mutation, thorough)

    def _asked(self, copy: Path, mutation: Mutation, what: Sequence[str]) -> str | None:
        with tempfile.TemporaryDirectory() as made:
            order, told = Path(made) / "order", Path(made) / "told"
            order.write_text("\n".join(self._in_order(mutation)), "utf-8")
            try:
                code = run(copy, (*PYTEST, ORDER, str(order), TOLD, str(told), *what)).returncode
            except subprocess.TimeoutExpired:
                return NEVER_ENDED
            if code not in NOTICED:
                return None
            failed = json.loads(told.read_text("utf-8"))["failed"] if told.exists() else []
        test: str = failed[0] if failed else "collecting"
        self._noticed[mutation.file][test] += 1
        return test

    def _in_order(self, mutation: Mutation) -> list[str]:
        """All tests by node id."""
        noticed, near = self._noticed[mutation.file].copy(), nearest(mutation)

        def rank(test: str) -> tuple[float, bool, float]:
            # Per second, so that a slow test that notices most does not go before quick ones that notice many.
            seconds = self._seconds[test]
            return -noticed[test] / max(seconds, 0.1), test.partition("::")[0] != near, seconds

        return sorted(self._seconds, key=rank)

    def _clean(self, copy: Path, what: Sequence[str]) -> dict[str, float]:
        """Run tests without a mutation: seconds by node id."""
        with tempfile.TemporaryDirectory() as made:
            told = Path(made) / "told"
            done = run(copy, (*PYTEST, TOLD, str(told), *what))
            if done.returncode:
                raise AskedError(
                    f"Without a mutation, {' '.join(what)} fails already:\n{done.stdout}{done.stderr}"
                )
            seconds: dict[str, float] = json.loads(told.read_text("utf-8"))["seconds"]
            return seconds
