"""`monitor.complete` and `record.complete`: did the tool itself see and keep everything?

What they find is never the target's fault, so they never fail a run: they make it inconclusive.
"""

import numpy as np

from analysis.checks.account import Account, Ints
from analysis.checks.findings import counted
from analysis.clocks import Clocks
from analysis.criteria import Criterion, Verdict
from analysis.evidence import Evidence, ProcessPart
from analysis.record.codes import PollKind

# The monitor may miss some looks, e.g. while PostgreSQL restarts; what happens meanwhile shows at the next one, but for
# what comes and goes between two looks. Beyond these bounds it was blind for too long to vouch for the run.
BLIND_INTERVALS = 10
BLIND_AT_LEAST_S = 30.0
MOST_FAILED = 0.2  # share of looks


def monitor(account: Account) -> Criterion:
    """The monitor saw every chat before the load, looked often enough all along, and saw the rows after the drain.

    Often enough: never longer than `BLIND_INTERVALS` intervals, or `BLIND_AT_LEAST_S` if that is more, between two
    looks or from the first send to the first look; and no more than `MOST_FAILED` of the looks without an answer.
    """
    evidence = account.evidence
    polls = evidence.polls
    failed = polls["kind"].to_numpy() == PollKind.FAILED
    problems = [
        problem
        for part in evidence.monitors
        if not _was_relieved(evidence, part)
        for problem in _problems(part)
    ]
    without = set(evidence.participants["chat_id"].tolist()) - set(evidence.baseline["chat_id"].tolist())
    if without:
        problems.append(f"there is no baseline of {counted(len(without), 'chat')} of the run")
    if account.last_look_ns is None:
        problems.append("the last look after the drain is missing")
    elif (late := _sends_after_the_last_look(account)) > 0:
        problems.append(f"{counted(late, 'send')} left after the last look")
    if len(failed) and failed[-1]:
        error = polls["error"].iloc[-1]
        problems.append(f"the database was lost and did not come back ({error})")
    longest_s = _longest_between_looks_s(account, polls["at_ns"].to_numpy()[~failed])
    if longest_s > (bound_s := _longest_blind_s(evidence)):
        problems.append(f"it did not look for {longest_s:.1f} s (at most {bound_s:.0f} s are allowed)")
    if len(failed) and failed.mean() > MOST_FAILED:
        problems.append(f"{failed.sum():,} of {len(failed):,} looks failed (at most {MOST_FAILED:.0%} may)")
    restarts = len(evidence.monitors) - 1
    said = (
        f"it ended in mid-run and was started once more, from where it was; it never went longer than {longest_s:.1f} s "
        "without a look, and what came and went within that time was not seen"
    )
    return _criterion(
        "monitor.complete",
        "The monitor saw everything",
        "looks",
        checked=len(polls),
        problems=problems,
        facts={
            "failed": int(failed.sum()),
            "longest_between_looks_s": round(longest_s, 3),
            "restarts": restarts,
        },
        remark=said if restarts else None,
    )


def record(evidence: Evidence) -> Criterion:
    """Every load process left its part of the record, closed in good order, with every row it counted."""
    problems = _problems_of_the_record(evidence)
    dropped = sum(sum(part.process.dropped.values()) for part in evidence.parts if part.process)
    rows = sum(sum(part.rows.values()) for part in evidence.parts)
    return _criterion(
        "record.complete",
        "The record is whole",
        "processes",
        checked=len(evidence.parts),
        problems=problems,
        facts={"rows": rows, "dropped": dropped},
    )


def is_whole(evidence: Evidence) -> bool:
    """Whether nothing is known to be missing of what the load processes did."""
    return not _problems_of_the_record(evidence)


def _problems_of_the_record(evidence: Evidence) -> list[str]:
    problems = [problem for part in evidence.parts for problem in _problems(part)]
    if evidence.run.ended_at is None:
        problems.append("run.json has no end: the run was cut off")
    return problems


def _was_relieved(evidence: Evidence, part: ProcessPart) -> bool:
    """Whether another monitor took over from this one, which was killed and could not close its record.

    Each look of it is whole, and rows that it had not written down yet are new to the other.
    """
    killed = part.process is not None and not part.process.closed and not part.process.lost_rows
    return part is not evidence.database and killed


def _problems(part: ProcessPart) -> list[str]:
    """What is not whole about one process's part, in words."""
    if part.process is None:
        return [f"{part.name} left no record"]
    if not part.process.closed:
        lost = ", of which it could not write all" if part.process.lost_rows else ""
        return [f"{part.name} was cut off and did not close its record{lost}"]
    problems = []
    if dropped := sum(part.process.dropped.values()):
        problems.append(f"{part.name} could not write {dropped:,} rows")
    if part.process.error:
        problems.append(f"{part.name} met an error: {part.process.error}")
    for table, rows in part.rows.items():
        if rows != (counted := part.process.counts.get(table, 0)):
            problems.append(f"{part.name} wrote {counted:,} rows of {table}, and {rows:,} are there")
        elif table in part.unfinished:
            problems.append(f"{part.name}'s table {table} lacks its end")
    return problems


def _longest_between_looks_s(account: Account, looks: Ints) -> float:
    """The longest time between two looks, or from the first send to the first look where one clock has both."""
    sends = account.evidence.sends
    left = sends["left_ns"].to_numpy()[sends["clock"].to_numpy() == account.monitor_clock]
    times = np.sort(looks)
    if len(left) and len(times):
        times = np.append(min(left.min(), times[0]), times)
    return float(np.diff(times).max()) / 1e9 if len(times) > 1 else 0.0


def _longest_blind_s(evidence: Evidence) -> float:
    interval_s = float(evidence.run.settings.get("CHATSOAK_MONITOR_INTERVAL_S", 1.0))
    return max(BLIND_INTERVALS * interval_s, BLIND_AT_LEAST_S)


def _sends_after_the_last_look(account: Account) -> int:
    """How many sends left after it for certain: the load went on, here or on a machine that had lost its master."""
    if account.last_look_ns is None:
        return 0
    sends, clocks = account.evidence.sends, Clocks.of(account.evidence)
    look = clocks.moments(np.array([account.last_look_ns]), np.array([account.monitor_clock]))
    return int(look.before(clocks.moments(sends["left_ns"], sends["clock"])).sum())


def _criterion(
    id: str,  # noqa: A002 - the name in verdict.json
    title: str,
    unit: str,
    *,
    checked: int,
    problems: list[str],
    facts: dict[str, float | int],
    remark: str | None = None,
) -> Criterion:
    """Args: remark: worth saying whether there are problems or not."""
    if not checked:
        problems = [*problems, "nothing was recorded"]
    return Criterion(
        id=id,
        title=title,
        target="0",
        observed=len(problems),
        unit=unit,
        outcome=Verdict.INCONCLUSIVE if problems else Verdict.PASS,
        checked=checked,
        reason=_sentence([*problems, *([remark] if remark else [])]),
        facts=facts,
    )


def _sentence(problems: list[str]) -> str | None:
    if not problems:
        return None
    text = "; ".join(problems)
    return f"{text[0].upper()}{text[1:]}."
