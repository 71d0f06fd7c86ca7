"""What `seq.*` must say of a history, by plain loops. Shares no code with the checkers."""

from collections.abc import Hashable
from dataclasses import dataclass

from analysis.record.codes import EventType, ObservedChange, Outcome, PagePurpose, PollKind
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.numbering import (
    LEADER,
    STRANGER,
    UNSEEN,
    Measured,
    Numbers,
    Row,
    Seen,
    Send,
    chat_id,
    row_id,
)

PARTS = 1000  # two clocks drift apart by one part in so many


def has_last_look(made: Numbers) -> bool:
    return not made.lost and any(poll.kind is PollKind.SWEEP for poll in made.polls)


def is_gone(row: Row) -> bool:
    return row.seen[-1].change is ObservedChange.GONE


def there(row: Row) -> list[Seen]:
    return [seen for seen in row.seen if seen.change is not ObservedChange.GONE]


def last_seq(row: Row) -> int | None:
    """As last seen while it was there."""
    return there(row)[-1].seq


def start(made: Numbers, chat: int) -> int:
    """The chat's newest seq before the run, as far as it is known."""
    return made.baseline[chat] or 0


def rows_of(made: Numbers, send: Send) -> list[Row]:
    """Every row of this message that a look saw."""
    return [row for row in made.rows if row.send is not None and made.sends[row.send] is send]


def missing(made: Numbers) -> Answer:
    """Messages of the run that any look found without a number."""
    rows = [row for row in made.rows if row.send is not None]
    faults: list[Hashable] = [
        str(row_id(row.number)) for row in rows if any(seen.seq is None for seen in there(row))
    ]
    return Answer(faults, len(rows), not has_last_look(made))


@dataclass(frozen=True, slots=True)
class Given:
    """A number that a message had; `poll`: the look that saw it, None: others tell of it."""

    chat: int
    seq: int
    message: int
    of_run: bool
    poll: int | None


def given(made: Numbers) -> list[Given]:
    """By the looks, and by the word of others, without what other people wrote before the run."""
    found = [
        Given(row.where(seen), seen.seq, row.number, row.send is not None, seen.poll)
        for row in made.rows
        for seen in row.seen
        if seen.seq is not None
    ]
    named = {send.answered for send in made.sends} | {word.message for word in made.words}
    for message in named:
        owners = [row.send is not None for row in made.rows if row.number == message]
        of_run = owners[0] if owners else answered_with(made, message) is not None
        found += [Given(chat, seq, message, of_run, None) for chat, seq in told(made, message)]
    return [one for one in found if one.of_run or one.seq > start(made, one.chat)]


def told(made: Numbers, message: int) -> set[tuple[int, int]]:
    """Chat and seq that people were told this message had, where that is to be believed."""
    seen = any(row.number == message for row in made.rows)
    send = answered_with(made, message)
    answer = {(send.chat, seq) for seq in first_told(send)} if send is not None else set()
    words = [word for word in made.words if word.message == message]
    heard = {
        (word.chat, word.seq)
        for word in words
        if word.told_by is not EventType.DELETE and word.seq is not None
    }
    if seen:
        return answer & heard  # two who say the same, whatever the looks found afterwards
    deleted = any(word.told_by is EventType.DELETE for word in words)
    if send is not None and not rows_of(made, send):
        return answer or (heard if len(heard) == 1 else set())
    on_a_page = send is None and any(isinstance(word.told_by, PagePurpose) for word in words)
    if not deleted and not on_a_page:
        return set()
    return answer & heard if answer else heard if len(heard) == 1 else set()


def answered_with(made: Numbers, message: int) -> Send | None:
    """Whose answer told this id; of several the last one in the record."""
    senders = [
        send
        for send in sorted(made.sends, key=lambda send: send.process)
        if send.answered == message and any(one.outcome is Outcome.OK for one in send.attempts)
    ]
    return senders[-1] if senders else None


def first_told(send: Send) -> list[int]:
    """The seq of the first attempt that was told one; nothing without it."""
    ok = [one for one in sorted(send.attempts, key=lambda one: one.left) if one.outcome is Outcome.OK]
    return [one.told for one in ok if one.told is not None][:1]


def duplicates(made: Numbers) -> Answer:
    """A seq that two messages ever had, one of them the run's; and a seq from before the run, given again."""
    known = [one for one in given(made) if one.of_run or one.poll is not None]
    faults: list[Hashable] = []
    for chat, seq in {(one.chat, one.seq) for one in known}:
        holders = [one for one in known if (one.chat, one.seq) == (chat, seq)]
        if len({one.message for one in holders}) > 1 and any(one.of_run for one in holders):
            faults.append((str(chat_id(chat)), seq))
    ours = [one for one in known if one.of_run]
    again = {one.message for one in ours if one.seq <= start(made, one.chat)}
    faults += [str(row_id(message)) for message in again]
    return Answer(faults, len({one.message for one in ours}), not has_last_look(made))


def gaps(made: Numbers) -> Answer:
    """Numbers that nobody ever had, from the baseline to the newest; open while somebody may still fill them."""
    faults: list[Hashable] = []
    checked = still_open = 0
    unseen = not has_last_look(made)
    perhaps: list[tuple[int, int]] = []
    for chat, baseline in enumerate(made.baseline):
        above = [
            (row, seq)
            for row in made.rows
            if row.where(there(row)[-1]) == chat == numbered_for(made, row)
            for seq in [last_seq(row)]
            if seq is not None and seq > start(made, chat)
        ]
        if not any(row.send is not None for row, _ in above):
            continue
        unseen = unseen or baseline is None
        lowest, highest = min(seq for _, seq in above), max(seq for _, seq in above)
        first = lowest if baseline is None else baseline + 1
        checked += highest - first + 1
        ever = {one.seq for one in given(made) if one.chat == chat}
        holes = [seq for seq in range(first, highest + 1) if seq not in ever]
        for seq in holes:
            if not has_last_look(made) or not is_gap(made, chat, seq, len(holes)):
                still_open += 1
            elif seq in may_have_been_shown(made, chat):
                perhaps.append((chat, seq))
            else:
                faults.append((str(chat_id(chat)), seq))
    if len(faults) <= deleted_unknown(made):  # any of them may have had these numbers
        perhaps, faults = perhaps + [(-1, -1)] * len(faults), []
    facts: dict[str, float | int] = {"open": still_open}
    if perhaps:
        facts["perhaps_given"] = len(perhaps)
    return Answer(faults, checked, unseen or still_open > 0 or bool(perhaps), facts)


def numbered_for(made: Numbers, row: Row) -> int:
    """The chat that it was sent to; of somebody else's, where it was first seen: a row that was moved kept another's number."""
    return row.where(row.seen[0]) if row.send is None else made.sends[row.send].chat


def is_unknown(made: Numbers, message: int) -> bool:
    """Whether no look saw it, and no answer named it."""
    return all(row.number != message for row in made.rows) and answered_with(made, message) is None


def may_have_been_shown(made: Numbers, chat: int) -> set[int]:
    """Numbers with which somebody saw a message that may have come and gone between two looks."""
    found = set()
    for word in made.words:
        if word.chat != chat or word.seq is None or not is_unknown(made, word.message):
            continue
        waiting = [
            UNSEEN + number
            for number, send in enumerate(made.sends)
            if send.chat == chat and fate_unknown(made, send)
        ]
        on_a_page = isinstance(word.told_by, PagePurpose)
        mine = bool(waiting) if on_a_page else word.message in waiting  # an event shows the text
        if word.sender == STRANGER or mine:
            found.add(word.seq)
    return found


def deleted_unknown(made: Numbers) -> int:
    """How many messages that nobody else told anything of were deleted."""
    return len(
        {
            word.message
            for word in made.words
            if word.told_by is EventType.DELETE
            and is_unknown(made, word.message)
            and all(other.seq is None for other in made.words if other.message == word.message)
        }
    )


def fate_unknown(made: Numbers, send: Send) -> bool:
    outcomes = {one.outcome for one in send.attempts}
    return Outcome.INFO in outcomes and Outcome.OK not in outcomes and not rows_of(made, send)


def is_gap(made: Numbers, chat: int, seq: int, holes: int) -> bool:
    """Whether nobody can fill this hole any more."""
    if not made.knows_ids:
        return holes > open_sends(made, chat)
    moved_here = {row.number for row in made.rows if numbered_for(made, row) != chat}
    first_above = min(
        one.poll
        for one in given(made)
        if one.chat == chat and one.seq > seq and one.poll is not None and one.message not in moved_here
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
    for send in made.sends:
        outcomes = {one.outcome for one in send.attempts}
        stored = any(not is_gone(row) for row in rows_of(made, send))
        if send.chat == chat and Outcome.OK not in outcomes and Outcome.INFO in outcomes and not stored:
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
    """With the seq that it was given first: as first answered, or else as first seen of the row that the answer meant, or
    of the newest. Nobody knows it where these differ, nor is one of another chat of any use."""
    rows = sorted(rows_of(made, send), key=lambda row: (row.seen[0].poll, row.number))
    answers = [one for one in send.attempts if one.outcome is Outcome.OK]
    meant = [row for row in rows if answers and row.number == send.answered] or rows[-1:]
    seqs = set(first_told(send))
    for row in meant:
        if row.where(row.seen[0]) != send.chat:
            return []
        if row.seen[0].seq is not None:
            seqs.add(row.seen[0].seq)
    if len(seqs) != 1:
        return []
    acknowledged = min((one.answered for one in answers), default=None)
    named = any(row.number == send.answered for row in rows) or first_told(send)
    if len(rows) > 1 and not named:
        acknowledged = None  # which of them was there by then, nobody says
    left = min(one.left for one in send.attempts)
    return [Timed(number, send.chat, made.hosts[send.process], seqs.pop(), left, acknowledged)]


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
