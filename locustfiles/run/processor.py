"""What this process was given of the processor, and what kept it from running. Linux; elsewhere little is known.

Sources: cgroups(7) and the kernel's Documentation/admin-guide/cgroup-v2.rst (cpu.max, cpu.stat), sched-bwc.rst (the same
of version 1), Documentation/scheduler/sched-stats.rst (/proc/<pid>/schedstat), proc_stat(5) (steal).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_CGROUPS = Path("/sys/fs/cgroup")
_NOT_THERE = (OSError, ValueError, IndexError)


class Withheld(NamedTuple):
    """What kept the process from running since the last look; None = the system does not tell.

    Attributes:
        run_delay_ms: it was ready to run and waited for a processor that others used.
        throttled_ms: its control group had used up its quota.
        steal_share: share of the machine's processor time that its hypervisor gave to others.
    """

    run_delay_ms: float | None
    throttled_ms: float | None
    steal_share: float | None


class Processor:
    """Looks at the processor time of the calling process."""

    def __init__(self) -> None:
        self._groups = tuple(_groups())
        self._run_delay_ns = _run_delay_ns()
        self._throttled_us = self._throttled()
        self._stolen = _stolen()

    def allowed(self) -> float:
        """How many processors the process may use: those it may run on, and its control groups' quotas."""
        quotas = [quota for group in self._groups if (quota := _quota(group)) is not None]
        return min([float(len(os.sched_getaffinity(0))), *quotas])

    def take_withheld(self) -> Withheld:
        """What has come on top since the last call."""
        run_delay_ns, throttled_us, stolen = _run_delay_ns(), self._throttled(), _stolen()
        before = self._run_delay_ns, self._throttled_us, self._stolen
        self._run_delay_ns, self._throttled_us, self._stolen = run_delay_ns, throttled_us, stolen
        steal_share = None
        if stolen is not None and before[2] is not None and stolen[1] > before[2][1]:
            steal_share = (stolen[0] - before[2][0]) / (stolen[1] - before[2][1])
        return Withheld(
            None if run_delay_ns is None or before[0] is None else (run_delay_ns - before[0]) / 1e6,
            None if throttled_us is None or before[1] is None else (throttled_us - before[1]) / 1e3,
            steal_share,
        )

    def _throttled(self) -> float | None:
        """Microseconds for which the groups of this process had to wait for their quota, in all."""
        found = [time_us for group in self._groups if (time_us := _throttled_us(group)) is not None]
        return sum(found) if found else None


def _groups() -> Iterator[Path]:
    """The folders of the control groups that limit this process, its own and those above, as far as they can be seen."""
    with suppress(*_NOT_THERE):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines():
            number, controllers, path = line.split(":", 2)
            if number != "0" and "cpu" not in controllers.split(","):
                continue
            root = _CGROUPS if number == "0" else _CGROUPS / "cpu"
            group = root / path.lstrip("/")
            while (
                not group.is_dir() and group != root
            ):  # a container sees less of the tree than its path says
                group = group.parent
            yield from (group, *(above for above in group.parents if above.is_relative_to(root)))


def _quota(group: Path) -> float | None:
    """The group's quota in processors; None = it has none."""
    with suppress(*_NOT_THERE):
        quota, period = (group / "cpu.max").read_text(encoding="ascii").split()
        return None if quota == "max" else int(quota) / int(period)
    with suppress(*_NOT_THERE):
        quota_us = int((group / "cpu.cfs_quota_us").read_text(encoding="ascii"))
        period_us = int((group / "cpu.cfs_period_us").read_text(encoding="ascii"))
        return quota_us / period_us if quota_us > 0 else None
    return None


def _throttled_us(group: Path) -> float | None:
    with suppress(*_NOT_THERE):
        lines = (group / "cpu.stat").read_text(encoding="ascii").splitlines()
        told = dict(line.split(" ", 1) for line in lines)
        if "throttled_usec" in told:
            return float(told["throttled_usec"])
        if "throttled_time" in told:
            return int(told["throttled_time"]) / 1e3
    return None


def _run_delay_ns() -> int | None:
    """For how long the main thread, which makes the load, was ready and had to wait, in all."""
    with suppress(*_NOT_THERE):
        return int(Path("/proc/self/schedstat").read_text(encoding="ascii").split()[1])
    return None


def _stolen() -> tuple[int, int] | None:
    """Ticks of the machine that were stolen, and all of them."""
    with suppress(*_NOT_THERE):
        with Path("/proc/stat").open(encoding="ascii") as file:
            ticks = [int(text) for text in file.readline().split()[1:]]
        return ticks[7], sum(ticks[:8])
    return None
