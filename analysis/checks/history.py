"""`history.pages`: keyset pages of a chat's history, put together, are its messages, each once, in order.

A page may hold fewer messages than were asked for: servers have limits of their own. So a short page says nothing of
what lies below it; the next page of the walk does, and an empty one says that there is nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis.checks.account import NULL, Account, Bools, Ints, pair
from analysis.checks.departures import Departures
from analysis.checks.findings import NO_LAST_LOOK, Namer, known_time
from analysis.checks.moments import MomentsOfRows
from analysis.checks.shown import WRONG, Shown, Wrong, shown_on_pages
from analysis.clocks import Clocks, Moments
from analysis.criteria import Criterion, Finding
from analysis.faults import Faults, from_faults
from analysis.identifiers import NONE
from analysis.record.codes import ObservedChange, Outcome

_TOP = np.iinfo(np.int64).max - 1  # above every seq

_TWICE, _OUT_OF_ORDER, _NOT_BELOW, _LEFT_OUT = range(len(Wrong), len(Wrong) + 4)
_WHY = WRONG | {
    _TWICE: "It stood twice on a page of history.",
    _OUT_OF_ORDER: "It stood out of order on a page of history.",
    _NOT_BELOW: "It stood on a page of history that was asked for below seq {before}.",
    _LEFT_OUT: "A page of history left it out, though it had been stored before.",
}


@dataclass(frozen=True, slots=True)
class _Found:
    """What is wrong with pages, and the message that each is about, as far as that is known.

    Attributes:
        page: position in `Evidence.pages`.
        row: in `Account.rows`, or `NONE`.
        message: code of its id, or `NONE`.
        seq: or `NULL`.
        why: the key of its sentence in `_WHY`.
    """

    page: Ints
    row: Ints
    message: Ints
    seq: Ints
    why: Ints

    @classmethod
    def on(cls, shown: Shown, places: Ints, why: "int | Ints") -> "_Found":
        """About these of the entries."""
        one = shown[places]
        return cls(
            one.page, one.row, one.message, one.seq, np.broadcast_to(why, places.shape).astype(np.int64)
        )

    @classmethod
    def by_page(cls, *parts: "_Found") -> "_Found":
        """All of them, page by page."""
        columns = [
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("page", "row", "message", "seq", "why")
        ]
        order = np.argsort(columns[0], kind="stable")
        return cls(*(column[order] for column in columns))


def pages(account: Account) -> Criterion:
    """On each page: messages of this chat, each once and under its own seq, sender and text, below the bound, in the direction of the walk,
    and none left out.

    A message belongs on a page when it was certainly stored before the page was asked for, by its answer or by a look that
    was over by then, its seq lies below the bound, and the page reaches down to it: to its lowest seq, or, when the page is empty, to the chat's beginning. Messages
    that were ever deleted, or that a look saw with another seq or in another chat, and everybody else's, may be there or not, and so
    may all of them where the reader has perhaps left the chat by then. What pages show of messages from before the run
    is not known.
    """
    evidence = account.evidence
    shown = shown_on_pages(account)
    left_out = _left_out(account, shown)
    itself = np.flatnonzero(shown.faulty)
    unseen = int((shown.wrong == Wrong.UNSEEN).sum())
    found = _Found.by_page(
        _Found.on(shown, itself, shown.wrong[itself].astype(np.int64)), *_misplaced(account, shown), left_out
    )
    namer = Namer(account)
    pages = evidence.pages
    at_ns = Clocks.of(evidence).dated(pages["answered_ns"], pages["clock"])[found.page]
    chat = pages["chat_id"].to_numpy(np.int64)[found.page]
    of_row = np.append(account.rows["chat_id"].to_numpy(np.int64), NONE)[found.row]

    def tell(place: int) -> Iterator[Finding]:
        page, row, seq = int(found.page[place]), int(found.row[place]), int(found.seq[place])
        why = _WHY[int(found.why[place])].format(before=evidence.pages["before_seq"].iloc[page])
        reader = evidence.people.text(int(evidence.pages["user_id"].iloc[page]))
        if row != NONE:
            yield namer.row(row, why, recipient_id=reader, at_ns=int(at_ns[place]))
            return
        yield Finding(
            why,
            chat_id=evidence.chats.text(int(chat[place])),
            seq=None if seq == NULL else seq,
            message_id=evidence.messages.text(int(found.message[place])),
            recipient_id=reader,
            at_ns=known_time(int(at_ns[place])),
        )

    facts: dict[str, float | int] = {
        "pages": int((evidence.pages["outcome"] == Outcome.OK).sum()),
        # Compared: 0 where the app's answers have none under the name that is set.
        "texts": int(shown.worded.sum()),
    }
    if unseen:
        facts["unseen"] = unseen
    return from_faults(
        "history.pages",
        "Pages of history hold every message once, in order",
        "messages",
        int(shown.telling.sum()) + len(left_out.page),
        Faults(at_ns=at_ns, chat=np.where(found.row != NONE, of_row, chat), kind=found.why, tell=tell),
        inconclusive=NO_LAST_LOOK if account.last_look_ns is None else _unseen(unseen),
        facts=facts,
    )


def _unseen(count: int) -> str | None:
    """The sentence about messages that no look saw, and that nobody is to blame for."""
    if not count:
        return None
    return (
        f"{count:,} {'message' if count == 1 else 'messages'} on pages no look at the database saw, of people who are no users of the run, of "
        "sends without a clear answer, or after the last look, of load processes that did not write down all that they sent: they may have been "
        "deleted between two looks, or have come later, or never have been there."
    )


def _misplaced(account: Account, shown: Shown) -> Iterator[_Found]:
    """Messages of the chat that stand where they should not."""
    placed = shown.placed()
    known = np.flatnonzero(placed.message != NONE)
    _, first = np.unique(pair(placed.page[known], placed.message[known]), return_index=True)
    again = np.delete(known, first)
    yield _Found.on(placed, again, _TWICE)
    same_page = np.diff(placed.page) == 0
    steps = np.where(same_page, np.sign(np.diff(placed.seq)), 0)
    downwards = _downwards(account, placed.page[1:], steps)[placed.page[1:]]
    against = np.flatnonzero(np.where(downwards, -steps, steps) < 0) + 1
    # Two messages with one seq are `seq.duplicates`' affair, and one that stands there again is told of already.
    yield _Found.on(placed, np.setdiff1d(against, again), _OUT_OF_ORDER)
    before = account.evidence.pages["before_seq"].to_numpy(np.int64)[placed.page]
    yield _Found.on(placed, np.flatnonzero((before != NULL) & (placed.seq >= before)), _NOT_BELOW)


def _downwards(account: Account, page: Ints, steps: Ints) -> Bools:
    """For each page whether its walk goes from newer messages to older ones: most of its steps do.

    Args:
        steps: on these pages from one message to the next, 1: to a higher seq, -1: to a lower one.
    """
    pages = account.evidence.pages
    walks = pages.groupby(["process", "user_id", "chat_id", "walk"], sort=False).ngroup().to_numpy(np.int64)
    up = np.bincount(walks[page], weights=steps, minlength=len(walks))
    downwards: Bools = up[walks] <= 0
    return downwards


def _unmoved(account: Account) -> Bools:
    """Which rows every look that knew of them saw where they were in the end: there, not deleted, and in one place."""
    observations, rows = account.evidence.observations, account.rows
    row = account.row_of_message[observations["message_id"].to_numpy()]
    elsewhere = (observations["change"].to_numpy() == ObservedChange.GONE) | observations["deleted"].to_numpy(
        np.bool_
    )
    for column in ("seq", "chat_id"):
        elsewhere |= observations[column].to_numpy() != rows[column].to_numpy()[row]
    unmoved: Bools = np.ones(len(rows), np.bool_)
    unmoved[row[elsewhere]] = False
    return unmoved


def _left_out(account: Account, shown: Shown) -> _Found:
    """Messages that pages reach down to, and that are not on them."""
    rows, read = account.rows, account.evidence.pages
    row = np.flatnonzero(account.stored & _unmoved(account) & (rows["seq"].to_numpy() != NULL))
    row = row[np.lexsort((rows["seq"].to_numpy()[row], rows["chat_id"].to_numpy()[row]))]
    seq = rows["seq"].to_numpy(np.int64)[row]
    of_chat = np.searchsorted(rows["chat_id"].to_numpy()[row], np.arange(len(account.evidence.chats) + 1))
    moments = MomentsOfRows.of(account)
    left = moments.clocks.moments(read["left_ns"], read["clock"])

    placed = shown.placed()
    chat, before = (read[column].to_numpy(np.int64) for column in ("chat_id", "before_seq"))
    bound = np.where(before == NULL, _TOP, before)
    on_page = np.searchsorted(shown.page, np.arange(len(read) + 1))
    # Of a page that shows nothing of this chat, and yet is not empty, nobody knows how far down it reaches.
    lowest = np.where(np.diff(on_page) > 0, bound, NULL)
    np.minimum.at(lowest, placed.page, placed.seq)
    reach = _reach(moments, left, chat, row, of_chat)
    absent = [(0, np.empty(0, np.int64))]
    owed = ~Departures.of(account).perhaps_left(read, moments.clocks)
    for page in np.flatnonzero((read["outcome"].to_numpy() == Outcome.OK) & owed).tolist():
        begin, end = of_chat[chat[page] : chat[page] + 2]
        low, high = np.searchsorted(seq[begin:end], (lowest[page] + 1, bound[page])) + begin
        high = min(high, reach[page])
        if low >= high:
            continue
        here = slice(on_page[page], on_page[page + 1])
        nameless = shown.seq[here][shown.message[here] == NONE]
        there = np.isin(row[low:high], shown.row[here]) | np.isin(seq[low:high], nameless)
        early = moments.stored_before(left[np.array([page])], row[low:high])
        absent.append((page, np.flatnonzero(early & ~there) + low))
    places = np.concatenate([missing for _, missing in absent])
    page_of = np.repeat([page for page, _ in absent], [len(missing) for _, missing in absent])
    message = rows["message_id"].to_numpy(np.int64)[row][places]
    return _Found(page_of, row[places], message, seq[places], np.full(len(places), _LEFT_OUT, np.int64))


def _reach(moments: MomentsOfRows, left: Moments, chat: Ints, row: Ints, of_chat: Ints) -> Ints:
    """For each page the place behind the last row of its chat that had been stored for certain before the page was asked for.

    All that lies above came later. Most walks begin without a bound: were each of their pages held against all that its chat had
    in the end, the time would grow with the square of the length of a run.

    Args:
        left, chat: of the pages.
        row: in `Account.rows`, by chat and seq; where a chat's begin in it is in `of_chat`.
    """
    reach = np.zeros(len(chat), np.int64)
    order = np.lexsort((left.clock, chat))
    change = (np.diff(chat[order]) != 0) | (np.diff(left.clock[order]) != 0)
    for group in np.split(order, np.flatnonzero(change) + 1):
        if not len(group):
            continue
        begin, end = of_chat[chat[group[0]] : chat[group[0]] + 2]
        here, asked = row[begin:end], left[group]
        known = (
            (moments.told_by(int(asked.clock[0]), here), asked.at_ns),
            (moments.stored_by_ns[here], asked.earliest_ns),
        )
        # When the first of a row and all above it was stored: that never falls, so that a place in it can be looked up.
        reach[group] = begin + np.maximum(
            *(np.searchsorted(np.minimum.accumulate(by[::-1])[::-1], at) for by, at in known)
        )
    return reach
