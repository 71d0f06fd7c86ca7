"""What `history.pages` must say of a story, by nested loops over pages and messages."""

from collections.abc import Iterator
from math import floor

from analysis.record.codes import ObservedChange, Outcome
from tests.analysis.checks.oracles.answer import Answer
from tests.analysis.checks.oracles.hearing import Hearing
from tests.analysis.checks.oracles.story import Look, Message, Page, Story, message_id, person_id

MEASURED_TO = 0.2  # to so many seconds it is known what another clock shows, if it is known

Wrong = tuple[object, str]


def pages(story: Story) -> Answer:
    """Each page that was answered shows messages of its chat, each once, in one direction, below its bound, and leaves
    none out."""
    answered = [page for page in story.pages if page.outcome is Outcome.OK]
    faults, checked, unseen = [], 0, 0
    for page in answered:
        told = [place for place in _places(page) if page.ids or story.shown_seq(page, place) is not None]
        missing = list(_left_out(story, page))
        unseen += sum(_strange(story, page, place) == NOT_TOLD for place in _places(page))
        checked += len(told) + len(missing)
        for about, what in [*_strange_on(story, page), *_wrong_on(story, page), *missing]:
            at = story.dated(page.person, page.left + 1)
            faults.append((about, person_id(page.person).hex, None if at is None else floor(at), what))
    texts = sum(_is_worded(story, page, place) for page in answered for place in _places(page))
    facts: dict[str, float | int] = {"pages": len(answered), "texts": texts}
    if unseen:
        facts["unseen"] = unseen
    return Answer(
        [*faults],
        checked=checked,
        unseen=not Hearing(story).last_look or unseen > 0,
        facts=facts,
    )


NOT_TOLD = "a message that may have gone between two looks"


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
        seen, chats = Hearing(story).last_look, _chats(message)
        told = {event.chat for event in story.events if event.message == number}
        if seen and page.chat not in chats | told:
            welcome = any(page.person in story.chats[chat] for chat in chats)
            return "another chat" if welcome else "reader is not in"
        had = any(event.message == number and event.seq == seq for event in story.events)
        had = had or seq in [had_seq for _, had_seq in _numbers(message)]
        wrongs = {
            "another sender": bool(message.attempts) and _shows_another_sender(story, page, place, message),
            "another text": _is_worded(story, page, place)
            and _shows_another_text(story, page, place, message),
            "another seq": seq is not None and seq != message.seq and not had,
        }
        return next((wrong for wrong, holds in wrongs.items() if seen and holds), None)
    if not Hearing(story).last_look or (not page.ids and seq is None):
        return None
    before = story.baseline[page.chat]
    if before is None or (before > 0 if seq is None else seq <= before):
        return None  # it may be from before the run
    if page.ids:
        known = number < len(story.messages) and _acknowledged(story.messages[number]) is not None
        known = known or any((event.message, event.chat) == (number, page.chat) for event in story.events)
    else:
        known = any((page.chat, seq) in _numbers(one) for one in story.messages)
        known = known or any((event.seq, event.chat) == (seq, page.chat) for event in story.events)
    if known:
        return None
    later = _may_be_later(story, page)
    return NOT_TOLD if later or _may_have_gone(story, page, place) else "no such message"


def _may_be_later(story: Story, page: Page) -> bool:
    """Whether it may have been answered after the last look, and not every send is in the record."""
    hearing, answered = Hearing(story), story.dated(page.person, page.left + 1)
    if hearing.has_all_sends() or answered is None:
        return not hearing.has_all_sends()
    known_to = 0 if story.host(page.person) == story.monitor.host else MEASURED_TO
    return answered + known_to >= hearing.last_look_asked()


def _is_worded(story: Story, page: Page, place: int) -> bool:
    """Whether the text is shown of a message of the run whose texts are known."""
    message = _message(story, page, place)
    shown = story.shown_text(page, place) is not None
    return shown and message is not None and bool(message.attempts) and Hearing(story).last_look


def _shows_another_text(story: Story, page: Page, place: int, message: Message) -> bool:
    """Words that were neither sent nor ever seen in its row."""
    sent = story.text(page.shown[place])
    looked = {look.text or message.stored_text or sent for look in message.looks}
    return story.shown_text(page, place) not in {sent, *looked}


def _chats(message: Message) -> set[int]:
    """Where it was sent, and where looks saw its row."""
    sent = {message.chat} if message.attempts else set()
    return sent | {message.row_chat if look.chat is None else look.chat for look in message.looks}


def _numbers(message: Message) -> list[tuple[int, int | None]]:
    """The chats and seqs of which looks and answers told together."""
    looks = [
        (
            message.row_chat if look.chat is None else look.chat,
            message.seq if look.seq is None else look.seq,
        )
        for look in message.looks
    ]
    told = [one.told for one in message.attempts if one.outcome is Outcome.OK]
    return looks + [(message.chat, message.seq if seq is None else seq) for seq in told]


def _shows_another_sender(story: Story, page: Page, place: int, message: Message) -> bool:
    """Somebody who neither sent it nor ever stood in its row."""
    looked = {look.sender for look in message.looks}
    return story.shown_sender(page, place) not in {None, message.sender, message.stored_sender, *looked}


def _may_have_gone(story: Story, page: Page, place: int) -> bool:
    """Whether it is of nobody of the run, or may be a message of the run of which nobody knows what became of it."""
    sender = story.shown_sender(page, place)
    if sender is not None and sender >= story.people:
        return True
    return any(
        one.chat == page.chat and sender in (None, one.sender) and fate_unknown(one) for one in story.messages
    )


def fate_unknown(message: Message) -> bool:
    """Whether its sender had no clear answer, and no look saw it."""
    outcomes = {one.outcome for one in message.attempts}
    return Outcome.INFO in outcomes and Outcome.OK not in outcomes and not message.looks


def _placed(story: Story, page: Page) -> list[tuple[int, int]]:
    """The messages that have a place in the order of this chat, by their places on the page, and their seqs."""
    found = []
    for place in _places(page):
        message, seq = _message(story, page, place), story.shown_seq(page, place)
        if seq is None and message is not None and message.row_chat == page.chat:
            seq = message.seq
        if seq is not None and _strange(story, page, place) is None:
            found.append((place, seq))
    return found


def _strange_on(story: Story, page: Page) -> Iterator[Wrong]:
    for place in _places(page):
        what = _strange(story, page, place)
        if what not in (None, NOT_TOLD):
            yield _about(story, page, place), what or ""


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
    """Messages that have to stand on the page and do not: every look saw them in their place, and they had been stored for
    certain."""
    seqs = [seq for _, seq in _placed(story, page)]
    for number, message in enumerate(story.messages):
        stays = bool(message.looks) and all(_in_place(message, look) for look in message.looks)
        if message.row_chat != page.chat or message.seq is None or not message.attempts or not stays:
            continue
        if not _stored_before(story, message, page):
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


def _in_place(message: Message, look: Look) -> bool:
    elsewhere = look.seq not in (None, message.seq) or look.chat not in (None, message.row_chat)
    return look.change is not ObservedChange.GONE and not elsewhere


def _stored_before(story: Story, message: Message, page: Page) -> bool:
    """Whether an answer certainly came, or a look that saw it was certainly over, before the page was asked for."""
    here, looked = story.host(page.person), story.polls[message.looks[0].poll]
    told = _acknowledged(message)
    words = [(story.monitor.host, looked.at + looked.took, True)]
    if told is not None:
        words.append((story.host(message.sender), told, story.comparable(message.sender)))
    return any(
        at < page.left
        if host == here
        else known and story.comparable(page.person) and at + 2 * MEASURED_TO < page.left
        for host, at, known in words
    )


def _about(story: Story, page: Page, place: int) -> object:
    """The id of a message; where the app tells none, its seq."""
    return str(message_id(page.shown[place])) if page.ids else story.shown_seq(page, place)
