"""What each participant should have heard: `realtime.*` and the counts of deliveries by nested loops over a story.

Written from the words of docs/what-is-checked.md and of the checkers, and from nothing else of them.
"""

import math
from dataclasses import dataclass

from analysis.record.codes import EventType, ObservedChange, Outcome, PagePurpose, PollKind, SocketEvent
from tests.analysis.checks.oracles.staying import should_have_read
from tests.analysis.checks.oracles.story import Event, Message, Story
from tests.analysis.checks.oracles.subscriptions import Subscription, subscriptions
from tests.analysis.checks.oracles.timekeeping import Moment, Timekeeping

LAG = 0.1  # a look was taken up to so many seconds before its time, where the record does not tell when it was asked for
CERTAIN_AFTER = 10  # seconds after which a live subscription must have brought what was stored
INSTANT = 1e-6  # seconds: shorter than anything that stories tell apart


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message and one participant of its chat, and what came of it."""

    message: int
    person: int
    arrived: bool
    owed: bool
    read: bool
    by_history: bool
    undecided: bool
    unawaited: bool
    unread: bool


def stored_into(message: Message) -> int:
    """The chat in which its row was first seen: it may have been moved later."""
    first = message.looks[0].chat if message.looks else None
    return message.row_chat if first is None else first


class Hearing(Timekeeping):
    """A story, asked who was owed what."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self.subscriptions = list(subscriptions(story))
        self.looks_whole = not any(
            table in {"observations", "polls", "baseline"} for table in story.monitor.lost
        )
        swept = any(poll.kind is PollKind.SWEEP for poll in story.polls)
        self.last_look = swept and self.looks_whole
        self._brought = [(event, self.could_be_of(event)) for event in self.known_inserts()]

    def may_be_later(self, person: int, at: float) -> bool:
        """Whether it may have come to this person after the last look, and not every send is in the record."""
        if self.has_all_sends() or not self.last_look:
            return not self.has_all_sends()
        lag = self.lag(self.moment(at, person), Moment(self.last_look_asked(), self.story.monitor.host))
        return lag is None or lag <= 0

    def has_all_sends(self) -> bool:
        """Whether every load process wrote down all that it sent."""
        return all(
            one.closed and not one.silent and "sends" not in {*one.lost, *one.short}
            for one in self.story.processes
        )

    def last_look_asked(self) -> float:
        """Since when the last look may have been taken."""
        return next(poll for poll in reversed(self.story.polls) if poll.kind is PollKind.SWEEP).asked_by(LAG)

    # The subscription that brought an event

    def could_be_of(self, event: Event) -> list[Subscription]:
        """Which of its socket and chat brought it: the one that had begun last before it, or the first of all; if that had been
        cut off, or the next began just when it came, and it was not the last one, it or the next."""
        of_socket = [
            one
            for one in self.subscriptions
            if (one.person, one.socket, one.chat) == (event.person, event.socket, event.chat)
        ]
        if not of_socket:
            return []
        place = max(0, sum(one.began < event.at for one in of_socket) - 1)
        could = of_socket[place : place + 2]
        cut_off = could[0].cut_off
        either = (cut_off is not None and event.at > cut_off) or could[-1].began == event.at
        return could if either else could[:1]

    def channels(self, events: list[Event]) -> list[object]:
        """What counts as one subscription, for each; what could be of two is of the first that did not bring it before.

        An event that none accounts for stands with those of its socket and chat.
        """
        found: list[object] = []
        for event in events:
            could: list[object] = [*self.could_be_of(event)]
            free = [
                one
                for one in could
                if not any(
                    channel is one and other.message == event.message
                    for channel, other in zip(found, events, strict=False)
                )
            ]
            found.append((free or could[-1:] or [(event.person, event.socket, event.chat)])[0])
        return found

    def brought(self, subscription: Subscription) -> list[Event]:
        """The INSERT events of stored messages that came by it for certain."""
        return [event for event, could in self._brought if could == [subscription]]

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

    def was_stored(self, message: Message, by: Moment, seconds_before: float = 0) -> bool:
        """Whether somebody's word proves it: an answer, or a look that was over."""
        told = [
            Moment(one.answered, self.story.host(message.sender))
            for one in message.attempts
            if one.outcome is Outcome.OK
        ]
        if message.looks:
            first = self.story.polls[message.looks[0].poll]
            told.append(Moment(first.at + first.took, self.story.monitor.host))
        lags = [self.lag(moment, by) for moment in told]
        return any(lag is not None and lag >= seconds_before for lag in lags)

    # Deliveries

    def deliveries(self) -> list[Delivery]:
        """All pairs of a stored message of the run and a participant of its chat."""
        found = []
        for number, message in enumerate(self.story.messages):
            gone = bool(message.looks) and message.looks[-1].change is ObservedChange.GONE
            if not message.attempts or not message.looks or gone:
                continue
            into = stored_into(message)
            for person in self.story.chats[into]:
                arrived = any(
                    event.message == number and event.person == person and event.type is EventType.INSERT
                    for event in self.story.events
                )
                read = any(
                    number in page.shown and page.person == person and page.purpose is not PagePurpose.BROWSE
                    for page in self.story.pages
                )
                mine = self.of(person, into)
                owed = any(self.owes(one, message) for one in mine)
                owed = owed or (self.shut_out(person, message) and not read)
                was_in = self.was_in_the_chat(person, message)
                owed = owed and was_in
                by_history = not owed and (read or (was_in and self.owed_by_history(message, person)))
                open_ = was_in and not (arrived or owed or by_history)
                undecided = open_ and any(self.cannot_tell(one, message) for one in mine)
                unawaited = open_ and any(self.did_not_wait(one, message) for one in mine)
                unread = open_ and not undecided and not unawaited and into == message.row_chat
                unread = unread and should_have_read(self, message, person, into)
                found.append(
                    Delivery(number, person, arrived, owed, read, by_history, undecided, unawaited, unread)
                )
        return found

    def was_in_the_chat(self, person: int, message: Message) -> bool:
        """Some look saw them there long enough after the message was stored; or nobody ever saw them leave."""
        left = [
            one.at
            for one in self.story.memberships
            if (one.person, one.chat, one.there) == (person, stored_into(message), False)
        ]
        if not left:
            return True
        since = self.not_before(left[0])
        here = self.story.monitor.host
        return since is not None and self.was_stored(message, Moment(since - CERTAIN_AFTER, here))

    def not_before(self, seen: float) -> float | None:
        """Since when the last look before this one may have been taken; None: there was none."""
        looks = [
            (poll.at, poll.asked_by(LAG)) for poll in self.story.polls if poll.kind is not PollKind.FAILED
        ]
        at_looks = {at for at, _ in looks}
        looks += [(one.at, one.at - LAG) for one in self.story.memberships if one.at not in at_looks]
        before = [look for look in looks if look[0] < seen]
        return max(before)[1] if before else None

    def had_left(self, person: int, chat: int, message: Message) -> bool:
        """They had left the chat for good when the message left its sender."""
        of_them = [one for one in self.story.memberships if (one.person, one.chat) == (person, chat)]
        if not message.attempts or not of_them or of_them[-1].there:
            return False
        placed = self.on_leader(self.left(message))
        return placed is not None and placed[0] > of_them[-1].at

    def may_be_added(self, event: Event, message: Message | None) -> bool:
        """They may have been in the chat, at some look's word, after the message left its sender and before the event came."""
        came = self.on_leader(Moment(event.at, self.story.host(event.person)))
        left = None if message is None or not message.attempts else self.on_leader(self.left(message))
        since = None
        for one in [*self.story.memberships, None]:
            if one is not None and (one.person, one.chat) != (event.person, event.chat):
                continue
            if since is None and one is not None and one.there:
                before = self.not_before(one.at)
                since = -math.inf if before is None else before  # nobody looked before
            elif since is not None and (one is None or not one.there):
                began = came is None or came[1] > since
                if began and (one is None or left is None or left[0] < one.at):
                    return True
                since = None
        return False

    def of(self, person: int, chat: int) -> list[Subscription]:
        """Their subscriptions to the chat, as far as their process wrote all down."""
        if self.unreliable(self.story.process_of[person]):
            return []
        return [one for one in self.subscriptions if (one.person, one.chat) == (person, chat)]

    def owes(self, one: Subscription, message: Message) -> bool:
        """Subscribed before the message left, and until its delivery had become certain."""
        host, left, ended = self.story.host(one.person), self.left(message), self.end(one)
        later_came = any(
            other.attempts and self.was_stored(message, self.left(other), 0.5)  # not in the same second
            for other in self.messages_by(one)
        )
        if not self.comparable(host, left.host):
            return self.sent_since(one, message) and (later_came or self.waited_for(one, message))
        if not self.left_during(one, message) or not self.was_stored(message, Moment(ended, host)):
            return False
        awaited = message.seq is not None and one.awaited is not None and message.seq <= one.awaited
        return later_came or awaited or self.was_stored(message, Moment(ended, host), CERTAIN_AFTER)

    def left_during(self, one: Subscription, message: Message) -> bool:
        """The message left while the subscription was there."""
        host, left = self.story.host(one.person), self.left(message)
        since, after = self.lag(Moment(one.began, host), left), self.lag(Moment(self.end(one), host), left)
        return since is not None and since >= 0 and after is not None and after <= 0

    def did_not_wait(self, one: Subscription, message: Message) -> bool:
        """It was stored when they asked what to wait for, and they waited for none that is as new."""
        host = self.story.host(one.person)
        if not self.comparable(host, self.left(message).host) or not self.left_during(one, message):
            return False
        if one.sought is None or not self.was_stored(message, Moment(one.sought, host)):
            return False
        return message.seq is None or one.awaited is None or message.seq > one.awaited

    def told_too_little(self) -> bool:
        """Somebody asked for the newest seq of a chat, and was told less than a message had that they could know of."""
        return any(
            step.event is SocketEvent.DRAINING
            and step.seq is not None
            and step.chat == message.row_chat
            and message.seq is not None
            and message.seq > step.seq
            and message.looks
            and message.looks[-1].change is not ObservedChange.GONE
            and self.was_acknowledged(message, Moment(step.at, self.story.host(step.person)))
            for step in self.story.steps
            for message in self.story.messages
        )

    def was_acknowledged(self, message: Message, before: Moment) -> bool:
        """Whether a sender had surely read an ok answer."""
        told = [one for one in message.attempts if one.outcome is Outcome.OK]
        host = self.story.host(message.sender)
        lags = [self.lag(Moment(one.answered, host), before) for one in told]
        return any(lag is not None and lag > 0 for lag in lags)

    def end(self, one: Subscription) -> int:
        """Where the process was killed, it was there when the last event came."""
        if one.ended is not None:
            return one.ended
        return max([one.began, *(event.at for event in self.brought(one))])

    def messages_by(self, one: Subscription, after: int = -1) -> list[Message]:
        return [self.story.messages[event.message or 0] for event in self.brought(one) if event.at > after]

    def sent_since(self, one: Subscription, message: Message) -> bool:
        """It left after the subscription began; on clocks that say nothing of that, after something was there that came by it."""
        host, left = self.story.host(one.person), self.left(message)
        if self.comparable(host, left.host):
            lag = self.lag(Moment(one.began, host), left)
            return lag is not None and lag > 0
        return any(self.was_stored(other, left) for other in self.messages_by(one, after=one.began))

    def waited_for(self, one: Subscription, message: Message) -> bool:
        """The user knew in the drain of a newest message; it is that one, or surely was there when that one left."""
        newest = [
            other
            for other in self.story.messages
            if other.seq is not None
            and other.seq == one.awaited
            and stored_into(other) == one.chat
            and other.attempts
            and other.looks
            and other.looks[-1].change is not ObservedChange.GONE
        ]
        if len(newest) != 1 or message.seq is None:
            return False
        earlier = message.seq < (newest[0].seq or 0) and self.was_stored(message, self.left(newest[0]), 0.5)
        return message is newest[0] or earlier

    def cannot_tell(self, one: Subscription, message: Message) -> bool:
        """No clock says whether the subscription was there when the message left, or when it was stored."""
        host, left = self.story.host(one.person), self.left(message)
        if not self.comparable(host, left.host):
            return True
        answered = any(attempt.outcome is Outcome.OK for attempt in message.attempts)
        looked = self.comparable(host, self.story.monitor.host)
        return host == left.host and one.began <= left.at <= self.end(one) and not answered and not looked

    def owed_by_history(self, message: Message, person: int) -> bool:
        """They read, to catch up, the part of history where it belongs, when it was certainly stored."""
        if stored_into(message) != message.row_chat:  # its seq is one of the chat that it was moved to
            return False
        for page in self.story.pages:
            if page.purpose is PagePurpose.BROWSE or page.outcome is not Outcome.OK or message.seq is None:
                continue
            if (page.person, page.chat) != (person, stored_into(message)):
                continue
            seqs = [self.story.messages[number].seq for number in page.shown]
            # What is shorter than was asked for need not be all: servers have limits of their own.
            reaches = not page.shown or any(seq is not None and seq <= message.seq for seq in seqs)
            inside = reaches and (page.before is None or message.seq < page.before)
            if inside and self.was_stored(message, Moment(page.left, self.story.host(person)), INSTANT):
                return True
        return False

    def shut_out(self, person: int, message: Message) -> bool:
        """They gave up to come back, and it was sent since the last subscription before that, and stored by then."""
        host = self.story.host(person)
        for step in self.story.steps:
            if (step.event, step.person, step.chat) != (SocketEvent.GAVE_UP, person, stored_into(message)):
                continue
            before = [one for one in self.of(person, stored_into(message)) if one.began <= step.at]
            if before and self.was_stored(message, Moment(step.at, host), INSTANT):
                return self.sent_since(max(before, key=lambda one: one.began), message)
        return False

    def unreliable(self, process: int) -> bool:
        """Whether a load process could not write down all that its users received."""
        return any(table in {"events", "sockets", "pages"} for table in self.story.processes[process].lost)

    def never_let_in(self) -> bool:
        """Whether somebody asked for a subscription to one of their chats, and never had one."""
        return any(
            step.event in {SocketEvent.JOINED, SocketEvent.REFUSED, SocketEvent.GAVE_UP}
            and not any((one.person, one.chat) == (step.person, step.chat) for one in self.subscriptions)
            for step in self.story.steps
        )

    # What was left

    def left_long_ago(self, event: Event) -> bool:
        """The last that was noted of its channel is that it ended, long before."""
        left: int | None = None
        subscribed = False
        for step in self.story.steps:
            of_channel = (step.person, step.socket) == (event.person, event.socket) and step.chat in {
                event.chat,
                None,
            }
            if not of_channel:
                continue
            if step.event in {SocketEvent.JOINED, SocketEvent.SUBSCRIBED}:
                left = None
            if step.event is SocketEvent.SUBSCRIBED:
                subscribed = True
            if step.event is SocketEvent.FINISHED:
                subscribed = False
            if step.event in {SocketEvent.UNSUBSCRIBED, SocketEvent.CLOSED} and subscribed:
                left, subscribed = step.at, False
        known = not self.unreliable(self.story.process_of[event.person])
        return known and left is not None and event.at > left + CERTAIN_AFTER
