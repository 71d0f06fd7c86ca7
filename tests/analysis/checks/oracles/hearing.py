"""What each participant should have heard: `realtime.*` and the counts of deliveries by nested loops over a story.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from analysis.record.codes import EventType, ObservedChange, Outcome, PagePurpose, PollKind, SocketEvent
from tests.analysis.checks.oracles.story import Event, Message, Story

CERTAIN_AFTER = 10  # seconds after which a live subscription must have brought what was stored


@dataclass(eq=False, slots=True)
class Subscription:
    """One subscription; `ended` is None while its end is not known."""

    person: int
    chat: int
    socket: int
    began: int
    ended: int | None = None
    awaited: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message and one participant of its chat, and what came of it."""

    message: int
    person: int
    arrived: bool
    owed: bool
    read: bool
    by_history: bool


class Hearing:
    """A story, asked who was owed what."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.subscriptions = list(_subscriptions(story))
        self.looks_whole = not any(
            table in {"observations", "polls", "baseline"} for table in story.monitor.lost
        )
        swept = any(poll.kind is PollKind.SWEEP for poll in story.polls)
        self.last_look = swept and self.looks_whole

    # The subscription that brought an event

    def brought_by(self, event: Event) -> Subscription | None:
        """The one of its socket and chat that had begun last; before all of them, the first."""
        of_socket = [
            one
            for one in self.subscriptions
            if (one.person, one.socket, one.chat) == (event.person, event.socket, event.chat)
        ]
        found = of_socket[0] if of_socket else None
        for one in of_socket:
            if one.began <= event.at:
                found = one
        return found

    def channel(self, event: Event) -> object:
        """What counts as one subscription; an event that none accounts for stands with those of its socket and chat."""
        return self.brought_by(event) or (event.person, event.socket, event.chat)

    def brought(self, subscription: Subscription) -> list[Event]:
        """The INSERT events of stored messages that came by it."""
        return [event for event in self.known_inserts() if self.brought_by(event) is subscription]

    def known_inserts(self) -> list[Event]:
        """INSERT events of messages of which the monitor saw a row, process by process, as they were read."""
        return [
            event
            for process in range(len(self.story.processes))
            for event in self.story.events
            if self.story.process_of[event.person] == process
            and event.type is EventType.INSERT
            and self.row(event.message) is not None
        ]

    # Rows

    def row(self, number: int | None) -> Message | None:
        """The message, if the monitor ever saw a row of it."""
        if number is None or number >= len(self.story.messages):
            return None
        message = self.story.messages[number]
        return message if message.looks else None

    def stored_by(self, message: Message, host: str) -> int | None:
        """The earliest moment by the clock of `host` at which it is known to have been stored."""
        moments = []
        if self.story.host(message.sender) == host:
            moments += [one.answered for one in message.attempts if one.outcome is Outcome.OK]
        if self.story.monitor.host == host:
            first = self.story.polls[message.looks[0].poll]
            moments.append(first.at + first.took)
        return min(moments, default=None)

    # Deliveries

    def deliveries(self) -> list[Delivery]:
        """All pairs of a stored message of the run and a participant of its chat."""
        found = []
        for number, message in enumerate(self.story.messages):
            gone = bool(message.looks) and message.looks[-1].change is ObservedChange.GONE
            if not message.attempts or not message.looks or gone:
                continue
            for person in self.story.chats[message.chat]:
                arrived = any(
                    event.message == number and event.person == person and event.type is EventType.INSERT
                    for event in self.story.events
                )
                read = any(
                    number in page.shown and page.person == person and page.purpose is not PagePurpose.BROWSE
                    for page in self.story.pages
                )
                owed = self.owed(message, person, read)
                by_history = not owed and (read or self.owed_by_history(message, person))
                found.append(Delivery(number, person, arrived, owed, read, by_history))
        return found

    def owed(self, message: Message, person: int, read: bool) -> bool:
        """Whether Realtime owed the message to this participant."""
        if self.unreliable(self.story.process_of[person]):
            return False
        mine = [one for one in self.subscriptions if (one.person, one.chat) == (person, message.chat)]
        if not mine:
            return False
        one_clock = self.story.host(person) == self.story.host(message.sender)
        left = message.attempts[0].left
        if (
            self.gave_up(person, message.chat)
            and one_clock
            and not read
            and left > max(one.began for one in mine)
        ):
            return True
        if one_clock:
            return any(self.certain(message, left, one) for one in mine)
        return any(self.between(message, one) for one in mine)

    def certain(self, message: Message, left: int, one: Subscription) -> bool:
        """Subscribed before the message left, and until its delivery had become certain."""
        host = self.story.host(one.person)
        stored_by = self.stored_by(message, host)
        came = self.brought(one)
        ended = one.ended
        if ended is None:  # the process was killed: it was there when the last event came
            ended = max([one.began, *(event.at for event in came)])
        if one.began > left or stored_by is None or stored_by > ended:
            return False
        for event in came:
            other = self.story.messages[event.message or 0]
            if (
                other.attempts
                and self.story.host(other.sender) == host
                and other.attempts[0].left > stored_by
            ):
                return True
        if message.seq is not None and one.awaited is not None and message.seq <= one.awaited:
            return True
        return ended - stored_by >= CERTAIN_AFTER

    def between(self, message: Message, one: Subscription) -> bool:
        """One subscription brought a message before it and one after it, by seq."""
        seqs = [self.story.messages[event.message or 0].seq for event in self.brought(one)]
        known = [seq for seq in seqs if seq is not None]
        return (
            message.seq is not None
            and any(seq < message.seq for seq in known)
            and any(seq > message.seq for seq in known)
        )

    def owed_by_history(self, message: Message, person: int) -> bool:
        """They read, to catch up, the part of history where it belongs, when it was certainly stored."""
        for page in self.story.pages:
            if page.purpose is PagePurpose.BROWSE or page.outcome is not Outcome.OK or message.seq is None:
                continue
            if (page.person, page.chat) != (person, message.chat):
                continue
            stored_by = self.stored_by(message, self.story.host(person))
            seqs = [self.story.messages[number].seq for number in page.shown]
            reaches = len(page.shown) < page.limit or any(
                seq is not None and seq <= message.seq for seq in seqs
            )
            inside = reaches and (page.before is None or message.seq < page.before)
            if inside and stored_by is not None and stored_by <= page.left:
                return True
        return False

    def gave_up(self, person: int, chat: int) -> bool:
        return any(
            (step.event, step.person, step.chat) == (SocketEvent.GAVE_UP, person, chat)
            for step in self.story.steps
        )

    def unreliable(self, process: int) -> bool:
        """Whether a load process could not write down all that its users received."""
        return any(table in {"events", "sockets", "pages"} for table in self.story.processes[process].lost)

    def never_let_in(self) -> bool:
        """Whether somebody gave up who had never been subscribed to the chat."""
        return any(
            step.event is SocketEvent.GAVE_UP
            and not any((one.person, one.chat) == (step.person, step.chat) for one in self.subscriptions)
            for step in self.story.steps
        )


def _subscriptions(story: Story) -> Iterator[Subscription]:
    """All subscriptions, in the order in which they began."""
    for number, step in enumerate(story.steps):
        if step.event is not SocketEvent.SUBSCRIBED:
            continue
        one = Subscription(step.person, step.chat or 0, step.socket, step.at)
        for later in story.steps[number + 1 :]:
            if (later.person, later.socket) != (step.person, step.socket):
                continue
            of_channel = later.chat == step.chat and later.event in {
                SocketEvent.UNSUBSCRIBED,
                SocketEvent.FINISHED,
            }
            if of_channel or later.event is SocketEvent.CLOSED:
                one.ended = later.at
                one.awaited = later.seq if later.event is SocketEvent.FINISHED else None
                break
        yield one
