"""When and why a load generator did not keep up, in sentences, and how many load processes would have. Pure.

A cause is named only where it was noted. Where nothing was, that is said: whoever is told to start more processes for a delay
that nobody can explain looks in the wrong place.
"""

import math
from collections.abc import Iterator

import numpy as np

from analysis.checks.fared import BAD_SECOND, Load, known

# Processes are counted so that each is busy for at most this share of its time: with random arrivals the queue in front
# of a server that is busy for ρ of its time is ρ/(1-ρ) long on average (Pollaczek and Khinchine), 2.3 here, 9 at 0.9.
ROOM = 0.7
# With less of a core than this while it did not keep up, a process was kept from running rather than busy.
STARVED = 0.8


def when_and_why(load: Load, needed: tuple[int, int] | None) -> Iterator[str]:
    """The sentences.

    Args:
        needed: as of `processes_needed`.
    """
    if when := _when(load):
        yield when
    delay = load.delay
    if delay.slots_s > delay.own_s:
        yield (
            f"Most of the wait of the sends in question, {delay.slots_s:,.1f} s added up, was for a free slot "
            "(CHATSOAK_MAX_IN_FLIGHT): the server had not answered those that held them."
        )
    if delay.unexplained:
        yield (
            f"The cause is not known: of {delay.own_s:,.1f} s for which sends were delayed, added up, {delay.own_s - delay.noted_s:,.1f} s "
            "lie in times in which no load process noted that it stood still, used all that it may of a processor, or had no free slot."
        )
    elif needed is not None:
        yield _why(load, needed)


def processes_needed(load: Load) -> tuple[int, int] | None:
    """How many processes the load calls for: with a core each, and with as much as these got. None where no cause is known."""
    got = _core_while_behind(load)
    if got is None or load.delay.unexplained:
        return None
    cores = float(load.rows.groupby("process")["cpu_share"].mean().sum()) * load.stretch
    with_cores, as_these = (
        max(1, math.ceil(cores / (ROOM * core))) for core in (1.0, min(1.0, max(0.01, got)))
    )
    if got >= STARVED:  # they had a core each, and it was not enough
        with_cores = max(with_cores, load.processes + 1)
    return with_cores, max(as_these, load.processes + 1)


def _when(load: Load) -> str | None:
    """From when to when the figures are not to be believed; None where no time stands out."""
    stalls = load.stalls
    stood_still = f"its event loop stood still for {stalls.total_ns / 1e9:,.1f} s in all"
    bad = np.flatnonzero((load.behind > BAD_SECOND) | (load.delay.held > 0))
    if len(bad):
        seconds = int(bad[-1] - bad[0]) + 1
        within = "" if 2 * len(bad) >= seconds else f"in {len(bad):,} seconds "
        first, last = load.begin_s + bad[0], min(load.begin_s + bad[-1] + 1, load.begin_s + load.seconds)
        still = f" ({stood_still})" if len(stalls) else ""
        return (
            f"It did not keep up {within}between second {first:,.0f} and second {last:,.0f} of the run{still}: "
            "latencies of that time say little about the server."
        )
    if not len(stalls):
        return None
    first_ns, last_ns = int(stalls.begin_ns.min()), int(stalls.end_ns.max())
    return (
        f"It fell behind now and then, between second {first_ns / 1e9:,.0f} and second {last_ns / 1e9:,.0f} of the run: "
        f"{stood_still}, in {len(stalls):,} stalls of at most {stalls.longest_ns / 1e6:,.0f} ms."
    )


def _why(load: Load, needed: tuple[int, int]) -> str:
    """What kept it from keeping up, and how many processes would have."""
    got = _core_while_behind(load) or 0.0
    with_cores, as_these = needed
    many = f"{with_cores} load process{'es' if with_cores > 1 else ''}"
    if got >= STARVED:
        return f"It was busy then: about {many} (--processes), each with a core of its own, would have been needed."
    reasons = []
    if (throttled_s := known(load.rows["throttled_ms"]).sum() / 1000) > 0:
        reasons.append(f"throttled by its cgroup for {throttled_s:,.1f} s")
    if (delayed_s := known(load.rows["run_delay_ms"]).sum() / 1000) > 0.1 * load.seconds:
        reasons.append(f"waiting {delayed_s:,.1f} s for a processor that others used")
    if (steal := known(load.rows["steal_share"]).mean() if len(load.rows) else 0.0) > 0.05:
        reasons.append(f"with {steal:.0%} of this machine's time stolen by its hypervisor")
    reason = f" ({', '.join(reasons)})" if reasons else ""
    return (
        f"Meanwhile it got {got:.0%} of a core{reason}: {many} with a core of {'their' if with_cores > 1 else 'its'} own, "
        f"or {as_these} with as little as this, would have been needed."
    )


def _core_while_behind(load: Load) -> float | None:
    """How much of a core a process used while it did not keep up, on average; None where no such time was noted."""
    if load.behind_share > BAD_SECOND:  # with moments between in which it did what it could
        return float(load.rows["cpu_share"].mean())
    # of stalls the processor time is known exactly, of busy seconds a second's
    total_s = load.stalls.total_ns / 1e9 + len(load.busy_cores)
    used_s = float(load.stalls.cpu_ms.sum()) / 1000 + float(load.busy_cores.sum())
    return used_s / total_s if total_s else None
