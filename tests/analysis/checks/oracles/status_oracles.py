"""What each of `status.*` must say of a story, by nested loops.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace

from analysis.record.codes import EventType, MarkKind, ObservedChange, Outcome, PollKind, Status
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.story import (
    Event,
    Look,
    Message,
    Poll,
    Receipt,
    Story,
    message_id,
    ns,
    person_id,
)

STAGES = (Status.SENT, Status.DELIVERED, Status.READ)
LOOK_LAG = (
    0.1  # seconds from a snapshot to the time that is noted for it, at most, where the record does not tell
)
MEASURED_TO = 0.2  # to so many seconds it is known what another clock shows, if it is known
NOTED_WITHIN = 0.5  # the same where two witnesses are compared


def invalid(story: Story) -> Answer:
    """Messages that anybody ever saw with no status or an unknown one, or new and not `sent`."""
    faults = []
    for number, message in _of_run(story):
        strange = any(look.status not in STAGES for look in _present(message))
        for event in _telling(story, number):
            not_new = event.type is EventType.INSERT and event.status is not Status.SENT
            strange = strange or event.status not in STAGES or not_new
        for page in story.pages:
            for place, shown in enumerate(page.shown):
                told = page.ids and shown == number and place in page.statuses
                strange = strange or (told and page.statuses[place] not in STAGES)
        if strange:
            faults.append(str(message_id(number)))
    return Answer(faults, checked=_checked(story), unseen=_last_look(story) is None)


def regressed(story: Story) -> Answer:
    """Messages of which something certainly showed a higher status before something showed a lower one."""
    faults = []
    for number, message in _of_run(story):
        looks: list[_Shown] = [_Looked(story, look) for look in _present(message)]
        events: list[_Shown] = [_Came(story, event) for event in _recorded(story, number)]
        end = _at_the_end(story, message)
        ways = (
            ("was seen to go back", looks, looks, _in_turn, looks),
            ("was set back", events, events, _in_turn, events),
            ("was set back", looks + events, events, _before, events),
            ("had gone back", looks + events, looks + end, _before, looks),
        )
        for words, higher, lower, certainly, quoted in ways:
            way = _widest(higher, lower, certainly)
            if way is not None:
                high, low = way
                last = [one.seen for one in quoted if one.status is low][-1]
                at_ns = None if last is None else ns(last)
                faults.append((str(message_id(number)), words, _word(high), _word(low), at_ns))
                break
    steady = _ahead(story) is not None
    return Answer(
        faults,
        checked=_checked(story),
        unseen=_last_look(story) is None,
        facts={} if steady else {"commit_times_unused": len(story.events)},
    )


def stuck(story: Story, delivered_within_s: float, looked_at_a_poll: int) -> Answer:
    """Messages that a look saw at `sent` though the time was over since a recipient's receipt, of whichever kind; and of
    the rest those that a look saw at less than `read` though it was over since somebody told to have read them."""
    faults, checked, still_open = [], 0, 0
    for number, message in _of_run(story):
        told = list(_receipts(story, number, message))
        if not told or _gone(message) or _was_anothers(message):
            continue
        checked += 1
        read = [receipt for receipt in told if receipt.kind is MarkKind.READ]
        waits = [
            _waited(story, number, receipts, below, delivered_within_s, looked_at_a_poll)
            for receipts, below in ((told, [Status.SENT]), (read, [Status.SENT, Status.DELIVERED]))
            if receipts
        ]
        late = [wait for wait in waits if isinstance(wait, tuple)]
        if late:
            faults.append(late[0])
        elif _STILL in waits:
            still_open += 1
    unseen = _last_look(story) is None or still_open > 0
    return Answer(faults, checked=checked, unseen=unseen, facts={"open": still_open})


_STILL = "still"  # nobody ever saw it happen, and nobody looked late enough


def _waited(
    story: Story,
    number: int,
    receipts: list[Receipt],
    below: list[Status],
    within_s: float,
    looked_at_a_poll: int,
) -> tuple[Hashable, ...] | str:
    """How a message that stood `below` went on after receipts: the fault, `_STILL`, or well."""
    message = story.messages[number]
    receipt = min(receipts, key=lambda one: (one.answered + _unsure(story, one.person), one.person))
    answered = receipt.answered + _unsure(story, receipt.person)  # at the latest
    deadline = round(answered + within_s, 6)
    shown_in_time = any(
        story.comparable(event.person)
        and event.status in STAGES
        and event.status not in below
        and round(event.at - _unsure(story, event.person), 6) <= round(deadline + LOOK_LAG, 6)
        for event in _telling(story, number)
    )
    moved = [look.poll for look in _present(message) if look.status not in below]
    last = _last_look_before(story, message, min(moved, default=None), looked_at_a_poll)
    if not _blind(story) and last is not None and last >= deadline and not shown_in_time:
        return str(message_id(number)), str(person_id(receipt.person)), ns(last), len(below)
    return _STILL if not moved and not shown_in_time else ""


def _was_anothers(message: Message) -> bool:
    """Whether any look saw it in another chat, or of another sender, than it was sent: whom a receipt covered is not known."""
    chats = {message.row_chat if look.chat is None else look.chat for look in _present(message)}
    sender = message.sender if message.stored_sender is None else message.stored_sender
    senders = {sender if look.sender is None else look.sender for look in _present(message)}
    return bool(chats - {message.chat} or senders - {message.sender})


def _unsure(story: Story, person: int) -> float:
    """By how much a time of this person may be another one on the monitor's clock."""
    return 0 if story.host(person) == story.monitor.host else MEASURED_TO


def _receipts(story: Story, number: int, message: Message) -> Iterator[Receipt]:
    """The receipts that say that a recipient had this message: acknowledged, and by a clock that is known."""
    stored = [
        (message.sender, attempt.answered) for attempt in message.attempts if attempt.outcome is Outcome.OK
    ] + [
        (event.person, event.at)
        for event in story.events
        if event.message == number and event.type is EventType.INSERT
    ]
    known: dict[int, int] = {}  # the newest seq that each person has told to know
    for receipt in sorted(story.receipts, key=lambda one: one.left):
        comparable = story.comparable(receipt.person)
        usable = receipt.outcome is Outcome.OK and receipt.up_to is not None and comparable
        if not usable or receipt.chat != message.chat or receipt.person == message.sender:
            continue
        known[receipt.person] = max(known.get(receipt.person, 0), receipt.up_to or 0)
        before = any(_came_before(story, person, at, receipt) for person, at in stored)
        if before and message.seq is not None and known[receipt.person] >= message.seq:
            yield receipt


def _came_before(story: Story, person: int, at: float, receipt: Receipt) -> bool:
    """Whether it was certainly so far when the receipt left."""
    if story.host(person) == story.host(receipt.person):
        return at <= receipt.left
    surely_by = at + _unsure(story, person) + _unsure(story, receipt.person)
    return story.comparable(person) and surely_by <= receipt.left


def _last_look_before(
    story: Story, message: Message, moved: int | None, looked_at_a_poll: int
) -> float | None:
    """Since when the last look may have been taken that surely saw the row before the poll that saw it moved."""
    at_rows = {PollKind.POLL, PollKind.SWEEP}
    sweeps = [number for number, poll in enumerate(story.polls) if poll.kind is PollKind.SWEEP]
    till = sweeps[-1] if sweeps else len(story.polls)
    good = [number for number, poll in enumerate(story.polls[: till + 1]) if poll.kind in at_rows]
    before = [number for number in good if moved is None or number < moved]
    if not before:
        return None
    back = 0
    if story.polls[before[-1]].kind is PollKind.POLL:
        waiting = sum(_waits(other, before[-1]) for other in story.messages)
        while (back + 1) * looked_at_a_poll < waiting:  # so many polls until every row had its turn
            back += 1
    first = message.looks[0].poll  # this one saw it, whoever's turn it was
    if first not in before:
        return None
    return round(story.polls[max(first, before[max(0, len(before) - 1 - back)])].asked_by(LOOK_LAG), 6)


def _waits(message: Message, poll: int) -> bool:
    """Whether a row was there by this poll, and its status could still move: it was not read for good."""
    if not message.looks or message.looks[0].poll > poll:
        return False
    read = [look.poll for look in _present(message) if look.status is Status.READ]
    for_good = _present(message)[-1].status is Status.READ
    return not (for_good and min(read) <= poll)


class _Shown:
    """Somebody saw a status.

    Attributes:
        place: in its witness's order.
        by: when the row had it by; None: nobody knows.
        since: when the row had it at the earliest; None: nobody knows.
    """

    status: Status
    seen: float | None
    place: int
    by: float | None
    since: float | None

    def in_turn(self, other: "_Shown") -> bool:
        """Whether one witness alone tells that it came before `other`."""
        raise NotImplementedError


def _in_turn(one: _Shown, other: _Shown) -> bool:
    return one.in_turn(other)


def _before(one: _Shown, other: _Shown) -> bool:
    """Whether the run's clock tells it."""
    return one.by is not None and other.since is not None and one.by < other.since


class _Looked(_Shown):
    def __init__(self, story: Story, look: Look) -> None:
        poll = story.polls[look.poll]
        self.status, self.seen, self.place, self.by = look.status, poll.at, look.poll, poll.at
        # Whatever ran at some look so far has ended; or else it may be committed, and not yet to be seen.
        ended = [
            one
            for number, one in enumerate(story.polls)
            if number <= look.poll and one.kind is not PollKind.FAILED and one.next_xid <= poll.xmin
        ]
        known = ended and poll.kind is not PollKind.FAILED
        # Of a record that does not tell when looks were asked for, a clock that seems to be set may be an answer that was late.
        if known and ended[-1].asked is None and _ahead(story) is None:
            known = False
        self.since = ended[-1].asked_by(NOTED_WITHIN) if known else None

    def in_turn(self, other: _Shown) -> bool:
        return self.place < other.place


class _Came(_Shown):
    def __init__(self, story: Story, event: Event) -> None:
        self.status, self.place = event.status, story.events.index(event)
        self.seen = story.dated(event.person, event.at)
        self.subscription = event.person, event.socket
        self.commit_time = story.wall(event.committed)
        self.by = event.at if story.comparable(event.person) else None
        ahead = _ahead(story)
        self.since = self.commit_time - ahead - NOTED_WITHIN if ahead is not None else None
        if self.since is not None and self.by is not None and self.since > self.by:
            self.since = None  # it came before it was committed: the database's clock was wrong

    def in_turn(self, other: _Shown) -> bool:
        assert isinstance(other, _Came)
        one = self.subscription == other.subscription
        return one and self.place < other.place and self.commit_time < other.commit_time


def _at_the_end(story: Story, message: Message) -> list[_Shown]:
    """What the last look must have seen, though the row had not changed since an earlier one."""
    sweep = _last_look(story)
    if sweep is None or _gone(message) or _present(message)[-1].poll > sweep:
        return []
    return [_Looked(story, replace(_present(message)[-1], poll=sweep))]


def _ahead(story: Story) -> float | None:
    """By how much the database's clock is ahead at most; None: no single figure fits all looks, so that it was set meanwhile."""
    between = [
        (
            story.wall(poll.database) - poll.at,
            story.wall(poll.database) - min(poll.asked_by(0), poll.at - NOTED_WITHIN),
        )
        for poll in _whole(story)
    ]
    if not between or max(least for least, _ in between) > min(most for _, most in between):
        return None
    return min(most for _, most in between)


def _whole(story: Story) -> list[Poll]:
    """The looks that came to their end."""
    return [poll for poll in story.polls if poll.kind is not PollKind.FAILED]


def _widest(
    higher: list[_Shown], lower: list[_Shown], certainly: Callable[[_Shown, _Shown], bool]
) -> tuple[Status, Status] | None:
    """The widest step back: from read to sent, from read to delivered, from delivered to sent."""
    for high, low in (
        (Status.READ, Status.SENT),
        (Status.READ, Status.DELIVERED),
        (Status.DELIVERED, Status.SENT),
    ):
        for one in higher:
            for other in lower:
                if one.status is high and other.status is low and certainly(one, other):
                    return high, low
    return None


def _word(status: Status) -> str:
    return f"`{status.name.lower()}`"


def _of_run(story: Story) -> Iterator[tuple[int, Message]]:
    """The run's messages of which somebody saw a row."""
    for number, message in enumerate(story.messages):
        if message.attempts and message.looks:
            yield number, message


def _checked(story: Story) -> int:
    return sum(1 for _ in _of_run(story))


def _present(message: Message) -> list[Look]:
    return [look for look in message.looks if look.change is not ObservedChange.GONE]


def _gone(message: Message) -> bool:
    return message.looks[-1].change is ObservedChange.GONE


def _telling(story: Story, number: int) -> list[Event]:
    """The events that tell of a message's status."""
    return [event for event in story.events if event.message == number and event.type is not EventType.DELETE]


def _recorded(story: Story, number: int) -> list[Event]:
    """The same in the order of the record, process by process."""
    processes = range(len(story.processes))
    told = _telling(story, number)
    return [event for process in processes for event in told if story.process_of[event.person] == process]


def _blind(story: Story) -> bool:
    """Whether the monitor could not write down all that it saw."""
    return any(table in {"observations", "polls", "baseline"} for table in story.monitor.lost)


def _last_look(story: Story) -> int | None:
    """The number of the last sweep, if there is one and the looks are whole."""
    sweeps = [number for number, poll in enumerate(story.polls) if poll.kind is PollKind.SWEEP]
    return sweeps[-1] if sweeps and not _blind(story) else None
