"""Is every checker really tested? One-line mutations, each of which some test has to notice.

    python tests/mutate.py checkers            each against the tests of the checkers (two hours)
    python tests/mutate.py checkers 3          every third of each file
    python tests/mutate.py checkers status 2   only those in analysis/checks/status.py; several names are allowed
    python tests/mutate.py adversary           each criterion disabled in turn, against the records of the adversary's runs

The last runs the adversary once, keeps its records, and judges them again with each mutation. Both work in a copy of
the repository, print a line a mutation, and end with 1 when one survived.
"""

import os
import queue
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.mutations import MUTATIONS, Mutation  # noqa: E402 - found only now
from tests.mutations.asking import NOTICED, AskedError, Tests, run  # noqa: E402
from tests.mutations.copies import copied, mutated  # noqa: E402
from tests.mutations.disabled import disabled  # noqa: E402


def against_the_adversary(copy: Path) -> int:
    """Run the adversary once, then judge its records with each criterion disabled: how many go unnoticed."""
    runs = copy / "runs"
    print("Running the adversary once (ten minutes)", flush=True)
    done = run(copy, ["-m", "pytest", "-q", "-m", "long", "tests/adversary", f"--basetemp={runs}"])
    print(done.stdout.splitlines()[-1], flush=True)
    if done.returncode:
        raise AskedError(f"The adversary fails without a mutation:\n{done.stdout}{done.stderr}")
    again = ["-m", "tests.adversary.judge_again", str(runs)]
    unmutated = run(copy, again)
    if unmutated.returncode:
        raise AskedError(
            f"Judged again without a mutation, the records have mistakes:\n{unmutated.stdout}{unmutated.stderr}"
        )

    def survives(mutation: Mutation) -> bool:
        with mutated(copy, mutation):
            noticed = run(copy, again, keeps_bytecode=False).returncode in NOTICED
        _print(mutation, "its verdicts" if noticed else None)
        return not noticed

    return sum(survives(mutation) for mutation in disabled())


def against_their_tests(copies: Sequence[Path], chosen: Sequence[Mutation]) -> int:
    """Each of these mutations against the tests of the checkers: how many go unnoticed. A thread a copy."""
    tests = Tests(chosen, copies)
    print(f"{len(chosen)} mutations. Running the tests once without any (minutes)", flush=True)
    tests.measure()
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def survives(mutation: Mutation) -> bool:
        copy = free.get()
        began = time.monotonic()
        try:
            test = tests.noticed_by(mutation, copy)
        finally:
            free.put(copy)
        _print(mutation, test and f"{test} ({time.monotonic() - began:.0f} s)")
        return test is None

    with ThreadPoolExecutor(len(copies)) as pool:
        return sum(pool.map(survives, chosen))


def _print(mutation: Mutation, noticed_by: str | None) -> None:
    outcome = f"noticed   {mutation}  by {noticed_by}" if noticed_by else f"SURVIVED  {mutation}"
    print(outcome, flush=True)


def selected(names: Sequence[str], every: int) -> list[Mutation]:
    """Those of files of these names, or of all; of each file every so many."""
    of_file: dict[str, list[Mutation]] = {}
    for one in [*MUTATIONS, *disabled()]:
        if not names or Path(one.file).stem in names:
            of_file.setdefault(one.file, []).append(one)
    return [one for ones in of_file.values() for one in ones[::every]]


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 when a mutation survived."""
    kind, more = (arguments[0], arguments[1:]) if arguments else ("", [])
    numbers, names = [one for one in more if one.isdecimal()], [one for one in more if not one.isdecimal()]
    chosen = selected(names, max([1, *map(int, numbers)]))
    unknown = set(names) - {Path(one.file).stem for one in chosen}
    if kind not in {"checkers", "adversary"} or unknown or (more and kind == "adversary"):
        print(__doc__)
        return 2
    stale = [one for one in [*MUTATIONS, *disabled()] if one.old not in (ROOT / one.file).read_text("utf-8")]
    if stale:
        print("\n".join(f"STALE     {one}" for one in stale))
        return 1
    threads = os.cpu_count() or 1 if kind == "checkers" else 1
    with ExitStack() as stack:
        copies = [stack.enter_context(copied()) for _ in range(threads)]
        try:
            survived = (
                against_their_tests(copies, chosen)
                if kind == "checkers"
                else against_the_adversary(copies[0])
            )
        except AskedError as error:
            print(error)
            return 1
    print("No mutation survived." if not survived else f"{survived} mutations survived.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
