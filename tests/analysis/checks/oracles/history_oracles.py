"""What `history.pages` must say of a story, by nested loops over pages and messages."""

from collections.abc import Iterator
from math import floor

from analysis.record.codes import ObservedChange, Outcome
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.hearing import Hearing
from tests.analysis.checks.oracles.story import Message, Page, Story, message_id, person_id

MEASURED_TO = 0.2  # to so many seconds it is known what another clock shows, if it is known

Wrong = tuple[object, str]


def pages(story: Story) -> Answer:
    """Each page that was answered shows messages of its chat, each once, in one direction, below its bound, and leaves
    none out."""
    answered = [page for page in story.pages if page.outcome is Outcome.OK]
    faults, checked = [], 0
    for page in answered:
        told = [place for place in _places(page) if page.ids or story.shown_seq(page, place) is not None]
        missing = list(_left_out(story, page))
        checked += len(told) + len(missing)
        for about, what in [*_strange_on(story, page), *_wrong_on(story, page), *missing]:
            at = story.dated(page.person, page.left + 1)
            faults.append((about, person_id(page.person).hex, None if at is None else floor(at), what))
    return Answer(
        [*faults],
        checked=checked,
        unseen=not Hearing(story).last_look,
        facts={"pages": len(answered)},
    )


def _places(page: Page) -> range:
    return range(len(page.shown))


def _message(story: Story, page: Page, place: int) -> Message | None:
    """The message there, if the page says which it is, and anybody saw its row."""
    number = page.shown[place]
    exists = page.ids and number < len(story.messages)
    return story.messages[number] if exists and story.messages[number].looks else None


def _strange(story: Story, page: Page, place: int) -> str | None:
    """What is wrong with the message there by itself."""
    number, seq, message = page.shown[place], story.shown_seq(page, place), _message(story, page, place)
    if message is not None:
        if message.chat != page.chat:
            return "another chat" if page.person in story.chats[message.chat] else "reader is not in"
        seen = Hearing(story).last_look
        return "another seq" if seen and seq is not None and seq != message.seq else None
    if not Hearing(story).last_look or (not page.ids and seq is None):
        return None
    before = story.baseline[page.chat]
    if before is None or (before > 0 if seq is None else seq <= before):
        return None  # it may be from before the run
    if page.ids:
        known = number < len(story.messages) and _acknowledged(story.messages[number]) is not None
    else:
        known = any(
            one.chat == page.chat and one.seq == seq and (one.looks or _acknowledged(one) is not None)
            for one in story.messages
        )
    return None if known else "no such message"


def _placed(story: Story, page: Page) -> list[tuple[int, int]]:
    """The messages that have a place in the order of this chat, by their places on the page, and their seqs."""
    found = []
    for place in _places(page):
        message, seq = _message(story, page, place), story.shown_seq(page, place)
        if seq is None and message is not None:
            seq = message.seq
        if seq is not None and _strange(story, page, place) is None:
            found.append((place, seq))
    return found


def _strange_on(story: Story, page: Page) -> Iterator[Wrong]:
    for place in _places(page):
        what = _strange(story, page, place)
        if what is not None:
            yield _about(story, page, place), what


def _wrong_on(story: Story, page: Page) -> Iterator[Wrong]:
    placed = _placed(story, page)
    upwards = _upwards(story, page)
    for number, (place, seq) in enumerate(placed):
        earlier = placed[:number]
        again = page.ids and any(page.shown[before] == page.shown[place] for before, _ in earlier)
        if again:
            yield _about(story, page, place), "twice"
        elif earlier and (seq < earlier[-1][1] if upwards else seq > earlier[-1][1]):
            yield _about(story, page, place), "out of order"
        if page.before is not None and seq >= page.before:
            yield _about(story, page, place), "asked for below"


def _upwards(story: Story, page: Page) -> bool:
    """Whether more steps of the walk go from a lower seq to a higher one than the other way."""
    up = down = 0
    for other in story.pages:
        if (other.person, other.chat, other.walk) == (page.person, page.chat, page.walk):
            seqs = [seq for _, seq in _placed(story, other)]
            for place in range(1, len(seqs)):
                up += seqs[place] > seqs[place - 1]
                down += seqs[place] < seqs[place - 1]
    return up > down


def _left_out(story: Story, page: Page) -> Iterator[Wrong]:
    """Messages that have to stand on the page and do not: they stay, and had been acknowledged for certain."""
    seqs = [seq for _, seq in _placed(story, page)]
    for number, message in enumerate(story.messages):
        stays = bool(message.looks) and message.looks[-1].change is not ObservedChange.GONE
        told = _acknowledged(message)
        if message.chat != page.chat or message.seq is None or not stays or told is None:
            continue
        if not _before(story, message.sender, told, page):
            continue
        if page.before is not None and message.seq >= page.before:
            continue
        if page.shown and not (seqs and message.seq > min(seqs)):
            continue  # nobody knows how far a page reaches that is not empty
        if page.ids:
            there = number in page.shown
        else:
            there = message.seq in [story.shown_seq(page, place) for place in _places(page)]
        if not there:
            yield str(message_id(number)), "left it out"


def _acknowledged(message: Message) -> float | None:
    return min((one.answered for one in message.attempts if one.outcome is Outcome.OK), default=None)


def _before(story: Story, sender: int, told: float, page: Page) -> bool:
    """Whether the answer certainly came before the page was asked for."""
    if story.host(sender) == story.host(page.person):
        return told < page.left
    known = story.comparable(sender) and story.comparable(page.person)
    return known and told + 2 * MEASURED_TO < page.left


def _about(story: Story, page: Page, place: int) -> object:
    """The id of a message; where the app tells none, its seq."""
    return str(message_id(page.shown[place])) if page.ids else story.shown_seq(page, place)
