"""Stories in which it is known what really happened to the statuses of messages, whatever the clocks and the witnesses say.

A status is committed at some moment; some time after that, a standby having been waited for, everybody sees it. Looks
are noted a little after their snapshot, or long after it in a record that tells when they were asked for. Events come
late, twice, or not at all. The database's wall clock is set at some moment, and the clocks of load processes are ahead of
the monitor's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from analysis.record.codes import EventType, ObservedChange, Outcome, PollKind, Status
from tests.analysis.checks.oracles.story import Attempt, Event, Look, Message, Poll, Process, Story

LAST = 40  # second of the last look
LATE = 5  # seconds until the answer to a look came

_MOMENTS = st.integers(1000, 12_000).map(lambda ms: ms / 1000)  # after the first look
_SHORT = st.sampled_from([0.001, 0.02, 0.3, 1, 3])
_PATHS = (
    (Status.SENT, Status.DELIVERED, Status.READ),
    (Status.SENT, Status.DELIVERED, Status.READ),
    (Status.SENT, Status.READ),
    (Status.SENT, Status.DELIVERED),
)


@dataclass(slots=True)
class Commit:
    """A status that a message got; `seen_from` is when everybody sees it, and its transaction has ended."""

    status: Status
    at: float
    seen_from: float


@dataclass(slots=True)
class Truth:
    """What happened, for a story to tell of: the commits of each message."""

    story: Story
    commits: list[list[Commit]] = field(default_factory=list)
    tells_when_asked: bool = True


@st.composite
def truths(draw: st.DrawFn) -> Truth:
    """Statuses that go forward only."""
    truth = Truth(
        Story(
            people=2,
            chats=[(0, 1)],
            baseline=[0],
            processes=[Process("here"), Process("there")],
            process_of=[0, 1],
            ahead={"there": draw(st.sampled_from([-400.0, 0.0, 77_000.0]))},
            measured=draw(st.sampled_from([{}, {"there": True}, {"there": False}])),
            set_by=(draw(_MOMENTS), draw(st.sampled_from([0, 0, -3600, -2, -0.4, 0.4, 2, 3600]))),
        ),
        tells_when_asked=draw(st.booleans()),
    )
    for number in range(draw(st.integers(1, 3))):
        at = draw(_MOMENTS)
        truth.story.messages.append(Message(0, 0, [Attempt(at, at + 60, Outcome.INFO)], number + 1, []))
        truth.commits.append([])
        for status in draw(st.sampled_from(_PATHS)):
            commit(draw, truth, number, status, at)
            at = truth.commits[number][-1].seen_from + draw(_SHORT)  # the row is locked until then
    return truth


def commit(draw: st.DrawFn, truth: Truth, number: int, status: Status, at: float) -> None:
    """A message gets this status."""
    truth.commits[number].append(Commit(status, at, at + draw(st.sampled_from([0, 0, 0, 0.7, 3]))))


def told(draw: st.DrawFn, truth: Truth, snapshots: Sequence[float] = ()) -> Story:
    """The story of it: what listeners saw, and looks at these moments and some others."""
    every = sorted((one for commits in truth.commits for one in commits), key=lambda one: one.at)
    snapshots = sorted({0.0, *snapshots, *draw(st.lists(_MOMENTS, max_size=6)), float(LAST)})
    for snapshot in snapshots:
        _look(draw, truth, every, snapshot, PollKind.SWEEP if snapshot == LAST else PollKind.POLL)
    for person in range(2):
        came = 0.0
        for one in every:
            number = next(
                place for place, commits in enumerate(truth.commits) if any(one is c for c in commits)
            )
            for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2]))):
                came = max(came, one.at + draw(_SHORT))
                truth.story.events.append(event(person, number, one, came))
    return truth.story


def event(person: int, number: int, one: Commit, came: float) -> Event:
    """The event of a commit, on this person's subscription. Supabase tells commit times in whole milliseconds."""
    kind = EventType.INSERT if one.status is Status.SENT else EventType.UPDATE
    committed = math.floor(one.at * 1000) / 1000
    return Event(person, person, number, 0, came, kind, one.status, number + 1, committed=committed)


def _look(draw: st.DrawFn, truth: Truth, every: list[Commit], snapshot: float, kind: PollKind) -> None:
    begun = sum(one.at <= snapshot for one in every)
    running = [place for place, one in enumerate(every) if one.at <= snapshot < one.seen_from]
    # The first look tells by which clock the run began; that it was set still before, nobody could know.
    may_be_late = truth.tells_when_asked and (snapshot > 0 or truth.story.set_by[0] > LATE)
    noted = snapshot + draw(st.sampled_from([0, 0.01, 0.4, *([LATE] if may_be_late else [])]))
    xmin = 1000 + min(running, default=begun)
    poll = Poll(kind, noted, 0, (snapshot + noted) / 2, xmin=xmin, next_xid=1000 + begun)
    if truth.tells_when_asked:
        poll.asked = snapshot - draw(st.sampled_from([0, 0.01, 2]))
    truth.story.polls.append(poll)
    for message, commits in zip(truth.story.messages, truth.commits, strict=True):
        seen = [one.status for one in commits if one.seen_from <= snapshot]
        if seen and (not message.looks or message.looks[-1].status is not seen[-1]):
            change = ObservedChange.CHANGED if message.looks else ObservedChange.APPEARED
            message.looks.append(Look(len(truth.story.polls) - 1, change, seen[-1]))
