"""When bytes came in, by the kernel's word, on the clock of everything else that a load process writes down.

A process reads what has come when it gets round to it: behind the answers of others, after a pause of the garbage collector,
when it has its core again. None of that is the server's, and none of it is in a latency that ends where the kernel
received the bytes. Linux stamps each segment on request, and a read tells the stamp of the last one that it returned; the
stamp is of the wall clock, which may be set, so it counts only while that clock keeps its distance from the monotonic one.
Source: socket(7), SO_TIMESTAMPNS; https://docs.kernel.org/networking/timestamping.html
"""

import socket
import struct
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Final

ROOM: Final = 64  # bytes of ancillary data: one stamp has 32

_SO_TIMESTAMPNS: Final = 35  # of asm-generic/socket.h; Python has no name for it
_NS: Final = 1_000_000_000
_unpack = struct.Struct("ll").unpack  # struct timespec

# What the two clocks may part by before they are compared anew: slewing, and a pause between two looks.
_PARTED_NS: Final = 20_000
# A clock that parted by more was set; stamps of before are of another clock, and come for as long as a read may be late.
_SET_NS: Final = 1_000_000
_WARY_NS: Final = 10 * _NS
_LONGEST_NS: Final = (
    60 * _NS
)  # no read is later than this; a wall clock that differs from the kernel's says such things
_LOOKS: Final = 5


class Arrivals:
    """Puts stamps on `time.monotonic_ns`. One for a process.

    Args:
        wall_ns, monotonic_ns: the two clocks.
    """

    def __init__(
        self, wall_ns: Callable[[], int] = time.time_ns, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._offset_ns = self._measured()
        self._wary_until_ns = 0

    def came_ns(self, stamp: bytes, read_ns: int) -> int:
        """When what was read at `read_ns` had come in.

        Args:
            stamp: data of the control message.

        Returns:
            `read_ns` itself where the wall clock has just been set, or says what cannot be.
        """
        if abs(self._wall_ns() - self._monotonic_ns() - self._offset_ns) > _PARTED_NS:
            before_ns, self._offset_ns = self._offset_ns, self._measured()
            if abs(self._offset_ns - before_ns) > _SET_NS:
                self._wary_until_ns = self._monotonic_ns() + _WARY_NS
        if read_ns < self._wary_until_ns:
            return read_ns
        s, ns = _unpack(stamp)
        came_ns: int = s * _NS + ns - self._offset_ns
        return came_ns if read_ns - _LONGEST_NS < came_ns < read_ns else read_ns

    def _measured(self) -> int:
        """How far the wall clock is ahead: of some looks the one that took least."""
        looks = []
        for _ in range(_LOOKS):
            before_ns, wall_ns, after_ns = self._monotonic_ns(), self._wall_ns(), self._monotonic_ns()
            looks.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
        offset_ns: int = min(looks)[1]
        return offset_ns


@cache
def arrivals() -> Arrivals | None:
    """Of this process; None where the kernel has no stamps."""
    if not sys.platform.startswith("linux"):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            stamp(probe)
        except OSError:
            return None
    return Arrivals()


def stamp(connection: socket.socket) -> None:
    """Have the kernel stamp what comes in by `connection`.

    Raises:
        OSError: it cannot.
    """
    connection.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
