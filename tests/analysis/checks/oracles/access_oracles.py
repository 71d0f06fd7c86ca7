"""What `access.denied` must say of attempts, one by one."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.record.codes import AttemptKind, Guise, MarkKind, ObservedChange, Outcome, PollKind, Status, Way
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.story import Look, Message, Story, chat_id, message_id, ns, person_id
from tests.analysis.checks.oracles.trespassers import Break, Trespass

MEASURED_TO = 0.2  # to so many seconds it is known what another clock shows, if it is known
LOOK_LAG = (
    0.1  # seconds from a snapshot to the time that is noted for it, at most, where the record does not tell
)
SOON = 0.5  # seconds in which an event comes
TAKES_EFFECT = 5  # seconds after its answer in which a receipt may still work
BELOW = {
    AttemptKind.MARK_DELIVERED: {Status.SENT},
    AttemptKind.MARK_READ: {Status.SENT, Status.DELIVERED},
    AttemptKind.UNREAD: {Status.SENT, Status.DELIVERED},
}
TOO_MANY = 429
TO_SIGN_IN = {301, 302, 303, 307, 308}  # the app shows somebody to another page
SIGNED_IN = {Guise.OUTSIDER, Guise.ANOTHER_PERSON}
GRANTED, REFUSED, UNCLEAR, EMPTY = "granted", "refused", "unclear", "nothing to be had"
MARKS = (AttemptKind.MARK_DELIVERED, AttemptKind.MARK_READ)


@dataclass(slots=True)
class _Row:
    """A row that the monitor saw. `meant` is the message of the run that it is, if it is one."""

    number: int
    chat: int
    sender: int | None  # None: nobody of the run
    seq: int | None
    looks: list[Look]
    meant: Message | None


def denied(found: Break) -> Answer:
    """Each attempt that gave something; what proves nothing is counted apart."""
    faults = []
    fates = list(_fates(found))
    count = Counter(fate for fate, _ in fates)
    for one, (fate, named) in zip(found.tried, fates, strict=True):
        if fate == GRANTED:
            about = one.told if named is None else named.number
            at = found.story.dated(one.person, one.began)
            faults.append(
                (
                    str(chat_id(one.chat)),
                    None if named is None else named.seq,
                    None if about is None else str(message_id(about)),
                    str(person_id(one.person)),
                    None if at is None else ns(at),
                )
            )
    tried = Counter(f"tried_{one.guise.name.lower()}" for one in found.tried)
    return Answer(
        [*faults],
        checked=count[GRANTED] + count[REFUSED],
        unseen=count[UNCLEAR] > count[GRANTED] + count[REFUSED],
        facts={"unclear": count[UNCLEAR], "nothing_to_be_had": count[EMPTY], **tried},
    )


def unknown(found: Break) -> set[str]:
    """Whom and what was tried, and no attempt says anything about it; the two together only where each is known alone."""
    tried, known = set(), set()
    for one, (fate, _) in zip(found.tried, _fates(found), strict=True):
        tried |= {one.guise.name, one.kind.name, f"{one.guise.name} {one.kind.name}"}
        if fate in {GRANTED, REFUSED}:
            known |= {one.guise.name, one.kind.name, f"{one.guise.name} {one.kind.name}"}
    return {what for what in tried - known if " " not in what or set(what.split()) <= known}


def _fates(found: Break) -> Iterator[tuple[str, _Row | None]]:
    """What became of each attempt, and the row that it is about."""
    marked = {kind: _marked(found, kind) for kind in MARKS}
    for number, one in enumerate(found.tried):
        row = _row(found, number) if one.kind is AttemptKind.SEND else None
        moved = marked[one.kind].get(number) if one.kind in MARKS else None
        if _granted(found, one, row) or moved is not None:
            yield GRANTED, row or moved or _told(found, one.told)
        elif _is_unclear(found, one, row):
            yield UNCLEAR, None
        elif (
            one.outcome is Outcome.OK and one.kind is not AttemptKind.SEND and not _was_something(found, one)
        ):
            yield EMPTY, None
        else:
            yield REFUSED, None


def _granted(found: Break, one: Trespass, row: _Row | None) -> bool:
    if one.kind is not AttemptKind.SEND:
        return (one.got or 0) > 0
    if _is_in_disguise_at_home(found, one):
        # right, if it is stored under the name of the one who sent it
        return row is not None and row.sender != one.person
    return row is not None or (one.outcome is Outcome.OK and one.told is not None)


def _is_in_disguise_at_home(found: Break, one: Trespass) -> bool:
    """A message in another's name, into a chat that one is in."""
    return (
        one.kind is AttemptKind.SEND
        and one.guise is Guise.ANOTHER_PERSON
        and one.person in found.story.chats[one.chat]
    )


def _is_unclear(found: Break, one: Trespass, row: _Row | None) -> bool:
    """Whether nobody said what became of it."""
    if one.outcome is Outcome.INFO:
        to_sign_in = one.status_code in TO_SIGN_IN and one.way is Way.APP
        return not (to_sign_in and one.guise not in SIGNED_IN)
    if one.status_code == TOO_MANY or (one.status_code == 0 and one.way is not Way.REALTIME):
        return True
    # It was taken, and nobody has seen in whose name.
    taken = one.outcome is Outcome.OK and one.told is not None
    return taken and row is None and _is_in_disguise_at_home(found, one)


def _rows(found: Break) -> list[_Row]:
    """In the order in which they were first seen."""
    story = found.story
    rows = [
        _Row(
            number,
            message.chat,
            message.sender if message.attempts else None,
            message.seq,
            message.looks,
            message if message.attempts else None,
        )
        for number, message in enumerate(story.messages)
        if message.looks
    ]
    rows.sort(key=lambda row: row.looks[0].poll)
    for one in found.tried:
        if one.left is not None:
            left = one.left
            rows.append(_Row(left.number, one.chat, left.sender, left.seq, left.looks, None))
    return rows


def _told(found: Break, number: int | None) -> _Row | None:
    return next((row for row in _rows(found) if row.number == number), None)


def _row(found: Break, number: int) -> _Row | None:
    """The row with the attempt's key; without one, that of the message in its answer; else one with its text."""
    one = found.tried[number]
    own = None if one.left is None else _told(found, one.left.number)
    if one.left is not None and one.key and one.left.keyed:
        return own
    if (told := _told(found, one.told)) is not None:
        return told
    return own if one.left is not None and one.left.as_written else None


# What there was to be had


def _was_something(found: Break, one: Trespass) -> bool:
    """Whether there was something that this attempt could have got, as far as clocks tell."""
    story = found.story
    if one.kind in BELOW:
        return _was_unmarked(found, one)
    acknowledged = [
        (message.sender, message.attempts[0].left, at)
        for message in story.messages
        if (at := _answered(message)) is not None and message.chat == one.chat
    ]
    if one.kind is AttemptKind.SUBSCRIBE:
        return any(
            _by(story, one.person, one.began, sender, left)
            and _by(story, sender, at, one.person, round(one.ended - SOON, 6))
            for sender, left, at in acknowledged
        )
    before = any(_before(story, sender, at, one.person, one.began) for sender, _, at in acknowledged)
    return bool(story.baseline[one.chat]) or before


def _was_unmarked(found: Break, one: Trespass) -> bool:
    """Whether a message that the attempt could have marked was there all the time, and unmarked."""
    story = found.story
    senders = set()
    for row in _rows(found):
        if row.chat != one.chat or row.looks[-1].change is ObservedChange.GONE:
            continue
        told = None if row.meant is None else _answered(row.meant)
        first = story.polls[row.looks[0].poll].at
        there = _before(story, None, first, one.person, one.began)
        if row.meant is not None and told is not None:
            there = there or _before(story, row.meant.sender, told, one.person, one.began)
        last = _last_look_below(story, row, one.kind)
        if there and last is not None and _by(story, one.person, one.ended, None, round(last, 6)):
            senders.add(row.sender)
    if one.guise in {Guise.ALTERED_TOKEN, Guise.ANOTHER_PERSON}:  # as somebody else, and who is not known
        return one.person in senders or len(senders) > 1
    return bool(senders - {one.person})


def _last_look_below(story: Story, row: _Row, kind: AttemptKind) -> float | None:
    """Since when the last look may have been taken that saw the row unmarked."""
    moved = [
        look.poll
        for look in row.looks
        if look.change is not ObservedChange.GONE and look.status not in BELOW[kind]
    ]
    seen = [
        poll.asked_by(LOOK_LAG)
        for number, poll in enumerate(story.polls)
        if poll.kind is not PollKind.FAILED
        and row.looks[0].poll <= number < min(moved, default=len(story.polls))
    ]
    return max(seen, default=None)


def _answered(message: Message) -> float | None:
    return min((one.answered for one in message.attempts if one.outcome is Outcome.OK), default=None)


# Who marked a message though no answer says so


def _marked(found: Break, kind: AttemptKind) -> dict[int, _Row]:
    """The attempts of this kind without a count that were under way when a status moved by nobody's receipt."""
    story = found.story
    marked: dict[int, _Row] = {}
    whole = not any("marks" in process.lost for process in story.processes)
    if not whole or any(table in {"observations", "polls", "baseline"} for table in story.monitor.lost):
        return {}
    for row, low, high in _moves(found, kind):
        if _explained(story, row, kind, low, high):
            continue
        near = [
            (number, one)
            for number, one in enumerate(found.tried)
            if one.kind in {kind, AttemptKind.MARK_READ}
            and one.chat == row.chat
            and _earliest(story, one.person, one.began) <= high
            and _latest(story, one.person, one.ended) >= low
        ]
        if not near:
            return {}  # statuses move by themselves here
        if any((one.got or 0) > 0 for _, one in near):
            continue
        for number, one in near:
            silent = one.outcome is Outcome.OK and one.got is None and one.kind is kind
            if silent and story.comparable(one.person):
                marked.setdefault(number, row)
    return marked


def _moves(found: Break, kind: AttemptKind) -> Iterator[tuple[_Row, float, float]]:
    """The rows that came to be marked, and between what."""
    story = found.story
    for row in _rows(found):
        begins, ends = [], []
        last = _last_look_below(story, row, kind)
        if last is not None:
            begins.append(round(last, 6))
        if row.meant is not None and story.comparable(row.meant.sender):
            left = min(one.left for one in row.meant.attempts)
            begins.append(_earliest(story, row.meant.sender, left))
        for look in row.looks:
            if look.change is not ObservedChange.GONE and _is_marked(look.status, kind):
                ends.append(story.polls[look.poll].at)
        for event in story.events:
            if event.message == row.number and row.meant is not None and _is_marked(event.status, kind):
                ends.append(_latest(story, event.person, event.at))
        if begins and ends and max(begins) <= min(ends) < float("inf"):
            yield row, max(begins), min(ends)


def _is_marked(status: Status, kind: AttemptKind) -> bool:
    return status in {Status.DELIVERED, Status.READ} - BELOW[kind]


def _explained(story: Story, row: _Row, kind: AttemptKind, low: float, high: float) -> bool:
    """Whether a receipt of somebody in the chat may have done it."""
    for receipt in story.receipts:
        enough = receipt.kind is MarkKind.READ or kind is AttemptKind.MARK_DELIVERED
        if receipt.chat != row.chat or receipt.person == row.sender or not enough:
            continue
        began, ended = (
            _earliest(story, receipt.person, receipt.left),
            _latest(story, receipt.person, receipt.answered),
        )
        over = receipt.outcome is not Outcome.INFO and ended + TAKES_EFFECT < low
        if receipt.outcome is not Outcome.FAIL and began <= high and not over:
            return True
    return False


# What is certain of times; of the monitor's where there is no person


def _unsure(story: Story, person: int | None) -> float:
    if person is None or story.host(person) == story.monitor.host:
        return 0
    return MEASURED_TO if story.comparable(person) else float("inf")


def _earliest(story: Story, person: int, at: float) -> float:
    return at - _unsure(story, person)


def _latest(story: Story, person: int, at: float) -> float:
    return at + _unsure(story, person)


def _host(story: Story, person: int | None) -> str:
    return story.monitor.host if person is None else story.host(person)


def _before(story: Story, one: int | None, at: float, other: int | None, then: float) -> bool:
    if _host(story, one) == _host(story, other):
        return at < then
    return at + _unsure(story, one) + _unsure(story, other) < then


def _by(story: Story, one: int | None, at: float, other: int | None, then: float) -> bool:
    if _host(story, one) == _host(story, other):
        return at <= then
    return at + _unsure(story, one) + _unsure(story, other) <= then
