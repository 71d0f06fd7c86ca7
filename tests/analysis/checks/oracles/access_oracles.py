"""What `access.denied` must say of attempts, one by one."""

from dataclasses import dataclass

from analysis.record.codes import AttemptKind, Guise, Outcome, Way
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.story import Story, chat_id, message_id, ns, person_id
from tests.analysis.checks.oracles.trespassers import Break, Trespass


@dataclass(slots=True)
class _Row:
    """A row of which an attempt may have been the cause."""

    number: int
    sender: int | None  # None: nobody of the run
    seq: int | None


def denied(found: Break) -> Answer:
    """Each attempt that gave something; what proves nothing is counted apart."""
    faults, unclear, empty = [], 0, 0
    for number, one in enumerate(found.tried):
        row = _row(found, number) if one.kind is AttemptKind.SEND else None
        if _granted(one, row):
            about = one.told if row is None else row.number
            faults.append(
                (
                    str(chat_id(one.chat)),
                    None if row is None else row.seq,
                    None if about is None else str(message_id(about)),
                    str(person_id(one.person)),
                    ns(one.began),
                )
            )
        elif one.outcome is Outcome.INFO or (one.status_code == 0 and one.way is not Way.REALTIME):
            unclear += 1
        elif (
            one.outcome is Outcome.OK
            and one.kind is not AttemptKind.SEND
            and not _was_something(found.story, one)
        ):
            empty += 1
    return Answer(
        [*faults],
        checked=len(found.tried) - unclear - empty,
        facts={"unclear": unclear, "nothing_to_be_had": empty},
    )


def _granted(one: Trespass, row: _Row | None) -> bool:
    if one.kind is not AttemptKind.SEND:
        return (one.got or 0) > 0
    if one.guise is Guise.ANOTHER_PERSON and one.way is not Way.APP:
        # into a chat of their own: right, if it is stored under the name of the one who sent it
        return row is not None and row.sender != one.person
    return row is not None or (one.outcome is Outcome.OK and one.told is not None)


def _row(found: Break, number: int) -> _Row | None:
    """The row with the attempt's key; without one, that of the message in its answer; else one with its text."""
    rows = {
        one.left.number: (place, one.left) for place, one in enumerate(found.tried) if one.left is not None
    }
    one = found.tried[number]
    for place, left in rows.values():
        if place == number and one.key and left.keyed:
            return _Row(left.number, left.sender, left.seq)
    if one.told in rows:
        _, left = rows[one.told]
        return _Row(left.number, left.sender, left.seq)
    if one.told is not None and one.told < len(found.story.messages):
        message = found.story.messages[one.told]
        if message.looks:
            return _Row(one.told, message.sender if message.attempts else None, message.seq)
    if one.left is not None and one.left.as_written:
        return _Row(one.left.number, one.left.sender, one.left.seq)
    return None


def _was_something(story: Story, one: Trespass) -> bool:
    """Whether there was a message that this attempt could have got, as far as one clock tells."""
    acknowledged = [
        (message.attempts[0].left, min(told))
        for message in story.messages
        if (told := [each.answered for each in message.attempts if each.outcome is Outcome.OK])
        and message.chat == one.chat
        and story.host(message.sender) == story.host(one.person)
    ]
    if one.kind is AttemptKind.SUBSCRIBE:  # half a second is enough to come by it
        return any(left >= one.began and at < one.ended for left, at in acknowledged)
    return bool(story.baseline[one.chat]) or any(at < one.began for _, at in acknowledged)
