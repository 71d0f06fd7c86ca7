"""What each of `realtime.*` must say of a story, by nested loops."""

from itertools import pairwise

from analysis.record.codes import EventType, Outcome, PollKind
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.hearing import Hearing
from tests.analysis.checks.oracles.story import Event, Story, message_id, ns, person_id


def missed(story: Story) -> Answer:
    """Owed by Realtime, and no event brought it."""
    hearing = Hearing(story)
    pairs = hearing.deliveries()
    lost = any(hearing.unreliable(process) for process in range(len(story.processes)))
    lacking = [one for one in pairs if one.owed and not one.arrived]
    unclear = [one for one in lacking if _restarted_around(story, one.message)]
    return Answer(
        [(str(message_id(one.message)), str(person_id(one.person))) for one in lacking if one not in unclear],
        checked=sum(one.owed for one in pairs),
        unseen=not hearing.last_look or lost or hearing.never_let_in() or bool(unclear),
        facts={
            "around_restarts": len(unclear),
            "arrived": sum(one.arrived for one in pairs),
            "caught_up": sum(one.read and not one.arrived and not one.owed for one in pairs),
            "not_in_history": sum(one.by_history and not one.read and not one.arrived for one in pairs),
        },
    )


def _restarted_around(story: Story, message: int) -> bool:
    """Whether the server restarted so near to the first look at the message that its event may be lost."""
    seen = story.polls[story.messages[message].looks[0].poll].at
    looks = [poll for poll in story.polls if poll.server is not None]
    if looks and story.polls[-1].kind is PollKind.FAILED and looks[-1].at <= seen:
        return seen <= story.polls[-1].at + 30  # it went away, and did not come back
    return any(
        later.server != before.server and before.at <= seen <= later.at + 30
        for before, later in pairwise(looks)
    )


def duplicated(story: Story) -> Answer:
    """Each further copy on one subscription; copies by another one are counted only."""
    hearing = Hearing(story)
    known = hearing.known_inserts()
    faults, elsewhere = [], 0
    for number, event in enumerate(known):
        before = [
            other
            for other in known[:number]
            if (other.message, other.person) == (event.message, event.person)
        ]
        if any(hearing.channel(other) == hearing.channel(event) for other in before):
            faults.append(_named(event))
        elif before:
            elsewhere += 1
    return Answer(faults, checked=len(known), facts={"repeated_by_another_subscription": elsewhere})


def reordered(story: Story) -> Answer:
    """First copies of the run's messages that came after one with a higher seq, on one subscription."""
    hearing = Hearing(story)
    first: list[Event] = []
    for event in hearing.known_inserts():
        message = story.messages[event.message or 0]
        again = any(
            other.message == event.message and hearing.channel(other) == hearing.channel(event)
            for other in first
        )
        if message.attempts and message.seq is not None and not again:
            first.append(event)
    faults = []
    for number, event in enumerate(first):
        before = [
            story.messages[other.message or 0].seq or 0
            for other in first[:number]
            if hearing.channel(other) == hearing.channel(event)
        ]
        if max(before, default=0) > (story.messages[event.message or 0].seq or 0):
            faults.append((*_named(event), f"after seq {max(before)} of"))
    return Answer(faults, checked=len(first))


def phantom(story: Story) -> Answer:
    """What is not stored, or not as it was shown, or not for this person."""
    hearing = Hearing(story)
    shown = [
        event for event in story.events if event.type is not EventType.DELETE and event.message is not None
    ]
    faults = [(*_named(event), wrong) for event in shown if (wrong := _wrong(hearing, event))]
    return Answer(faults, checked=len(shown), unseen=not hearing.last_look)


def _wrong(hearing: Hearing, event: Event) -> str | None:
    """What is wrong with an event, in the sentence's words."""
    story = hearing.story
    if event.chat < len(story.chats) and event.person not in story.chats[event.chat]:
        return "who is not in the chat"
    message = hearing.row(event.message)
    if message is None:
        of_run = event.chat < len(story.chats)
        answered = (event.message or 0) < len(story.messages) and any(
            attempt.outcome is Outcome.OK for attempt in story.messages[event.message or 0].attempts
        )
        old = of_run and event.seq is not None and event.seq <= (story.baseline[event.chat] or 0)
        unknown = of_run and not answered and not old and hearing.last_look
        return "no such message was ever stored" if unknown else None
    if not message.attempts:
        return None  # somebody else's
    if event.seq is not None and message.seq is not None and event.seq != message.seq:
        return "another seq than is stored"
    sent = story.text(event.message)
    text = sent if event.text is None else event.text
    if text and text not in {sent, message.stored_text}:
        return "another text than was sent or stored"
    return None


def _named(event: Event) -> tuple[str, str, int]:
    return str(message_id(event.message or 0)), str(person_id(event.person)), ns(event.at)
