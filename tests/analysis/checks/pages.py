"""A chat whose history is read, for the tests of `history.pages`."""

import uuid

from analysis.checks import history
from analysis.checks.account import account_for
from analysis.criteria import Criterion
from tests.analysis.histories import History, Message

READER, SENDER, STRANGER = 1, 0, 9
LATER = 10.0


def talk(messages: int = 4, baseline: int = 0) -> tuple[History, int, list[Message]]:
    """Two people, a chat, and messages of the first; newest first, as a page has them."""
    run = History(people=3)
    chat = run.chat(SENDER, READER, baseline=baseline)
    said = [
        run.send(SENDER, chat, at=1.0 + number / 10, seq=baseline + number + 1) for number in range(messages)
    ]
    run.poll(3)
    for message in said:
        run.observe(message, 3)
    return run, chat, said[::-1]


def judged(run: History) -> Criterion:
    run.finish(20.0)
    return history.pages(account_for(run.evidence()))


def named(found: Criterion) -> list[tuple[int | None, str | None, str]]:
    """Of each finding seq, message id and sentence."""
    return [(one.seq, one.message_id, one.why) for one in found.examples]


def other(chat: int, seq: int | None) -> Message:
    """A message that exists nowhere."""
    return Message(SENDER, chat, "other", uuid.uuid4(), uuid.uuid4(), seq)


def fleeting(run: History, chat: int, sender: int = STRANGER, seq: int = 5) -> Message:
    """A message that came and went between two looks."""
    return Message(sender, chat, "fleeting", run.new_id(), run.new_id(), seq, 2.0)
