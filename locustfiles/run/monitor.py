"""The monitor's process, as the run sees it: ready, findings on the way, finish; and started once more when it dies."""

import json
import logging
import signal
from collections.abc import Mapping
from pathlib import Path

import gevent

from analysis.errors import TargetError
from locustfiles.run.children import CHATSOAK, Child
from locustfiles.run.live import Live

logger = logging.getLogger(__name__)

READY_S = 60.0
FINAL_SWEEP_S = 300.0


class Monitor:
    """Watches the database from the baseline before the first send to the sweep after the drain; what it notices on the
    way goes to `live` and to the log. When it ends in the middle of that, another one takes over, once.

    Raises:
        TargetError: it cannot read the database.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], live: Live) -> None:
        self._live = live
        self._command = [*CHATSOAK, "monitor", "--run", str(folder)]
        self._environment = environment
        self._ending = False  # because we want it to
        self._relief: gevent.Greenlet | None = None  # has another one take over
        self.notes: list[str] = []  # what is worth saying in the verdict
        self._child = self._start(self._command)

    def finish(self) -> str | None:
        """Have it take its last look and end. Returns what went wrong, if anything did."""
        if self._relief is not None:
            self._relief.join()
        self._ending = True
        code = self._finish_child()
        if code is not None and code < 0 and self._relief is None:
            self._relieve()
            code = self._finish_child()
        if code is None:
            self._child.end(grace_s=5.0)
            return f"The monitor had not finished {FINAL_SWEEP_S:.0f} s after the drain."
        return None if code == 0 else f"The monitor ended with {_ended(code)}: {self._child.last_words()}"

    def abandon(self) -> None:
        """End it without a last look."""
        self._ending = True
        if self._relief is not None:
            self._relief.kill()
        self._child.end(grace_s=5.0)

    def _start(self, command: list[str]) -> Child:
        child = Child("monitor", command, self._environment)
        try:
            self._heard(child.first_line(READY_S))
        except BaseException:
            child.end(grace_s=1.0)
            raise
        child.each_line(self._heard, self._over)
        return child

    def _finish_child(self) -> int | None:
        if self._child.code is None:
            self._child.say("finish")
        return self._child.wait(FINAL_SWEEP_S)

    def _over(self) -> None:
        """It says nothing any more."""
        if self._ending:
            return
        if self._relief is None:
            self._relief = gevent.spawn(self._relieve)
            return
        self._child.wait(READY_S)
        self._say(
            f"The monitor ended again, with {_ended(self._child.code)}, and is not started another time."
        )

    def _relieve(self) -> None:
        """Have another one go on where this one was."""
        code = self._child.wait(READY_S)
        self._say(
            f"The monitor ended in the middle of the run, with {_ended(code)}, and is started once more."
        )
        try:
            self._child = self._start([*self._command, "--take-over"])
        except TargetError as error:
            self._say(f"It could not go on: {error}")

    def _say(self, what: str) -> None:
        self.notes.append(what)
        self._live.monitor_ended(what)
        logger.warning("%s", what)

    def _heard(self, line: str) -> None:
        try:
            finding = self._live.hear(json.loads(line))
        except (ValueError, AttributeError, KeyError, TypeError):
            logger.warning("The monitor said what nobody understands: %s", line.rstrip())
            return
        if finding:
            logger.warning("Monitor: %s", finding)


def _ended(code: int | None) -> str:
    return f"signal {signal.Signals(-code).name}" if code is not None and code < 0 else f"code {code}"
