"""Stories of statuses: looks that find them changed, events that tell of them, receipts that should move them."""

from hypothesis import strategies as st

from analysis.record.codes import EventType, MarkKind, ObservedChange, Outcome, PagePurpose, PollKind, Status
from tests.analysis.checks.oracles.story import (
    Attempt,
    Event,
    Look,
    Message,
    Page,
    Poll,
    Process,
    Receipt,
    Story,
)

LATEST = 20

_TIMES = st.integers(0, 12)
_PROPER = (Status.SENT, Status.DELIVERED, Status.READ)
_STATUS = st.sampled_from([*_PROPER, *_PROPER, *_PROPER, Status.NULL, Status.OTHER])
_OFTEN_OK = st.sampled_from([*[Outcome.OK] * 6, Outcome.INFO, Outcome.FAIL])


@st.composite
def acknowledged(draw: st.DrawFn) -> Story:
    """Any combination of statuses seen, events and receipts."""
    people = draw(st.integers(2, 3))
    everybody = tuple(range(people))
    hosts = draw(st.sampled_from([*[("here",)] * 5, ("here", "there"), ("here", "there"), ("there",)]))
    story = Story(
        people,
        chats=[everybody, everybody[:2]][: draw(st.sampled_from([1, 1, 2]))],
        baseline=[0, 0],
        processes=[Process(host) for host in hosts],
        monitor=Process(lost=draw(st.sampled_from([*[()] * 7, ("observations",)]))),
        process_of=[draw(st.integers(0, len(hosts) - 1)) for _ in everybody],
        ahead={"there": draw(st.sampled_from([-300, 0, 7]))},
        measured=draw(st.sampled_from([{"there": True}, {"there": True}, {"there": False}, {}])),
        set_by=draw(st.sampled_from([*[(0, 0)] * 4, (5, -1), (5, 3600), (9, 3), (9, -3600)])),
    )
    _look(draw, story)
    for _ in range(draw(st.integers(1, 4))):
        message = _message(draw, story)
        number = len(story.messages)
        story.messages.append(message)
        story.events += [_event(draw, story, number, message) for _ in range(draw(st.integers(0, 3)))]
    story.events.sort(key=lambda event: event.at)
    story.pages = [_page(draw, story) for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2])))]
    story.receipts = [_receipt(draw, story) for _ in range(draw(st.integers(1, 5)))]
    return story


def _look(draw: st.DrawFn, story: Story) -> None:
    at, xmin, next_xid = draw(st.integers(0, 3)), 1000, 1000
    for _ in range(draw(st.integers(1, 7))):
        kind = draw(st.sampled_from([PollKind.POLL, PollKind.POLL, PollKind.POLL, PollKind.FAILED]))
        story.polls.append(Poll(kind, at, 0, at, xmin=xmin, next_xid=next_xid))
        at += draw(st.integers(1, 4))
        next_xid += draw(st.integers(0, 1))
        xmin = draw(st.sampled_from([xmin, next_xid, next_xid]))
    if draw(st.integers(0, 15)) != 9:
        story.polls.append(Poll(PollKind.SWEEP, at, 0, at, xmin=xmin, next_xid=next_xid))
        for _ in range(draw(st.sampled_from([0, 0, 0, 1, 3]))):
            at += draw(st.integers(1, 4))
            xmin = draw(st.sampled_from([xmin, next_xid]))
            story.polls.append(Poll(PollKind.HOLES, at, 0, at, xmin=xmin, next_xid=next_xid))
    if draw(st.booleans()):  # the record tells when they were asked for
        for poll in story.polls:
            poll.asked = poll.at - draw(st.sampled_from([0, 0.02, 0.7]))


def _message(draw: st.DrawFn, story: Story) -> Message:
    chat = draw(st.integers(0, len(story.chats) - 1))
    sender = draw(st.sampled_from(story.chats[chat]))
    attempts = []
    if draw(st.integers(0, 9)) != 9:
        left = draw(st.integers(0, 4))
        attempts = [Attempt(left, left + draw(st.integers(0, 3)), draw(_OFTEN_OK))]
    seq = draw(st.sampled_from([1, 2, 3, 4, 1, 2, 3, 4, None]))
    one_clock = story.host(sender) == story.monitor.host
    looks = _seen(draw, story, attempts[0].left if attempts and one_clock else 0)
    message = Message(sender, chat, attempts, seq, looks)
    changed = draw(st.integers(0, 12))
    if changed == 9:
        message.stored_sender = draw(st.integers(0, story.people - 1))
    elif changed == 10 and looks:
        looks[0].sender = draw(st.integers(0, story.people - 1))
    elif changed == 11 and looks:
        looks[-1].chat = draw(st.integers(0, len(story.chats) - 1))
    return message


def _seen(draw: st.DrawFn, story: Story, left: int) -> list[Look]:
    """What each look from second `left` on found: most often what the one before had found, and then it says nothing."""
    could = [
        number
        for number, poll in enumerate(story.polls)
        if poll.kind is not PollKind.FAILED and poll.at >= left
    ]
    if not could or draw(st.integers(0, 15)) == 9:
        return []
    first = draw(st.sampled_from([could[0], could[0], *could]))
    status = draw(st.sampled_from([*[Status.SENT] * 9, *[Status.DELIVERED] * 3, *Status]))
    looks = [Look(first, ObservedChange.APPEARED, status)]
    for number in could:
        if number > first and draw(st.sampled_from([False, False, True])):
            gone = draw(st.integers(0, 12)) == 9
            looks.append(Look(number, ObservedChange.GONE if gone else ObservedChange.CHANGED, draw(_STATUS)))
            if gone:
                break
    return looks


def _event(draw: st.DrawFn, story: Story, number: int, message: Message) -> Event:
    person = draw(st.sampled_from(story.chats[message.chat]))
    kind = draw(st.sampled_from([EventType.INSERT, *[EventType.UPDATE] * 3, EventType.DELETE]))
    at = draw(_TIMES)
    status = (
        draw(st.sampled_from([Status.SENT] * 5 + [Status.READ]))
        if kind is EventType.INSERT
        else draw(_STATUS)
    )
    ended = story.polls[-1].database
    committed = max(0, draw(st.sampled_from([at, at, ended])) - draw(st.integers(0, 4)))
    socket = 10 * person + draw(st.sampled_from([0, 0, 0, 1]))
    return Event(person, socket, number, message.chat, at, kind, status, message.seq, committed=committed)


def _page(draw: st.DrawFn, story: Story) -> Page:
    """A page of history of which some statuses are told, by an app that tells ids or does not."""
    chat, left = draw(st.integers(0, len(story.chats) - 1)), draw(_TIMES)
    shown = draw(st.lists(st.integers(0, len(story.messages)), max_size=3))
    page = Page(story.chats[chat][0], chat, PagePurpose.BROWSE, None, 9, left, Outcome.OK, shown)
    page.statuses = {place: draw(_STATUS) for place in range(len(shown)) if draw(st.booleans())}
    page.ids = draw(st.sampled_from([True, True, True, False]))
    return page


def _receipt(draw: st.DrawFn, story: Story) -> Receipt:
    chat = draw(st.integers(0, len(story.chats) - 1))
    person = draw(st.sampled_from(story.chats[chat][::-1]))
    answered = [message.attempts[-1].answered for message in story.messages if message.attempts] or [0]
    left = draw(st.sampled_from(answered)) + draw(st.sampled_from([0, 0, 1, 2, 6, -1]))
    up_to = draw(st.sampled_from([4, 4, 4, 1, 2, 3, None]))
    kind = draw(st.sampled_from([MarkKind.READ, MarkKind.READ, MarkKind.DELIVERED]))
    return Receipt(person, chat, left, left + draw(st.integers(0, 4)), draw(_OFTEN_OK), up_to, kind)
