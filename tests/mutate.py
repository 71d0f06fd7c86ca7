"""Is every checker really tested? One-line mutations, each of which some test has to notice.

    python tests/mutate.py checkers          each against the tests of the checkers (an hour or so)
    python tests/mutate.py checkers status   only those in analysis/checks/status.py; several names are allowed
    python tests/mutate.py adversary         each criterion disabled in turn, against the records of the adversary's runs

The last runs the adversary once, keeps its records, and judges them again with each mutation. Both work in a copy of
the repository, print a line a mutation, and end with 1 when one survived.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.mutations import MUTATIONS, Mutation  # noqa: E402 - found only now

PARTS = ("analysis", "locustfiles", "staging", "sql", "tests", "docs", "pyproject.toml")
SUITE = "analysis/checks/suite.py"
JUDGE = "analysis/judge.py"


CHECKS = "tests/analysis/checks"
# The tests that are the nearest to each file, so that most mutations are noticed within seconds; all others follow.
NEAREST = {
    **dict.fromkeys(("messages", "idempotency", "account"), "oracles/test_messages.py"),
    **dict.fromkeys(("sequence", "order", "gaps"), "oracles/test_numbering.py"),
    **dict.fromkeys(("realtime", "deliveries", "subscriptions"), "oracles/test_hearing.py"),
    **dict.fromkeys(("status", "receipts", "witnesses"), "oracles/test_statuses.py"),
    "completeness": "oracles/test_keepers.py",
    "history": "oracles/test_history.py",
    "access": "oracles/test_access.py",
    "drift": "test_drift.py",
    "generator": "test_generator.py",
    "stalls": "test_stalls.py",
    "plan": "test_plan.py",
    "restarts": "test_restarts.py",
}

PASSED = (  # an expression, so that one line is enough
    '__import__("dataclasses").replace({}, observed=0, examples=(), '
    'outcome=__import__("analysis.criteria", fromlist=["Verdict"]).Verdict.PASS)'
)
OUTSIDE_THE_SUITE = (
    "latency_criteria.send_criteria(sent, targets, service)[0]",
    "latency_criteria.send_criteria(sent, targets, service)[1]",
    "latency_criteria.delivery_criterion(delivered, across_clocks, targets)",
    "latency_criteria.errors_criterion(sends, _not_acknowledged(evidence), targets)",
    "plan.history(evidence, targets.history_query_ms)",
)


def disabled() -> list[Mutation]:
    """Each criterion of the suite, made to pass whatever it finds."""
    text = (ROOT / SUITE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith('        ("') and "lambda: " in line]
    found = []
    for line in lines:
        call = line.partition("lambda: ")[2].removesuffix("),")
        found.append(Mutation(SUITE, f"lambda: {call}),", f"lambda: {PASSED.format(call)}),"))
    average, p95, delivery, errors, history = OUTSIDE_THE_SUITE
    both = "*latency_criteria.send_criteria(sent, targets, service),"
    found += [
        Mutation(JUDGE, both, f"{PASSED.format(average)}, {p95},"),
        Mutation(JUDGE, both, f"{average}, {PASSED.format(p95)},"),
        Mutation(JUDGE, f"{delivery},", f"{PASSED.format(delivery)},"),
        Mutation(JUDGE, f"{errors},", f"{PASSED.format(errors)},"),
        Mutation(JUDGE, f"lambda: {history}", f"lambda: {PASSED.format(history)}"),
    ]
    return found


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the repository to mutate."""
    with tempfile.TemporaryDirectory(prefix="chatsoak-mutate-") as made:
        copy = Path(made)
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                ignore = shutil.ignore_patterns("node_modules", "__pycache__")
                shutil.copytree(source, copy / part, ignore=ignore)
            else:
                shutil.copy(source, copy / part)
        yield copy


def survivors(copy: Path, mutations: Sequence[Mutation], command: Sequence[str]) -> int:
    """How many of the mutations `command`, run in the copy, did not notice."""
    survived = 0
    for mutation in mutations:
        file = copy / mutation.file
        text = file.read_text(encoding="utf-8")
        if mutation.old not in text:
            print(f"STALE     {mutation}", flush=True)
            survived += 1
            continue
        file.write_text(text.replace(mutation.old, mutation.new, 1), encoding="utf-8")
        try:
            noticed = _run(copy, command).returncode != 0
        finally:
            file.write_text(text, encoding="utf-8")
        survived += not noticed
        print(f"{'noticed ' if noticed else 'SURVIVED'}  {mutation}", flush=True)
    return survived


def _run(copy: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command], cwd=copy, check=False, capture_output=True, text=True, timeout=1800
    )


def against_the_adversary(copy: Path) -> int:
    """Run the adversary once, then judge its records with each criterion disabled."""
    runs = copy / "runs"
    print("Running the adversary once (ten minutes)", flush=True)
    done = _run(copy, ["-m", "pytest", "-q", "-m", "long", "tests/adversary", f"--basetemp={runs}"])
    print(done.stdout.splitlines()[-1], flush=True)
    if done.returncode:
        return 1
    again = ["-m", "tests.adversary.judge_again", str(runs)]
    unmutated = _run(copy, again)
    if unmutated.returncode:
        print(
            f"Judged again without a mutation, the records have mistakes:\n{unmutated.stdout}{unmutated.stderr}"
        )
        return 1
    return survivors(copy, disabled(), again)


def against_their_tests(copy: Path, names: Sequence[str]) -> int:
    """Each mutation of a checker, or of those of these names, against the tests of the checkers."""
    tests = [
        CHECKS,
        *(f"tests/analysis/test_{name}.py" for name in ("latency", "verdict", "clocks")),
    ]
    options = [
        "-q",
        "-x",
        "-m",
        "not long and not thousands and not soaks",
        "-p",
        "no:cacheprovider",
        "--hypothesis-profile=mutations",
    ]
    chosen = [one for one in [*MUTATIONS, *disabled()] if not names or Path(one.file).stem in names]
    survived = 0
    for mutation in chosen:
        nearest = NEAREST.get(Path(mutation.file).stem)
        first = [f"{CHECKS}/{nearest}"] if nearest else []
        survived += survivors(copy, [mutation], ["-m", "pytest", *options, *first, *tests])
    return survived


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 when a mutation survived."""
    kind, names = (arguments[0], arguments[1:]) if arguments else ("", [])
    unknown = set(names) - {Path(one.file).stem for one in MUTATIONS}
    if kind not in {"checkers", "adversary"} or unknown or (names and kind == "adversary"):
        print(__doc__)
        return 2
    with copied() as copy:
        survived = against_their_tests(copy, names) if kind == "checkers" else against_the_adversary(copy)
    print("No mutation survived." if not survived else f"{survived} mutations survived or are stale.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
