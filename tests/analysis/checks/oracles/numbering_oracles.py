"""What `seq.*` must say of a history, by plain loops. Shares no code with the checkers."""

from collections.abc import Hashable
from dataclasses import dataclass

from analysis.record.codes import ObservedChange, Outcome, PollKind
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.numbering import (
    LEADER,
    Attempt,
    Measured,
    Numbers,
    Row,
    Send,
    chat_id,
    row_id,
)

PARTS = 1000  # two clocks drift apart by one part in so many


def has_last_look(made: Numbers) -> bool:
    return not made.lost and any(poll.kind is PollKind.SWEEP for poll in made.polls)


def is_gone(row: Row) -> bool:
    return row.seen[-1].change is ObservedChange.GONE


def last_seq(row: Row) -> int | None:
    """As last seen while it was there."""
    return [seen.seq for seen in row.seen if seen.change is not ObservedChange.GONE][-1]


def start(made: Numbers, chat: int) -> int:
    """The chat's newest seq before the run, as far as it is known."""
    return made.baseline[chat] or 0


def stored(made: Numbers) -> list[Row]:
    """The run's rows that were there at the end."""
    return [row for row in made.rows if row.send is not None and not is_gone(row)]


def missing(made: Numbers) -> Answer:
    rows = stored(made)
    faults: list[Hashable] = [str(row_id(row.number)) for row in rows if last_seq(row) is None]
    return Answer(faults, len(rows), not has_last_look(made))


def duplicates(made: Numbers) -> Answer:
    """A seq that two messages ever had, one of them the run's; and a seq from before the run, given again."""
    faults: list[Hashable] = []
    holders: dict[tuple[int, int], set[int]] = {}
    for row in made.rows:
        newest = last_seq(row)
        old = row.send is None and newest is not None and newest <= start(made, row.chat)
        for seen in row.seen:
            if seen.seq is not None and not old:
                holders.setdefault((row.chat, seen.seq), set()).add(row.number)
    for (chat, seq), rows in holders.items():
        if len(rows) > 1 and any(made.rows[number].send is not None for number in rows):
            faults.append((str(chat_id(chat)), seq))
    for row in stored(made):
        seq_now = last_seq(row)
        if seq_now is not None and seq_now <= start(made, row.chat):
            faults.append(str(row_id(row.number)))
    return Answer(faults, len(stored(made)), not has_last_look(made))


def gaps(made: Numbers) -> Answer:
    """Numbers that nobody ever had, from the baseline to the newest; open while somebody may still fill them."""
    faults: list[Hashable] = []
    checked = still_open = 0
    unseen = not has_last_look(made)
    for chat, baseline in enumerate(made.baseline):
        above = [
            (row, seq)
            for row in made.rows
            if row.chat == chat
            for seq in [last_seq(row)]
            if seq is not None and seq > start(made, chat)
        ]
        if not any(row.send is not None for row, _ in above):
            continue
        unseen = unseen or baseline is None
        lowest, highest = min(seq for _, seq in above), max(seq for _, seq in above)
        first = lowest if baseline is None else baseline + 1
        checked += highest - first + 1
        holes = [seq for seq in range(first, highest + 1) if seq not in ever_given(made, chat)]
        for seq in holes:
            if has_last_look(made) and is_gap(made, chat, seq, len(holes)):
                faults.append((str(chat_id(chat)), seq))
            else:
                still_open += 1
    return Answer(faults, checked, unseen or still_open > 0, {"open": still_open})


def ever_given(made: Numbers, chat: int) -> set[int | None]:
    """By the word of anybody."""
    given: set[int | None] = {seq for where, seq in made.told if where == chat}
    for row in made.rows:
        if row.chat == chat:
            given |= {seen.seq for seen in row.seen}
    for send in made.sends:
        if send.chat == chat:
            given |= {one.told for one in send.attempts if one.outcome is Outcome.OK}
    return given


def is_gap(made: Numbers, chat: int, seq: int, holes: int) -> bool:
    """Whether nobody can fill this hole any more."""
    if not made.knows_ids:
        return holes > open_sends(made, chat)
    first_above = min(
        seen.poll
        for row in made.rows
        if row.chat == chat
        for seen in row.seen
        if seen.seq is not None and seen.seq > seq
    )
    looks = [
        poll
        for number, poll in enumerate(made.polls)
        if number >= first_above and poll.kind is not PollKind.FAILED
    ]
    return any(later.xmin >= looks[0].next_xid for later in looks[1:])


def open_sends(made: Numbers, chat: int) -> int:
    """Sends of which nobody knows what became of them."""
    count = 0
    for number, send in enumerate(made.sends):
        outcomes = {one.outcome for one in send.attempts}
        there = any(row.send == number for row in stored(made))
        if send.chat == chat and Outcome.OK not in outcomes and Outcome.INFO in outcomes and not there:
            count += 1
    return count


@dataclass(slots=True)
class Timed:
    """A message with a seq; times in milliseconds by its own clock."""

    number: int
    chat: int
    host: str
    seq: int
    left: float
    acknowledged: float | None


def order(made: Numbers) -> Answer:
    """A message acknowledged for certain before another was sent has the smaller seq."""
    timed = [one for number, send in enumerate(made.sends) for one in timed_send(made, number, send)]
    faults: list[Hashable] = []
    for later in timed:
        if any(
            earlier.chat == later.chat and earlier.seq > later.seq and certainly_before(made, earlier, later)
            for earlier in timed
        ):
            faults.append(later.number)
    alone = sum(one.host != LEADER and offset_at(made, one.host, 0) is None for one in timed)
    several = len({one.host for one in timed}) > 1
    facts: dict[str, float | int] = {"own_clock_only": alone} if several and alone else {}
    return Answer(faults, len(timed), facts=facts)


def timed_send(made: Numbers, number: int, send: Send) -> list[Timed]:
    """With the seq of the row that the answer meant, else of the newest; else as first answered."""
    rows = sorted(
        (row for row in made.rows if row.send == number), key=lambda row: (row.seen[0].poll, row.number)
    )
    answers = sorted(
        (one for one in send.attempts if one.outcome is Outcome.OK), key=lambda one: (one.left, one.answered)
    )
    meant = [row for row in rows if answers and row.number == send.answered] or rows[-1:]
    told = [one.told for one in attempts_in_order(send) if one.outcome is Outcome.OK and one.told is not None]
    seqs = [last_seq(row) for row in meant if last_seq(row) is not None] or told
    if not seqs or seqs[0] is None:
        return []
    acknowledged = min((one.answered for one in answers), default=None)
    left = min(one.left for one in send.attempts)
    return [Timed(number, send.chat, made.hosts[send.process], seqs[0], left, acknowledged)]


def attempts_in_order(send: Send) -> list[Attempt]:
    return sorted(send.attempts, key=lambda one: one.left)


def certainly_before(made: Numbers, earlier: Timed, later: Timed) -> bool:
    if earlier.acknowledged is None:
        return False
    if earlier.host == later.host:
        return earlier.acknowledged < later.left
    told, left = offset_at(made, earlier.host, earlier.acknowledged), offset_at(made, later.host, later.left)
    if told is None or left is None:
        return False
    return earlier.acknowledged + told[1] < later.left + left[0]


def offset_at(made: Numbers, host: str, at: float) -> tuple[float, float] | None:
    """Between what, in milliseconds, the leader's clock is ahead of this host's at its time `at`."""
    if host == LEADER:
        return 0, 0
    measured = [one for one in made.measured if made.hosts[one.process] == host]
    if not measured or any(contradict(one, other) for one in measured for other in measured):
        return None
    return (
        max(one.offset - one.error - abs(at - one.at) / PARTS for one in measured),
        min(one.offset + one.error + abs(at - one.at) / PARTS for one in measured),
    )


def contradict(one: Measured, other: Measured) -> bool:
    drift = abs(one.at - other.at) / PARTS
    return one.offset - one.error - drift > other.offset + other.error
