"""The processes that a run starts: the stage, the monitor and chatsoak's own commands.

Each gets a session of its own, so that a Ctrl-C on the terminal reaches Locust alone and Locust decides
when they end. Under Locust ``subprocess`` is gevent's: waiting for a child lets everything else go on.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import gevent

from analysis.errors import TargetError
from analysis.visible import in_a_line

logger = logging.getLogger(__name__)

KEPT_LINES = 20  # of what a child said last on stderr, for the sentence about its end
CHATSOAK = (sys.executable, "-m", "analysis.cli")
STAGE = (sys.executable, "-m", "staging")

_running: set[int] = set()  # process ids of children that have not been waited for


class Child:
    """A process that runs beside Locust and ends at the latest with it: its stdin is a pipe that we hold."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.name = name
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        _running.add(self._process.pid)
        self._listener = gevent.spawn(self._keep_stderr)

    @property
    def code(self) -> int | None:
        """Exit code, or None while it runs."""
        return self._process.poll()

    def first_line(self, timeout_s: float) -> str:
        """The first line it prints, which says that it is ready.

        Raises:
            TargetError: it ended or stayed silent instead.
        """
        line = ""
        with gevent.Timeout(timeout_s, False):
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
        if line:
            return line
        if self.wait(timeout_s=1.0) is None:
            self.end(grace_s=1.0)
            raise TargetError(f"The {self.name} was not ready within {timeout_s:.0f} s; {self.last_words()}")
        raise TargetError(self.last_words())

    def each_line(self, heard: Callable[[str], None], over: Callable[[], None]) -> None:
        """Have `heard` called, in the background, with each further line it prints, and `over` after the last."""

        def listen() -> None:
            assert self._process.stdout is not None
            for line in self._process.stdout:
                heard(line)
            over()

        gevent.spawn(listen)

    def say(self, line: str) -> None:
        """Write a line to its stdin; it may be gone already."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def wait(self, timeout_s: float) -> int | None:
        """Its exit code, or None when it still runs after `timeout_s`."""
        try:
            code = self._process.wait(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            return None
        _running.discard(self._process.pid)
        self._listener.join(timeout=1.0)
        return code

    def end(self, grace_s: float) -> None:
        """Ask it to end, and kill it when it has not after `grace_s`."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if self.wait(0.0) is None:
            self._process.terminate()
            if self.wait(grace_s) is None:
                logger.warning("The %s did not end within %.0f s and is killed.", self.name, grace_s)
                self._process.kill()
                self.wait(grace_s)

    def last_words(self) -> str:
        """The last line on its stderr: by convention of our commands the sentence that says what is wrong."""
        return (
            self._said[-1] if self._said else f"the {self.name} ended with code {self.code} and said nothing."
        )

    def _keep_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.strip():
                self._said.append(in_a_line(line))
                logger.debug("%s: %s", self.name, line.rstrip())


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left behind."""

    code: int
    stdout: str
    last_words: str


def run_chatsoak(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    heard: Callable[[str], None] | None = None,
    show_progress: bool = False,
) -> Finished:
    """Run a ``chatsoak`` command to its end.

    Args:
        heard: is given each line that it writes to stderr, as it comes.
        show_progress: leave our own stderr to it.
    """
    process = subprocess.Popen(
        [*CHATSOAK, *arguments],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if show_progress else subprocess.PIPE,
        start_new_session=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    _running.add(process.pid)
    said: deque[str] = deque(maxlen=KEPT_LINES)

    def listen() -> None:
        for line in process.stderr or ():
            if line.strip():
                said.append(in_a_line(line))
                if heard is not None:
                    heard(said[-1])

    listener = gevent.spawn(listen)
    try:
        assert process.stdout is not None
        stdout = process.stdout.read()
        process.wait()
        listener.join()
    except BaseException:
        process.kill()
        process.wait()
        raise
    finally:
        _running.discard(process.pid)
    return Finished(process.returncode, stdout, said[-1] if said else "")


def terminate_all() -> None:
    """Tell every process that this one started to end, and wait for none."""
    for pid in list(_running):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
