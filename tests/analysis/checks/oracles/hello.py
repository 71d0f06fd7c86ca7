"""The smallest story of all, for tests to build on."""

from analysis.checks.account import Account, account_for
from analysis.record.codes import ObservedChange, Outcome, PollKind, SocketEvent
from tests.analysis.checks.oracles.story import Attempt, Look, Message, Poll, Step, Story
from tests.analysis.checks.oracles.writing import evidence


def hello(**more: object) -> Story:
    """Two people, a chat, and a message of the first, sent at 1 and answered at 2; looks at 3 and, the last, at 40."""
    story = Story(people=2, chats=[(0, 1)], baseline=[0], process_of=[0, 0])
    story.messages = [said(1)]
    story.polls = [Poll(PollKind.POLL, 3, 0, 3), Poll(PollKind.SWEEP, 40, 0, 40)]
    for name, value in more.items():
        setattr(story, name, value)
    return story


def said(seq: int | None, left: int = 1, outcome: Outcome = Outcome.OK, seen: int = 0) -> Message:
    """A message of the first person that was answered after a second and that this look saw first."""
    return Message(0, 0, [Attempt(left, left + 1, outcome)], seq, [Look(seen, ObservedChange.APPEARED)])


def subscribed(began: int, ended: int, *, seq: int | None = None, socket: int = 1) -> list[Step]:
    """The second person's subscription to the chat; with `seq` they waited for that message in the drain."""
    end = SocketEvent.UNSUBSCRIBED if seq is None else SocketEvent.FINISHED
    return [
        Step(1, socket, SocketEvent.SUBSCRIBED, began, chat=0),
        Step(1, socket, end, ended, chat=0, seq=seq),
    ]


def account(story: Story) -> Account:
    return account_for(evidence(story))
