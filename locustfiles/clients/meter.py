"""Tells Locust's statistics, and whoever else listens to its ``request`` event, what happened.

The record is what the verdict rests on; these figures are what a person watches while the run goes on.
"""

from collections.abc import Callable
from typing import Any

Fire = Callable[..., None]


class Meter:
    """Fires Locust's ``request`` event.

    Args:
        fire: ``environment.events.request.fire``.
        context: handed to listeners with each event.
    """

    __slots__ = ("_context", "_fire")

    def __init__(self, fire: Fire, context: dict[str, Any] | None = None) -> None:
        self._fire = fire
        self._context = context or {}

    def record(
        self,
        kind: str,
        name: str,
        began_ns: int,
        ended_ns: int,
        length: int = 0,
        error: Exception | None = None,
    ) -> None:
        """One request or socket step, with its true duration."""
        self._fire(
            request_type=kind,
            name=name,
            response_time=(ended_ns - began_ns) / 1e6,
            response_length=length,
            exception=error,
            context=self._context,
        )


class RefusedError(Exception):
    """An answer that is no success, as Locust's table of failures shows it."""
