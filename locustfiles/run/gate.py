"""Which actions may begin, and whether any is under way. Closed for good when the load stops sending."""

from collections.abc import Iterator
from contextlib import contextmanager

from gevent.event import Event


class Closed(Exception):  # noqa: N818 - a statement, not an error
    """The load has stopped: nothing may begin any more."""


class Gate:
    """Lets actions in until it is closed, then tells when the last one has come out."""

    def __init__(self) -> None:
        self.closed = False
        self._inside = 0
        self._idle = Event()
        self._idle.set()

    @contextmanager
    def action(self) -> Iterator[None]:
        """The time of one action.

        Raises:
            Closed: it may not begin.
        """
        if self.closed:
            raise Closed
        self._inside += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if self._inside == 0:
                self._idle.set()

    def close(self) -> None:
        """Let nothing in from now on."""
        self.closed = True

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait for the actions under way; False when some still are after `timeout_s`."""
        return bool(self._idle.wait(timeout=timeout_s))
