"""The tests of the checkers, asked about one mutation after another: does any of them notice it?

Every test may be asked, and one that notices is enough. So those go first that noticed other mutations of the same file, and the
nearest ones; then those of the oracle, with many more examples; then the quick ones, and the rest.
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
from typing import Any

from tests.mutations.copies import ROOT, mutated
from tests.mutations.in_order import ORDER, TOLD
from tests.mutations.mutation import Mutation
from tests.mutations.nearest import CHECKS, NEAREST, TESTS

PYTEST = (
    *("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "tests.mutations.in_order"),
    *("-m", "not long and not thousands and not soaks"),
)
GLANCE, THOROUGH = "--hypothesis-profile=glance", "--hypothesis-profile=mutations"
QUICK_S = 0.1
MOST_KNOWN = 30  # tests that noticed others
OTHERS = tuple(
    f"{TESTS}/test_{name}.py"
    for name in ("criteria", "faults", "latency", "latency_criteria", "verdict", "clocks")
)
# Exit codes: tests failed, or could not even be collected. A process that was killed has noticed nothing.
NOTICED = {1, 2}
MOST_S = 1800.0


class AskedError(Exception):
    """Tests fail without any mutation, and would notice everything."""


def run(
    copy: Path, command: Sequence[str], *, keeps_bytecode: bool = True
) -> subprocess.CompletedProcess[str]:
    """Python's `command` in the copy.

    Args:
        keeps_bytecode: not where a mutation is in it: a mutated file may have the size and the second of the one before, by
            which Python knows what it has compiled.
    """
    kept = {} if keeps_bytecode else {"PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=copy,
        env={**os.environ, **kept},
        check=False,
        capture_output=True,
        text=True,
        timeout=MOST_S,
    )


def nearest(mutation: Mutation) -> tuple[str, ...]:
    """The files of tests that are the nearest."""
    return NEAREST.get(Path(mutation.file).stem, ())


class Tests:
    """All tests that may be asked.

    Args:
        mutations: what they will be asked about.
        copies: of the repository, one for each thread.
    """

    __test__ = False  # for pytest

    def __init__(self, mutations: Iterable[Mutation], copies: Sequence[Path]) -> None:
        self._copies = copies
        near = {file for one in mutations for file in nearest(one)}
        self._apart = sorted(file for file in near if not file.startswith(TESTS))
        files = {str(path.relative_to(ROOT)) for path in (ROOT / CHECKS).rglob("test_*.py")}
        self._files = sorted(files | (near - set(self._apart)) | set(OTHERS))
        self._seconds: dict[str, float] = {}
        self._noticed: defaultdict[str, Counter[str]] = defaultdict(Counter)  # mutated file → tests
        self._clean_files: set[str] = set()
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
            self._seconds |= self._clean(self._copies[0], (file, GLANCE))

    def noticed_by(self, mutation: Mutation, copy: Path) -> str | None:
        """The test that notices; None where none does."""
        seconds, noticed = self._seconds, self._noticed[mutation.file].copy()
        near = [test for test in seconds if _file(test) in nearest(mutation)]
        # Per second, so that a slow test that notices most does not go before quick ones that notice many.
        known = sorted(noticed, key=lambda test: -noticed[test] / max(seconds[test], 0.1))[:MOST_KNOWN]
        first = list(dict.fromkeys([*known, *sorted(near, key=seconds.__getitem__)]))
        others = sorted(seconds.keys() - set(first), key=seconds.__getitem__)
        quick = [test for test in others if seconds[test] < QUICK_S]
        slow = others[len(quick) :]
        oracle = [test for test in near if _file(test) == nearest(mutation)[0]]
        for tests, profile in ((first, GLANCE), (oracle, THOROUGH), (quick, GLANCE), (slow, GLANCE)):
            if test := self._asked(copy, mutation, tests, profile):
                self._noticed[mutation.file][test] += 1
                return test
        return None

    def _asked(self, copy: Path, mutation: Mutation, tests: Sequence[str], profile: str) -> str | None:
        """The first of these tests that notices."""
        if profile == THOROUGH:
            self._are_clean(copy, tests, profile)
        # Locust patches sockets for the whole process: its tests get one of their own.
        apart = [test for test in tests if not test.startswith(TESTS)]
        for some in (apart, [test for test in tests if test.startswith(TESTS)]):
            if some:
                with mutated(copy, mutation):
                    code, told = _asked(copy, some, profile)
                if code in NOTICED:
                    return told["failed"][0] if told and told["failed"] else some[0]
        return None

    def _are_clean(self, copy: Path, tests: Sequence[str], profile: str) -> None:
        files = {_file(test) for test in tests}
        with self._lock:
            for file in sorted(files - self._clean_files):
                self._clean(copy, (file, profile))
            self._clean_files |= files

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


def _file(test: str) -> str:
    return test.partition("::")[0]


def _asked(copy: Path, tests: Sequence[str], profile: str) -> tuple[int, dict[str, Any] | None]:
    """The exit code of these tests, and what the plugin told."""
    with tempfile.TemporaryDirectory() as made:
        order, told = Path(made) / "order", Path(made) / "told"
        order.write_text("\n".join(tests), "utf-8")
        files = dict.fromkeys(map(_file, tests))
        try:
            command = (*PYTEST, ORDER, str(order), TOLD, str(told), *files, profile)
            code = run(copy, command, keeps_bytecode=False).returncode
        except subprocess.TimeoutExpired:  # a loop without an end is noticed, too
            return min(NOTICED), None
        return code, json.loads(told.read_text("utf-8")) if told.exists() else None
