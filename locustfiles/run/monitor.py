"""The monitor's process, as the run sees it: ready, findings on the way, finish."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path

from locustfiles.run.children import CHATSOAK, Child
from locustfiles.run.live import Live

logger = logging.getLogger(__name__)

READY_S = 60.0
FINAL_SWEEP_S = 300.0


class Monitor:
    """Watches the database from the baseline before the first send to the sweep after the drain; what it notices on the
    way goes to `live` and to the log.

    Raises:
        TargetError: it cannot read the database.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], live: Live) -> None:
        self._live = live
        self._child = Child("monitor", [*CHATSOAK, "monitor", "--run", str(folder)], environment)
        try:
            self._heard(self._child.first_line(READY_S))
        except BaseException:
            self._child.end(grace_s=1.0)
            raise
        self._child.each_line(self._heard)

    def finish(self) -> str | None:
        """Have it take its last look and end. Returns what went wrong, if anything did."""
        if self._child.code is None:
            self._child.say("finish")
        code = self._child.wait(FINAL_SWEEP_S)
        if code is None:
            self._child.end(grace_s=5.0)
            return f"The monitor had not finished {FINAL_SWEEP_S:.0f} s after the drain."
        return None if code == 0 else f"The monitor ended with code {code}: {self._child.last_words()}"

    def abandon(self) -> None:
        """End it without a last look."""
        self._child.end(grace_s=5.0)

    def _heard(self, line: str) -> None:
        try:
            finding = self._live.hear(json.loads(line))
        except (ValueError, AttributeError, KeyError, TypeError):
            logger.warning("The monitor said what nobody understands: %s", line.rstrip())
            return
        if finding:
            logger.warning("Monitor: %s", finding)
