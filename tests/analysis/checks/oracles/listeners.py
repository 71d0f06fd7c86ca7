"""Stories of people who listen: sockets that come and go, events that come as they like, and history that is read."""

from hypothesis import strategies as st

from analysis.record.codes import (
    EventType,
    ObservedChange,
    Outcome,
    PagePurpose,
    PollKind,
    SocketEvent,
)
from tests.analysis.checks.oracles.story import (
    Attempt,
    Event,
    Look,
    Measured,
    Membership,
    Message,
    Page,
    Poll,
    Process,
    Step,
    Story,
)

END = 30  # second in which the load ends
LATEST = 40  # the last that anything happens

# What happens next to a channel, as long as it is subscribed and as long as it is not; some more often than others.
_SUBSCRIBED = (
    *[SocketEvent.FINISHED] * 5,
    *[SocketEvent.UNSUBSCRIBED] * 4,
    SocketEvent.CLOSED,
    SocketEvent.CAUGHT_UP,
    *[SocketEvent.DRAINING] * 3,
)
_NOT_SUBSCRIBED = (
    *[SocketEvent.SUBSCRIBED] * 9,
    SocketEvent.JOINED,
    SocketEvent.REFUSED,
    SocketEvent.CLOSED,
)
_TIMES = st.integers(0, END // 5).map(lambda fives: 5 * fives)  # so that much happens at the same time
_OFTEN_OK = st.sampled_from([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.INFO, Outcome.FAIL])
_LOST = st.sampled_from([*[()] * 12, ("events",), ("sockets",), ("pages",), ("sends",)])


@st.composite
def overheard(draw: st.DrawFn) -> Story:
    """Any combination of messages, sockets, events and pages."""
    story = _empty(draw)
    _look(draw, story)
    for _ in range(draw(st.integers(3, 6))):
        message = _message(draw, story)
        _alter(draw, story, message)
        story.messages.append(message)
    _compare_clocks(draw, story)
    _leave(draw, story)
    for chat, members in enumerate(story.chats):
        for person in members:
            _listen(draw, story, person, chat)
    story.steps.sort(key=lambda step: step.at)
    _end_early(draw, story)
    _give_up(draw, story)
    _overhear(draw, story)
    for _ in range(draw(st.sampled_from([0, 1, 1, 2]))):
        story.pages.append(_page(draw, story))
    return story


@st.composite
def spoken(draw: st.DrawFn) -> Story:
    """Any messages, and nobody who listens. Clocks of other machines may be known."""
    story = _empty(draw)
    story.ahead = {"there": draw(st.sampled_from([0, 500]))}
    story.measured = draw(st.sampled_from([{"there": True}, {"there": True}, {"there": False}, {}]))
    _look(draw, story)
    for _ in range(draw(st.integers(0, 6))):
        story.messages.append(_message(draw, story))
    return story


@st.composite
def read_through(draw: st.DrawFn) -> Story:
    """Any messages, and pages of history that show them in any order, twice, and too few of them, and other ones."""
    story = draw(spoken())
    for message in story.messages:
        _alter(draw, story, message)
    for _ in range(draw(st.sampled_from([2, 2, 3, 1, 0]))):
        page = _page(draw, story)
        page.walk = draw(st.integers(0, 1))
        if page.outcome is Outcome.OK:
            _spoil(draw, story, page)
        page.limit = draw(st.sampled_from([1, 2, 3, len(page.shown) or 1, len(page.shown) + 1]))
        story.pages.append(page)
        if page.shown and draw(st.integers(0, 4)) == 4:
            number, seq = draw(st.sampled_from(page.shown)), draw(st.integers(1, 9))
            chat = draw(st.integers(0, len(story.chats) - 1))
            story.events.append(Event(0, 0, number, chat, 5, draw(st.sampled_from(EventType)), seq=seq))
    return story


def _spoil(draw: st.DrawFn, story: Story, page: Page) -> None:
    """Newest first, as a rule, and all that can be wrong with a page."""
    page.shown.sort(key=lambda number: -(story.messages[number].seq or 0))
    if page.shown and draw(st.integers(0, 2)) == 2:
        page.shown.insert(draw(st.integers(0, len(page.shown))), draw(st.sampled_from(page.shown)))
    if draw(st.integers(0, 3)) == 3:
        page.shown = draw(st.permutations(page.shown))
    if draw(st.integers(0, 3)) == 3:
        page.shown.reverse()
    if draw(st.integers(0, 3)) == 3:  # of any chat, or of none
        other = draw(st.integers(0, len(story.messages) + 1))
        page.shown.insert(draw(st.integers(0, len(page.shown))), other)
    if page.shown and draw(st.integers(0, 3)) == 3:
        page.other_seqs[draw(st.integers(0, len(page.shown) - 1))] = draw(st.integers(1, 9))
    if page.shown and draw(st.integers(0, 5)) == 5:
        page.other_senders[draw(st.integers(0, len(page.shown) - 1))] = draw(st.integers(0, story.people))
    if page.shown and draw(st.integers(0, 3)) == 3:
        words = draw(st.sampled_from(["invented", "changed", "once"]))
        page.other_texts[draw(st.integers(0, len(page.shown) - 1))] = words
    page.texts = draw(st.sampled_from([True, True, False]))
    page.senders, page.strange = draw(st.booleans()), draw(st.integers(0, story.people))
    page.ids, page.seqs = draw(
        st.sampled_from([*[(True, True)] * 4, (True, False), (True, False), (False, True), (False, False)])
    )


def _empty(draw: st.DrawFn) -> Story:
    people = draw(st.integers(2, 3))
    everybody = tuple(range(people))
    chats = [everybody]
    if draw(st.booleans()):
        chats.append(everybody[: draw(st.integers(1, people))])
    baseline = draw(st.sampled_from([0, 0, 2]))
    hosts = draw(
        st.sampled_from(
            [("here",), ("here",), ("here", "there"), ("here", "there"), ("here", "here"), ("there",)]
        )
    )
    return Story(
        people,
        chats,
        [baseline] * len(chats),
        processes=[_process(draw, host) for host in hosts],
        monitor=Process(
            lost=draw(st.sampled_from([(), (), (), (), (), (), (), (), (), (), ("gauges",), ("polls",)]))
        ),
        process_of=[draw(st.integers(0, len(hosts) - 1)) for _ in everybody],
    )


def _process(draw: st.DrawFn, host: str) -> Process:
    """A load process that has written down all, or has not, or was killed."""
    lost = draw(_LOST)
    return Process(host, lost, closed=bool(lost) or draw(st.sampled_from([*[True] * 8, False])))


def _look(draw: st.DrawFn, story: Story) -> None:
    """Some polls, most often with a last sweep."""
    restarted = draw(st.sampled_from([*[LATEST + 1] * 3, *range(0, LATEST, 5)]))
    since = draw(
        st.sampled_from([restarted, restarted, -restarted])
    )  # a standby may have been there for longer
    for at in sorted(draw(st.lists(_TIMES, min_size=1, max_size=3))):
        kind = draw(st.sampled_from([PollKind.POLL, PollKind.POLL, PollKind.POLL, PollKind.FAILED]))
        server = None if kind is PollKind.FAILED else since * (at >= restarted)
        story.polls.append(Poll(kind, at, draw(st.sampled_from([0, 5, 10])), at, server))
    if draw(st.integers(0, 15)) != 9:
        story.polls.append(Poll(PollKind.SWEEP, LATEST, 1, LATEST, since * (restarted <= LATEST)))
    if draw(st.booleans()):  # the record tells when they were asked for
        for poll in story.polls:
            poll.asked = poll.at - draw(st.sampled_from([0, 0, 1, 3]))


def _message(draw: st.DrawFn, story: Story) -> Message:
    chat = draw(st.integers(0, len(story.chats) - 1))
    baseline = story.baseline[chat] or 0
    seq = draw(st.sampled_from([*range(max(1, baseline), baseline + 6), None]))
    sender = draw(st.integers(0, story.people - 1))
    attempts: list[Attempt] = []
    if draw(st.integers(0, 9)) != 9:
        left = draw(_TIMES)
        for _ in range(draw(st.sampled_from([1, 1, 1, 2]))):
            answered = left + draw(st.sampled_from([0, 1, 1, 5, 10]))
            attempts.append(Attempt(left, answered, draw(_OFTEN_OK)))
            left = answered + draw(st.integers(0, 2))
    text = draw(st.sampled_from([None, None, None, "changed"]))
    one_clock = story.host(sender) == story.monitor.host
    left = attempts[0].left if attempts and one_clock else 0
    return Message(sender, chat, attempts, seq, _seen(draw, story, left), text)


def _seen(draw: st.DrawFn, story: Story, left: int) -> list[Look]:
    """Which looks from second `left` on saw the row appear, and go again."""
    could = [
        number
        for number, poll in enumerate(story.polls)
        if poll.kind is not PollKind.FAILED and poll.at >= left
    ]
    if not could or draw(st.integers(0, 12)) == 9:
        return []
    first = draw(st.sampled_from(could))
    looks = [Look(first, ObservedChange.APPEARED)]
    later = [number for number in could if number > first]
    if later and draw(st.integers(0, 9)) == 9:
        looks.append(Look(draw(st.sampled_from(later)), ObservedChange.GONE))
        back = [number for number in could if number > looks[-1].poll]
        if back and draw(st.booleans()):
            looks.append(Look(draw(st.sampled_from(back)), ObservedChange.APPEARED))
    return looks


def _alter(draw: st.DrawFn, story: Story, message: Message) -> None:
    """Something about a message is not as it was sent or answered, from the beginning or until somebody changed it."""
    odd = draw(st.integers(0, 12))
    seqs, chats = st.integers(1, 5), st.integers(0, len(story.chats) - 1)
    if odd == 0:
        message.stored_sender = draw(st.integers(0, story.people))
    elif odd == 1:
        message.stored_chat = draw(chats)
    elif odd == 2 and message.attempts:
        draw(st.sampled_from(message.attempts)).told = draw(seqs)
    elif odd in {3, 4, 5}:
        looks = [look for look in message.looks if look.change is not ObservedChange.GONE]
        later = range(looks[-1].poll + 1, len(story.polls)) if looks else range(0)
        could = [number for number in later if story.polls[number].kind is not PollKind.FAILED]
        if could and len(looks) == len(message.looks):
            first = message.looks[0]
            first.seq, first.text = (
                draw(st.sampled_from([None, *range(1, 6)])),
                draw(st.sampled_from([None, "once"])),
            )
            first.chat, first.sender = draw(st.none() | chats), draw(st.none() | st.integers(0, story.people))
            message.looks.append(Look(draw(st.sampled_from(could)), ObservedChange.CHANGED))


def _compare_clocks(draw: st.DrawFn, story: Story) -> None:
    """Load processes measure how far the monitor's clock is ahead, most often well, some not at all."""
    for number in range(len(story.processes)):
        ahead = draw(st.sampled_from([0, 0, 3, -100]))
        for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
            wrong = draw(st.sampled_from([0, 0, 0, 1, -2, 4]))
            error = draw(st.sampled_from([abs(wrong), 1, 2, 0]))
            story.offsets.append(Measured(number, draw(_TIMES), ahead + wrong, error))


def _leave(draw: st.DrawFn, story: Story) -> None:
    """Some leave a chat, and some of them come back; others come, and some of them leave again."""
    for chat, members in enumerate(story.chats):
        for person in range(story.people + 1):
            if draw(st.integers(0, 5)) == 5:
                times = sorted(draw(st.lists(_TIMES, min_size=1, max_size=2, unique=True)))
                for number, at in enumerate(times):
                    story.memberships.append(
                        Membership(at, chat, person, (person in members) == bool(number % 2))
                    )
    story.memberships.sort(key=lambda one: one.at)


def _listen(draw: st.DrawFn, story: Story, person: int, chat: int) -> None:
    """Up to two sockets on which this person joins this chat, leaves it and joins it again, in any order that a client keeps."""
    for number in range(draw(st.sampled_from([1, 1, 1, 1, 1, 2, 2, 0]))):
        socket = 10 * person + number
        at, subscribed = draw(st.sampled_from([0, 0, 0, 1, 5, 10])), False
        for _ in range(draw(st.sampled_from([2, 2, 3, 4, 5, 6, 1]))):
            event = draw(st.sampled_from(_SUBSCRIBED if subscribed else _NOT_SUBSCRIBED))
            if event in {SocketEvent.SUBSCRIBED, SocketEvent.UNSUBSCRIBED, SocketEvent.FINISHED}:
                subscribed = event is SocketEvent.SUBSCRIBED
            told = event in {SocketEvent.FINISHED, SocketEvent.CAUGHT_UP, SocketEvent.DRAINING}
            seq = draw(st.sampled_from([8, 4, 3, 2, 1, 0, None])) if told else None
            whole = event is SocketEvent.CLOSED
            story.steps.append(Step(person, socket, event, at, None if whole else chat, seq))
            if whole:
                break
            at += draw(st.sampled_from([30, 15, 10, 5, 5, 1, 0]))


def _end_early(draw: st.DrawFn, story: Story) -> None:
    """What follows the end of a socket did not happen; a lost socket's or channel's end is noted as of its last sign of life."""
    closed: set[int] = set()
    kept: list[Step] = []
    latest: dict[int, int] = {}
    for step in story.steps:
        if step.socket in closed:
            continue
        if step.event in {SocketEvent.CLOSED, SocketEvent.UNSUBSCRIBED}:
            step.at = max(latest.get(step.socket, 0), step.at - draw(st.sampled_from([0, 0, 3])))
        if step.event is SocketEvent.CLOSED:
            closed.add(step.socket)
        latest[step.socket] = max(latest.get(step.socket, 0), step.at)
        kept.append(step)
    story.steps = kept


def _give_up(draw: st.DrawFn, story: Story) -> None:
    for chat, members in enumerate(story.chats):
        for person in members:
            if draw(st.integers(0, 7)) == 5:
                at = draw(st.sampled_from([LATEST, LATEST, LATEST - 10, LATEST // 2]))
                story.steps.append(Step(person, 0, SocketEvent.GAVE_UP, at, chat))


def _overhear(draw: st.DrawFn, story: Story) -> None:
    """Most messages come once to everybody; but some late, early, twice, changed, to nobody or to somebody else."""
    for number, message in enumerate(story.messages):
        for person in range(story.people):
            member = person in story.chats[message.row_chat]
            copies = draw(st.sampled_from([1, 1, 1, 0, 2] if member else [0, 0, 0, 0, 1]))
            for _ in range(copies):
                story.events.append(_event(draw, story, number, message, person))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        chat = draw(st.integers(0, len(story.chats)))  # the last is none of the run's
        unknown = draw(st.sampled_from([None, *[len(story.messages)] * 3]))
        seq = draw(st.sampled_from([None, 0, 1, 2, 3, 9]))
        person = draw(st.integers(0, story.people - 1))
        kind = draw(st.sampled_from(EventType))
        sender = draw(st.integers(0, story.people))
        event = Event(person, 10 * person, unknown, chat, draw(_TIMES), kind, seq=seq, sender=sender)
        event.chatless = chat == len(story.chats) and draw(st.booleans())
        story.events.append(event)
    story.events.sort(key=lambda event: event.at)


def _event(draw: st.DrawFn, story: Story, number: int, message: Message, person: int) -> Event:
    left = message.attempts[0].left if message.attempts else draw(_TIMES)
    at = max(0, left + draw(st.sampled_from([0, 1, 1, 2, 2, 5, 9, 15, 26, -2])))
    event = Event(person, 10 * person, number, message.row_chat, at, seq=message.seq)
    event.text, event.sender = message.stored_text, message.stored_sender
    before = message.looks[0] if message.looks else None
    if before and draw(st.booleans()):  # as it was at first
        event.seq, event.text = before.seq or event.seq, before.text or event.text
        event.chat = event.chat if before.chat is None else before.chat
        event.sender = event.sender if before.sender is None else before.sender
    odd = draw(st.integers(0, 40))
    if odd == 0:
        event.type = draw(st.sampled_from([EventType.UPDATE, EventType.DELETE]))
    elif odd == 1:
        event.seq = draw(st.sampled_from([None, 1, 2, 3, 4]))
    elif odd == 2:
        event.text = draw(st.sampled_from([None, "", "invented"]))
    elif odd == 3:
        event.text, event.type = "", EventType.UPDATE
    elif odd == 4:
        event.sender = draw(st.integers(0, story.people))
    elif odd == 5:
        event.chat = draw(st.integers(0, len(story.chats)))
    elif odd == 6:  # as it was sent
        event.chat, event.sender, event.text = message.chat, None, None
    event.socket += draw(st.sampled_from([0, 0, 0, 1, 2]))
    return event


def _page(draw: st.DrawFn, story: Story) -> Page:
    chat = draw(st.integers(0, len(story.chats) - 1))
    there = [number for number, message in enumerate(story.messages) if message.chat == chat]
    outcome = draw(_OFTEN_OK)
    shown = [number for number in there if draw(st.integers(0, 2))] if outcome is Outcome.OK else []
    return Page(
        person=draw(st.sampled_from(story.chats[chat])),
        chat=chat,
        purpose=draw(st.sampled_from([PagePurpose.CATCH_UP, PagePurpose.DRAIN, PagePurpose.BROWSE])),
        before=draw(st.sampled_from([None, None, 2, 5])),
        limit=draw(st.integers(1, 3)),
        left=draw(_TIMES) + draw(st.sampled_from([0, 5, 10])),
        outcome=outcome,
        shown=shown,
    )
