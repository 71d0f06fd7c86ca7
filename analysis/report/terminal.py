"""What a run leaves on the terminal: about ten lines, and a sign of life while it is judged.

Rich honours NO_COLOR and leaves out colours and moving lines where the output is no terminal.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from analysis.criteria import Verdict
from analysis.report import headline, numbers

COLOUR = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INFO: "cyan",
}
REASONS_SHOWN = 4
QUIET_S = 2.0  # a judge that is done by then says nothing on its way


def show(console: Console, verdict: Mapping[str, Any], users: int, endpoint: str, report: Path) -> None:
    """Print the closing summary of `verdict`, with the path of its report."""
    outcome = Verdict(verdict["outcome"])
    word = f"{headline.SIGN[outcome]} {headline.WORD[outcome].upper()}"
    console.print(Text.assemble((word, COLOUR[outcome]), f"  run {verdict['run_id']}"), soft_wrap=True)
    console.print(Text(headline.sentence(verdict, users, endpoint)), soft_wrap=True)
    if found := headline.faults(verdict):
        console.print(Text(found), soft_wrap=True)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    criteria = headline.entries(verdict)
    for name in ("latency.send.avg", "latency.send.p95", "latency.delivery.p95", "errors.send"):
        if entry := criteria.get(name):
            its = Verdict(entry["outcome"])
            table.add_row(
                Text(headline.SIGN[its], style=COLOUR[its]),
                Text(entry["title"]),
                Text(numbers.observed(entry), style="bold"),
                Text(f"target {entry['target']}"),
            )
    console.print(table)
    reasons = headline.why(verdict)
    for reason in reasons[:REASONS_SHOWN]:
        console.print(
            Text(reason, style=COLOUR[outcome] if outcome is not Verdict.PASS else ""), soft_wrap=True
        )
    if len(reasons) > REASONS_SHOWN:
        console.print(Text(f"… and {len(reasons) - REASONS_SHOWN} more; see the report."), soft_wrap=True)
    console.print(Text(f"Report: {report}"), soft_wrap=True)


class Progress:
    """Tells what is being done, once it has taken longer than `QUIET_S`. A context manager.

    On a terminal the line moves and vanishes at the end; elsewhere each step is a line of its own.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._lock = threading.Lock()
        self._step = ""
        self._status: Status | None = None
        self._loud = False
        self._timer = threading.Timer(QUIET_S, self._speak)
        self._timer.daemon = True

    def __enter__(self) -> "Progress":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            self._loud = False
            if self._status is not None:
                self._status.stop()

    def step(self, doing: str) -> None:
        """Now `doing` is done, e.g. "reading the record"."""
        with self._lock:
            self._step = doing
            if self._loud:
                self._tell()

    def _speak(self) -> None:
        with self._lock:
            self._loud = True
            self._tell()

    def _tell(self) -> None:
        if not self._console.is_terminal:
            self._console.print(Text(f"{self._step} …"), soft_wrap=True)
        elif self._status is None:
            self._status = self._console.status(Text(self._step))
            self._status.start()
        else:
            self._status.update(Text(self._step))
