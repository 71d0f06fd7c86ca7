"""What `history.pages` must say of a story, by nested loops over pages and messages."""

from collections.abc import Iterator

from analysis.record.codes import ObservedChange, Outcome
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.hearing import Hearing
from tests.analysis.checks.oracles.story import Page, Story, message_id, person_id


def pages(story: Story) -> Answer:
    """Each page that was answered shows every message once, in one direction, below its bound, and leaves none out."""
    answered = [page for page in story.pages if page.outcome is Outcome.OK]
    faults = [
        (about, person_id(page.person).hex, page.left + 1, what)
        for page in answered
        for about, what in _wrong_on(story, page)
    ]
    return Answer(
        [*faults],
        checked=len(answered),
        unseen=not Hearing(story).last_look,
        facts={"messages": sum(len(page.shown) for page in story.pages)},
    )


def _wrong_on(story: Story, page: Page) -> Iterator[tuple[object, str]]:
    shown = [number for number in page.shown if story.messages[number].seq is not None]
    seqs = [story.messages[number].seq or 0 for number in shown]
    upwards = not shown or seqs[0] <= seqs[-1]
    for place, number in enumerate(shown):
        again = number in shown[:place]
        if again:
            yield _about(story, number), "twice"
        elif place and (seqs[place] < seqs[place - 1] if upwards else seqs[place] > seqs[place - 1]):
            yield _about(story, number), "out of order"
        if page.before is not None and seqs[place] >= page.before:
            yield _about(story, number), "asked for below"
    for number in _belonging(story, page, seqs):
        if story.messages[number].seq not in seqs:
            yield _about(story, number), "left it out"


def _belonging(story: Story, page: Page, seqs: list[int]) -> Iterator[int]:
    """Messages that have to stand on the page: stored to stay, and acknowledged before it was asked for, on one clock."""
    full = len(page.shown) >= page.limit
    for number, message in enumerate(story.messages):
        stays = bool(message.looks) and message.looks[-1].change is not ObservedChange.GONE
        told = [one.answered for one in message.attempts if one.outcome is Outcome.OK]
        if message.chat != page.chat or message.seq is None or not stays or not told:
            continue
        if story.host(message.sender) != story.host(page.person) or min(told) >= page.left:
            continue
        if page.before is not None and message.seq >= page.before:
            continue
        if full and not (seqs and message.seq > min(seqs)):
            continue
        yield number


def _about(story: Story, number: int) -> object:
    """The id of a message whose row was seen; else nothing but its seq is known."""
    return str(message_id(number)) if story.messages[number].looks else story.messages[number].seq
