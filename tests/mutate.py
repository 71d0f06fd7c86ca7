"""Is every checker really tested? One-line mutations, each of which some test has to notice.

    python tests/mutate.py checkers          each against the tests of the checkers (an hour and more)
    python tests/mutate.py checkers status   only those in analysis/checks/status.py; several names are allowed
    python tests/mutate.py adversary         each criterion disabled in turn, against the records of the adversary's runs

The last runs the adversary once, keeps its records, and judges them again with each mutation. Both work in a copy of
the repository, print a line a mutation, and end with 1 when one survived.
"""

import os
import queue
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.mutations import MUTATIONS, Mutation  # noqa: E402 - found only now

PARTS = ("analysis", "locustfiles", "staging", "sql", "tests", "docs", "pyproject.toml")
SUITE = "analysis/checks/suite.py"
JUDGE = "analysis/judge.py"
GENERATOR = "analysis/generator.py"


TESTS = "tests/analysis"
CHECKS = f"{TESTS}/checks"
# The tests that are the nearest to each file, so that most mutations are noticed within seconds; all others follow.
NEAREST = {
    **dict.fromkeys(
        ("messages", "corruption", "idempotency", "account"), f"{CHECKS}/oracles/test_messages.py"
    ),
    **dict.fromkeys(
        ("sequence", "numbering", "order", "gaps", "fleeting"), f"{CHECKS}/oracles/test_numbering.py"
    ),
    **dict.fromkeys(("realtime", "deliveries", "subscriptions", "owed"), f"{CHECKS}/oracles/test_hearing.py"),
    "stays": f"{CHECKS}/test_stays.py",
    **dict.fromkeys(("phantom", "known_values"), f"{CHECKS}/test_phantom.py"),
    **dict.fromkeys(("moments", "findings"), f"{CHECKS}/test_two_machines.py"),
    **dict.fromkeys(
        ("status", "receipts", "witnesses", "setbacks", "last_looks"), f"{CHECKS}/oracles/test_statuses.py"
    ),
    "unsent": f"{CHECKS}/test_unsent.py",
    "answers": f"{TESTS}/monitor/test_answers.py",
    "completeness": f"{CHECKS}/oracles/test_keepers.py",
    **dict.fromkeys(("history", "shown"), f"{CHECKS}/oracles/test_history.py"),
    **dict.fromkeys(("access", "marking", "proof"), f"{CHECKS}/oracles/test_access.py"),
    "outsider": "tests/locustfiles/clients/test_outsider.py",
    "drift": f"{CHECKS}/test_drift.py",
    **dict.fromkeys(("generator", "fared"), f"{CHECKS}/test_generator.py"),
    "own_errors": f"{CHECKS}/test_own_errors.py",
    "own_part": f"{CHECKS}/test_own_part.py",
    "why_behind": f"{CHECKS}/test_why_behind.py",
    "stalls": f"{CHECKS}/test_stalls.py",
    "plan": f"{CHECKS}/oracles/test_plan.py",
    "send_errors": f"{CHECKS}/oracles/test_errors.py",
    "restarts": f"{CHECKS}/test_restarts.py",
    **dict.fromkeys(("departures", "leavers", "spells", "recipients"), f"{CHECKS}/test_departures.py"),
    "newest": f"{CHECKS}/test_newest.py",
    "steady": f"{CHECKS}/test_drift.py",
    "criteria": f"{TESTS}/test_criteria.py",
    "faults": f"{TESTS}/test_faults.py",
    "latency": f"{TESTS}/test_latency.py",
    "latency_criteria": f"{TESTS}/test_latency_criteria.py",
    **dict.fromkeys(("windows", "warmup", "intervals"), f"{TESTS}/test_statistics.py"),
    **dict.fromkeys(("variation", "comparison", "figures", "changes"), f"{TESTS}/history/test_comparison.py"),
    "nights": f"{TESTS}/history/test_nights.py",
    "latency_drift": f"{TESTS}/test_latency_drift.py",
    "shape": f"{TESTS}/test_shape.py",
    "shifts": f"{TESTS}/test_shifts.py",
    "trends": f"{TESTS}/test_trends.py",
    "minutes": f"{TESTS}/test_minutes.py",
    "load_changes": f"{TESTS}/test_load_changes.py",
    "demand": f"{TESTS}/test_minutes.py",
    "clocks": f"{TESTS}/test_clocks.py",
}

# Exit codes: tests failed, or could not even be collected. A process that was killed has noticed nothing.
NOTICED = {1, 2}

# Quick tests, the first to be asked when the nearest at a glance saw nothing.
QUICK = (
    *(f"oracles/test_{name}.py" for name in ("edges", "found", "messages_found")),
    *(f"test_{name}.py" for name in ("corruption", "for_a_while", "numbering", "repeats", "texts")),
    *(f"test_{name}.py" for name in ("phantom", "new_tokens", "shut_out", "completeness")),
)
FOUND = tuple(f"{CHECKS}/{name}" for name in QUICK)

PASSED = (  # an expression, so that one line is enough
    '__import__("dataclasses").replace({}, observed=0, examples=(), '
    'outcome=__import__("analysis.criteria", fromlist=["Verdict"]).Verdict.PASS)'
)
OUTSIDE_THE_SUITE = (
    "latency_criteria.send_criteria(sent, targets, service, meant)[0]",
    "latency_criteria.send_criteria(sent, targets, service, meant)[1]",
    "latency_criteria.delivery_criterion(delivered, across_clocks, targets, meant)",
    "send_errors(evidence, sends, found, targets)",
    "plan.history(evidence, targets.history_query_ms)",
)
HEALTHY = "generator.healthy(load, figures, turned)"


def disabled() -> list[Mutation]:
    """Each criterion but those of drift, made to pass whatever it finds."""
    text = (ROOT / SUITE).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith('        ("') and "lambda: " in line]
    found = []
    for line in lines:
        call = line.partition("lambda: ")[2].removesuffix("),")
        found.append(Mutation(SUITE, f"lambda: {call}),", f"lambda: {PASSED.format(call)}),"))
    average, p95, delivery, errors, history = OUTSIDE_THE_SUITE
    both = "*latency_criteria.send_criteria(sent, targets, service, meant),"
    found += [
        Mutation(JUDGE, both, f"{PASSED.format(average)}, {p95},"),
        Mutation(JUDGE, both, f"{average}, {PASSED.format(p95)},"),
        Mutation(JUDGE, f"{delivery},", f"{PASSED.format(delivery)},"),
        Mutation(JUDGE, f"{errors},", f"{PASSED.format(errors)},"),
        Mutation(JUDGE, f"lambda: {history}", f"lambda: {PASSED.format(history)}"),
        Mutation(GENERATOR, f"lambda: {HEALTHY}", f"lambda: {PASSED.format(HEALTHY)}"),
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


def noticed(copy: Path, mutation: Mutation, commands: Sequence[Sequence[str]]) -> bool:
    """Whether one of the commands, run in the copy with the mutation in it, fails. Prints a line."""
    file = copy / mutation.file
    text = file.read_text(encoding="utf-8")
    if mutation.old not in text:
        print(f"STALE     {mutation}", flush=True)
        return False
    file.write_text(text.replace(mutation.old, mutation.new, 1), encoding="utf-8")
    try:
        found = any(_run(copy, command).returncode in NOTICED for command in commands)
    finally:
        file.write_text(text, encoding="utf-8")
    print(f"{'noticed ' if found else 'SURVIVED'}  {mutation}", flush=True)
    return found


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
        print(f"The adversary fails without a mutation:\n{done.stdout}{done.stderr}", flush=True)
        return 1
    again = ["-m", "tests.adversary.judge_again", str(runs)]
    unmutated = _run(copy, again)
    if unmutated.returncode:
        print(
            f"Judged again without a mutation, the records have mistakes:\n{unmutated.stdout}{unmutated.stderr}"
        )
        return 1
    return sum(not noticed(copy, mutation, [again]) for mutation in disabled())


def against_their_tests(copies: Sequence[Path], names: Sequence[str]) -> int:
    """Each mutation of a checker, or of those of these names, against the tests of the checkers. A thread a copy."""
    tests = [
        CHECKS,
        *(
            f"{TESTS}/test_{name}.py"
            for name in ("criteria", "faults", "latency", "latency_criteria", "verdict", "clocks")
        ),
    ]
    options = ["-q", "-x", "-m", "not long and not thousands and not soaks", "-p", "no:cacheprovider"]
    chosen = [one for one in [*MUTATIONS, *disabled()] if not names or Path(one.file).stem in names]
    everything = ("-m", "pytest", *options, *FOUND, *tests, "--hypothesis-profile=mutations")

    def asked(mutation: Mutation) -> list[tuple[str, ...]]:
        """Most are noticed by the nearest tests at a glance, within seconds; the rest are given all there is."""
        nearest = NEAREST.get(Path(mutation.file).stem)
        glance = ("-m", "pytest", *options, nearest, "--hypothesis-profile=glance") if nearest else None
        return [glance, everything] if glance else [everything]

    # What fails by itself, or cannot even be asked, would notice everything.
    for command in dict.fromkeys(command for one in chosen for command in asked(one)):
        unmutated = _run(copies[0], command)
        if unmutated.returncode:
            print(
                f"Without a mutation, {' '.join(command)} fails already:\n{unmutated.stdout}{unmutated.stderr}"
            )
            return 1
    free: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for copy in copies:
        free.put(copy)

    def survives(mutation: Mutation) -> bool:
        copy = free.get()
        try:
            return not noticed(copy, mutation, asked(mutation))
        finally:
            free.put(copy)

    with ThreadPoolExecutor(len(copies)) as pool:
        return sum(pool.map(survives, chosen))


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 when a mutation survived."""
    kind, names = (arguments[0], arguments[1:]) if arguments else ("", [])
    unknown = set(names) - {Path(one.file).stem for one in MUTATIONS}
    if kind not in {"checkers", "adversary"} or unknown or (names and kind == "adversary"):
        print(__doc__)
        return 2
    with ExitStack() as stack:
        copies = [
            stack.enter_context(copied()) for _ in range(os.cpu_count() or 1 if kind == "checkers" else 1)
        ]
        survived = (
            against_their_tests(copies, names) if kind == "checkers" else against_the_adversary(copies[0])
        )
    print("No mutation survived." if not survived else f"{survived} mutations survived or are stale.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
