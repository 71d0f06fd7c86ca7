"""Runs `chatsoak` in a process of its own without waiting two seconds for its imports: each is a fork of one that has them.

Environment, folder, streams and exit code are as if a shell had started it; `test_command_line.py` starts it as a shell does.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "tests.analysis.forked",
        "analysis.cli",
        "analysis.report.baseline",
        "analysis.report.command",
        "analysis.report.compare",
        "analysis.report.prune",
        "analysis.target.clean",
        "analysis.target.migrations",
        "analysis.target.preflight",
        "analysis.target.seed",
    ]
)


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: str, timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end.

    Raises:
        subprocess.TimeoutExpired: it did not end in time, and was killed.
    """
    with tempfile.TemporaryDirectory() as made:
        streams = [Path(made) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, encoding="utf-8")
        process = FORKS.Process(
            target=_command,
            args=(list(arguments), str(folder), dict(environment), [str(one) for one in streams]),
        )
        process.start()
        process.join(timeout_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout_s)
        said = [one.read_text(encoding="utf-8") for one in streams[1:]]
        return subprocess.CompletedProcess(list(arguments), process.exitcode, *said)


def _command(arguments: list[str], folder: str, environment: dict[str, str], streams: list[str]) -> None:
    """In the fork: become the command."""
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for number, (path, flags) in enumerate(
        zip(streams, (os.O_RDONLY, *[os.O_WRONLY | os.O_CREAT] * 2), strict=True)
    ):
        os.dup2(os.open(path, flags), number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - the streams of a process
        for number, mode in enumerate(("r", "w", "w"))
    )
    sys.argv = ["chatsoak", *arguments]
    from analysis.cli import main

    main()
