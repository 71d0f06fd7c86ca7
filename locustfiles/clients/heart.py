"""The heartbeat of a Realtime socket: a server that does not answer it is deaf, however open the socket looks."""

import time
from collections.abc import Callable

import gevent
from gevent.event import Event

A_TURN_S = 0.001  # for whoever reads


class Heart:
    """Beats until it is stopped, or until a beat is unanswered when the next is due.

    A process that stood still has not heard what came meanwhile, the answer perhaps among it: that is read first, for at most
    another interval.

    Args:
        interval_s: seconds between beats.
        next_ref: gives each beat its ref.
        push: sends a beat with this ref.
        has_unread: whether something has come in that was not read yet.
        on_silence: called once, when the server has not answered.
    """

    def __init__(
        self,
        interval_s: float,
        next_ref: Callable[[], str],
        push: Callable[[str], None],
        has_unread: Callable[[], bool],
        on_silence: Callable[[], None],
    ) -> None:
        self._interval_s = interval_s
        self._next_ref = next_ref
        self._push = push
        self._has_unread = has_unread
        self._on_silence = on_silence
        self._open: dict[str, int] = {}  # ref of an unanswered beat -> when it left
        self._answered = Event()  # the newest beat was answered, or the heart stopped
        self._beating: gevent.Greenlet | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._beating = gevent.spawn(self._run)

    def answer(self, ref: str) -> int | None:
        """The server answered: when that beat had left, by `time.monotonic_ns`; None for a stranger."""
        left_ns = self._open.pop(ref, None)
        if left_ns is not None and not self._open:
            self._answered.set()
        return left_ns

    def probe(self, timeout_s: float) -> bool:
        """Beat now, and wait. Whether it was answered, or the heart stopped meanwhile."""
        self._answered.clear()
        self._beat()
        if not self._answered.wait(timeout=timeout_s):
            self._read_first()
        return bool(self._answered.is_set())

    def stop(self) -> None:
        """Beat no more; whoever waits for an answer goes on."""
        self._answered.set()
        if self._beating is not None and self._beating is not gevent.getcurrent():
            self._beating.kill(block=False)

    def _run(self) -> None:
        while True:
            gevent.sleep(self._interval_s)
            self._read_first()
            if self._open:
                self._on_silence()
                return
            self._beat()

    def _read_first(self) -> None:
        """Let what has come in already be read: see the class."""
        late_ns = time.monotonic_ns() + round(self._interval_s * 1e9)
        while self._open and self._has_unread() and time.monotonic_ns() < late_ns:
            gevent.sleep(A_TURN_S)

    def _beat(self) -> None:
        ref = self._next_ref()
        self._open[ref] = time.monotonic_ns()  # before the push, which may wait while the answer is read
        self._push(ref)
