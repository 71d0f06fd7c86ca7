"""A sign of life of whatever takes longer than two seconds: seeding, removing, judging, drawing.

On a terminal one line renews itself and vanishes at the end; elsewhere there is now and then a line, without codes.
Rich honours NO_COLOR; a terminal that cannot take a line back (TERM=dumb) is none.
"""

import sys
import threading
import time
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.text import Text

QUIET_S = 2.0  # what is done by then says nothing on its way
EVERY_S = 15.0
FRAMES = "|/-\\"
FRAMES_PER_S = 4


def error_console() -> Console:
    """Our stderr. That stdout is to be written as to a terminal (FORCE_COLOR) says nothing about it."""
    return Console(stderr=True, force_terminal=sys.stderr.isatty())


class Progress:
    """Tells what is being done, once it has taken longer than `QUIET_S`. A context manager.

    Args:
        every_s: where there is no terminal, how long until the next line about the same step.
    """

    def __init__(self, console: Console, every_s: float = EVERY_S) -> None:
        self._console = console
        self._every_s = every_s
        self._moves = console.is_terminal and not console.is_dumb_terminal
        self._lock = threading.Lock()
        self._doing = self._printed = ""
        self._loud = False
        self._began_s = self._step_began_s = time.monotonic()
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._go_on, daemon=True)
        self._line = Live(
            console=console,
            get_renderable=self._now,
            transient=True,
            refresh_per_second=FRAMES_PER_S,
        )

    def __enter__(self) -> "Progress":
        self._teller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._teller.join()
        self._line.stop()

    def step(self, doing: str) -> None:
        """Something else is done now, e.g. "reading the record"."""
        with self._lock:
            self._doing, self._step_began_s = doing, time.monotonic()
            if self._loud and not self._moves:
                self._print()

    def so_far(self, doing: str) -> None:
        """The same is done, and has come so far, e.g. "Creating people: 12 of 300"."""
        self._doing = doing

    def _go_on(self) -> None:
        if self._over.wait(QUIET_S):
            return
        if self._moves:
            self._line.start(refresh=True)
            return
        self._loud = True
        wait_s = 0.0
        while not self._over.wait(wait_s):
            with self._lock:
                self._print()
            wait_s = self._every_s

    def _print(self) -> None:
        if not self._doing:
            return
        seconds = time.monotonic() - self._step_began_s
        still = f", for {seconds:.0f} s by now" if self._doing == self._printed else ""
        self._console.print(Text(f"{self._doing}{still}"), soft_wrap=True)
        self._printed = self._doing

    def _now(self) -> Text:
        seconds = time.monotonic() - self._began_s
        frame = FRAMES[int(seconds * FRAMES_PER_S) % len(FRAMES)]
        return Text(f"{frame} {self._doing} · {seconds:.0f} s", no_wrap=True, overflow="ellipsis")
