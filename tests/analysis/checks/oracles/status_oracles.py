"""What each of `status.*` must say of a story, by nested loops.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

from collections.abc import Iterator

from analysis.record.codes import EventType, ObservedChange, Outcome, PollKind, Status
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.story import (
    Event,
    Look,
    Message,
    Receipt,
    Story,
    message_id,
    ns,
    person_id,
)

STAGES = (Status.SENT, Status.DELIVERED, Status.READ)
LOOK_LAG = 0.1  # seconds from a snapshot to the time that is noted for it, at most
SETTLED = 1  # an event older than this, in seconds, must show in the last look


def invalid(story: Story) -> Answer:
    """Messages that anybody ever saw with no status or an unknown one, or new and not `sent`."""
    faults = []
    for number, message in _of_run(story):
        strange = any(look.status not in STAGES for look in _present(message))
        for event in _telling(story, number):
            not_new = event.type is EventType.INSERT and event.status is not Status.SENT
            strange = strange or event.status not in STAGES or not_new
        if strange:
            faults.append(str(message_id(number)))
    return Answer(faults, checked=_checked(story), unseen=_last_look(story) is None)


def regressed(story: Story) -> Answer:
    """Messages whose status went back: by the looks, by the events, or from an event to the end."""
    faults = []
    for number, message in _of_run(story):
        looks = [(place, look.status) for place, look in enumerate(_present(message))]
        events = [(event.committed, event.status) for event in _telling(story, number)]
        ways = (
            ("was seen to go back", _widest(looks)),
            ("was set back", _widest(events)),
            ("had gone back at the end", _at_the_end(story, number, message)),
        )
        for words, way in ways:
            if way is not None:
                high, low = way
                if words == "was set back":
                    last = [event.at for event in _recorded(story, number) if event.status is low][-1]
                else:
                    last = [story.polls[look.poll].at for look in _present(message) if look.status is low][-1]
                faults.append((str(message_id(number)), words, _word(high), _word(low), ns(last)))
                break
    return Answer(faults, checked=_checked(story), unseen=_last_look(story) is None)


def stuck(story: Story, delivered_within_s: float, looked_at_a_poll: int) -> Answer:
    """Messages that a look saw at `sent` though the time was over since a recipient's receipt."""
    faults, checked, still_open = [], 0, 0
    for number, message in _of_run(story):
        receipts = list(_receipts(story, number, message))
        if not receipts or _gone(message):
            continue
        checked += 1
        receipt = min(receipts, key=lambda one: (one.answered, one.person))
        deadline = round(receipt.answered + delivered_within_s + LOOK_LAG, 6)
        shown_in_time = any(
            story.host(event.person) == story.monitor.host
            and event.status in {Status.DELIVERED, Status.READ}
            and event.at <= deadline
            for event in _telling(story, number)
        )
        moved = [look.poll for look in _present(message) if look.status is not Status.SENT]
        last_sent = _last_look_at_sent(story, message, min(moved, default=None), looked_at_a_poll)
        if not _blind(story) and last_sent is not None and last_sent >= deadline and not shown_in_time:
            faults.append((str(message_id(number)), str(person_id(receipt.person)), ns(last_sent)))
        elif not moved and not shown_in_time:
            still_open += 1
    unseen = _last_look(story) is None or still_open > 0
    return Answer(faults, checked=checked, unseen=unseen, facts={"open": still_open})


def _receipts(story: Story, number: int, message: Message) -> Iterator[Receipt]:
    """The receipts that say that a recipient had this message: acknowledged, and by the monitor's clock."""
    certain = [
        attempt.answered
        for attempt in message.attempts
        if attempt.outcome is Outcome.OK and story.host(message.sender) == story.monitor.host
    ] + [
        event.at
        for event in story.events
        if event.message == number
        and event.type is EventType.INSERT
        and story.host(event.person) == story.monitor.host
    ]
    known: dict[int, int] = {}  # the newest seq that each person has told to know
    for receipt in sorted(story.receipts, key=lambda one: one.left):
        by_the_clock = story.host(receipt.person) == story.monitor.host
        usable = receipt.outcome is Outcome.OK and receipt.up_to is not None and by_the_clock
        if not usable or receipt.chat != message.chat or receipt.person == message.sender:
            continue
        known[receipt.person] = max(known.get(receipt.person, 0), receipt.up_to or 0)
        stored = any(moment <= receipt.left for moment in certain)
        if stored and message.seq is not None and known[receipt.person] >= message.seq:
            yield receipt


def _last_look_at_sent(
    story: Story, message: Message, moved: int | None, looked_at_a_poll: int
) -> int | None:
    """When the last look was taken that surely saw the row before the poll that saw it moved."""
    good = [number for number, poll in enumerate(story.polls) if poll.kind is not PollKind.FAILED]
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
    return story.polls[max(first, before[max(0, len(before) - 1 - back)])].at


def _waits(message: Message, poll: int) -> bool:
    """Whether a row was there by this poll, and its status could still move: it was not read for good."""
    if not message.looks or message.looks[0].poll > poll:
        return False
    read = [look.poll for look in _present(message) if look.status is Status.READ]
    for_good = _present(message)[-1].status is Status.READ
    return not (for_good and min(read) <= poll)


def _at_the_end(story: Story, number: int, message: Message) -> tuple[Status, Status] | None:
    """From the highest status that an event had told of in good time to that of the last look."""
    sweep = _last_look(story)
    if sweep is None or _gone(message):
        return None
    final = _present(message)[-1].status
    told = [
        event.status
        for event in _telling(story, number)
        if event.status in STAGES and event.committed < story.polls[sweep].database - SETTLED
    ]
    if final in STAGES and told and max(told) > final:
        return max(told), final
    return None


def _widest(testimony: list[tuple[int, Status]]) -> tuple[Status, Status] | None:
    """The widest step back: from read to sent, from read to delivered, from delivered to sent."""
    for high, low in (
        (Status.READ, Status.SENT),
        (Status.READ, Status.DELIVERED),
        (Status.DELIVERED, Status.SENT),
    ):
        for at, status in testimony:
            for later, then in testimony:
                if status is high and then is low and at < later:
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
