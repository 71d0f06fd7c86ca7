"""Acknowledge what has arrived, as a real client does: at most once a second for a chat, not once a message."""

from collections.abc import Callable
from random import Random

import gevent
from gevent.event import Event

QUIET_S = 1.0  # messages of one chat that arrive within this time share a receipt
TRIES = 3
RETRY_S = 1.0


class Receipts:
    """The delivery receipts of one person.

    Args:
        send: sends the receipt of a chat and says whether the server took it.
    """

    def __init__(self, send: Callable[[str], bool], rng: Random) -> None:
        self._send = send
        self._rng = rng
        self._pending: set[str] = set()
        self._open = 0
        self._idle = Event()
        self._idle.set()

    def arrived(self, chat_id: str) -> None:
        """Something arrived in `chat_id`; it will be acknowledged soon."""
        if chat_id in self._pending:
            return
        self._pending.add(chat_id)
        self._open += 1
        self._idle.clear()
        gevent.spawn_later(QUIET_S * self._rng.uniform(0.8, 1.2), self._acknowledge, chat_id)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until every arrival is acknowledged."""
        return bool(self._idle.wait(timeout=timeout_s))

    def _acknowledge(self, chat_id: str) -> None:
        self._pending.discard(chat_id)  # what arrives from now on needs another receipt
        try:
            for attempt in range(1, TRIES + 1):
                if self._send(chat_id):
                    return
                gevent.sleep(RETRY_S * attempt)
        finally:
            self._open -= 1
            if self._open == 0:
                self._idle.set()
