"""What `monitor.complete` and `record.complete` must say of a story, rule by rule.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

import itertools

from analysis.record.codes import PollKind
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.story import MONITOR, Process, Story

LOOKS = {"observations", "polls", "baseline", "memberships"}


def monitor(story: Story) -> Answer:
    """The monitor's part is whole, it saw each chat first and last, and never lost sight of them for long."""
    problems = _of_part(MONITOR, story.monitor)
    polls = story.polls
    unknown = sum(story.baseline[chat] is None for chat in range(len(story.chats)))
    if unknown:
        problems.append(f"there is no baseline of {unknown} {'chat' if unknown == 1 else 'chats'} of the run")
    process = story.monitor
    # Of one that was cut off it is not known which rows it could not write.
    lacking = {*process.lost, *process.short} & LOOKS if process.closed else process.lost
    blind = bool(lacking) and not process.silent
    sweeps = [poll.at for poll in polls if poll.kind is PollKind.SWEEP]
    every = [
        (attempt.left, story.processes[story.process_of[message.sender]])
        for message in story.messages
        for attempt in message.attempts
    ]
    sends = [left for left, by in every if _one_clock(by, process)]
    dated = [left for left, by in every if _one_clock(by, process) or _measured(story, by)]
    late = sum(left > sweeps[-1] for left in dated) if sweeps else 0
    if not sweeps or blind:
        problems.append("the last look after the drain is missing")
    elif late:
        problems.append(f"{late} {'send' if late == 1 else 'sends'} left after the last look")
    failed = sum(poll.kind is PollKind.FAILED for poll in polls)
    if polls and polls[-1].kind is PollKind.FAILED:
        problems.append("the database was lost and did not come back (connection refused)")
    good = sorted(poll.at for poll in polls if poll.kind is not PollKind.FAILED)
    waits = [later - at for at, later in itertools.pairwise(good)]
    if good and sends:
        waits.append(good[0] - min(sends))
    longest = max([0, *waits])
    allowed = max(10 * (1.0 if story.interval_s is None else story.interval_s), 30)
    if longest > allowed:
        problems.append(f"it did not look for {longest}.0 s (at most {allowed:.0f} s are allowed)")
    if polls and 5 * failed > len(polls):
        problems.append(f"{failed} of {len(polls)} looks failed (at most 20% may)")
    if not polls:
        problems.append("nothing was recorded")
    facts = {"failed": failed, "longest_between_looks_s": longest, "restarts": 0}
    return Answer([*problems], checked=len(polls), facts=facts)


def record(story: Story) -> Answer:
    """Each process's part is whole, and the run came to its end."""
    parts = {f"worker-{number}": process for number, process in enumerate(story.processes)}
    problems = [problem for name, process in parts.items() for problem in _of_part(name, process)]
    if not story.ended:
        problems.append("run.json has no end: the run was cut off")
    if not parts:
        problems.append("nothing was recorded")
    rows = sum(len(message.attempts) for message in story.messages)
    rows += 3 * sum(one.host in story.measured and one.host != story.monitor.host for one in parts.values())
    dropped = sum(len(one.lost) for one in parts.values() if one.closed and not one.silent)
    return Answer([*problems], checked=len(parts), facts={"rows": rows, "dropped": dropped})


def _of_part(name: str, process: Process) -> list[str]:
    """What one process's part lacks."""
    if process.silent:
        return [f"{name} left no record"]
    if not process.closed:
        lost = ", of which it could not write all" if process.lost else ""
        return [f"{name} was cut off and did not close its record{lost}"]
    problems = []
    if process.lost:
        problems.append(f"{name} could not write {len(process.lost)} rows")
    if process.error:
        problems.append(f"{name} met an error: {process.error}")
    for table in process.short:
        problems.append(f"{name}: rows of {table} are not there")
    for table in process.unfinished:
        if table not in process.short:
            problems.append(f"{name}'s table {table} lacks its end")
    return problems


def _one_clock(process: Process, other: Process) -> bool:
    return process.host == other.host and not process.silent and not other.silent


def _measured(story: Story, process: Process) -> bool:
    """The clock of this process was held against the monitor's, and kept step with it."""
    elsewhere = process.host != story.monitor.host
    return elsewhere and story.measured.get(process.host, False) and not story.monitor.silent
