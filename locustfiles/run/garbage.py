"""How long Python's garbage collection holds the process up."""

import gc
import time


class Garbage:
    """Times every collection from when it is made until `stop`."""

    def __init__(self) -> None:
        self._began_ns = 0
        self._total_ns = self._longest_ns = 0
        gc.callbacks.append(self._collecting)

    def stop(self) -> None:
        """Time no more."""
        gc.callbacks.remove(self._collecting)

    def take_ns(self) -> tuple[int, int]:
        """All collections since the last call, and the longest of them, in nanoseconds."""
        taken = self._total_ns, self._longest_ns
        self._total_ns = self._longest_ns = 0
        return taken

    def _collecting(self, phase: str, info: dict[str, int]) -> None:  # noqa: ARG002 - gc's signature
        now_ns = time.perf_counter_ns()
        if phase == "start":
            self._began_ns = now_ns
            return
        took_ns = now_ns - self._began_ns
        self._total_ns += took_ns
        self._longest_ns = max(self._longest_ns, took_ns)
