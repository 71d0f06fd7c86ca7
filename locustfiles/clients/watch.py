"""What the clients of one load process can tell for certain while the run goes on.

The verdict comes later, from everything, and what is said here it must say as well. An event may lie: it may tell of a message
that does not exist, or show another seq than is stored. So of its order, and of its repetition, only that counts
for which the answers vouch that this process, or another one, got when it sent the messages. Everything else is left to the verdict.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from analysis.record.codes import AttemptKind, Guise
from analysis.record.granted import given, was_let
from locustfiles.clients.answered import Answered
from locustfiles.clients.channel import TWICE, Wrong
from locustfiles.clients.events import Row
from locustfiles.clients.guises import Attempt
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.notices import Notice, Notices, is_id
from locustfiles.clients.page_order import misplaced

AWAITED_S: Final = 5.0  # how long an answer may come after the events of its message
MOST_AWAITED: Final = 500  # claims that wait for answers
MOST_SOUGHT: Final = 100  # messages that other processes are asked for at a time

DUPLICATED: Final = "realtime.duplicated"
REORDERED: Final = "realtime.reordered"
PHANTOM: Final = "realtime.phantom"
PAGES: Final = "history.pages"
DENIED: Final = "access.denied"
TOLD: Final = (DUPLICATED, REORDERED, PHANTOM, PAGES, DENIED)  # criteria


class _Claim(NamedTuple):
    """An event that came again, or too late, if its message is the one that it tells of."""

    wrong: Wrong
    row: Row
    recipient_id: str
    until_s: float  # by `time.monotonic`, how long answers are awaited


class Watch:
    """One load process.

    Args:
        members: who is in which of the run's chats.
    """

    def __init__(self, members: Mapping[str, Collection[str]] | None = None) -> None:
        self.notices = Notices()
        self.answered = Answered()
        self._members = members or {}
        self._open: list[_Claim] = []

    def event(self, wrong: Wrong, row: Row, recipient_id: str) -> None:
        """A subscription has brought a message again, or after a later one."""
        claim = _Claim(wrong, row, recipient_id, time.monotonic() + AWAITED_S)
        if not self._settle(claim) and len(self._open) < MOST_AWAITED:
            self._open.append(claim)

    def stray(self, row: Row, recipient_id: str) -> None:
        """An INSERT or UPDATE of a chat came by no subscription to it: is it theirs at all?

        Of an event without a chat the verdict says more: an INSERT has to tell one.
        """
        members = self._members.get(row.chat_id or "")
        outside = members is None and bool(self._members) and is_id(row.chat_id)
        if not (outside or (members is not None and recipient_id not in members)) or not is_id(row.id):
            return
        whom = "who had subscribed to chats of the run only" if outside else "who is not in the chat"

        def tell() -> Notice:
            why = f"{_name(row.id, row.seq, row.chat_id)}: an event of it came to {recipient_id}, {whom}."
            return Notice(why, row.chat_id, row.seq, row.id, row.sender_id, recipient_id)

        self.notices.add(PHANTOM, tell)

    def page(self, reader_id: str, chat_id: str, before_seq: int | None, page: Sequence[Stored]) -> None:
        """A page of history was answered to a request for what lies below `before_seq`."""
        for place, what in misplaced(page, before_seq):
            one = page[place]

            def tell(one: Stored = one, what: str = what) -> Notice:
                why = f"{_name(one.message_id, one.seq, chat_id)}: it stood {what}, read by {reader_id}."
                return Notice(why, chat_id, one.seq, one.message_id, one.sender_id, reader_id)

            self.notices.add(PAGES, tell)

    def granted(
        self, tried: Attempt, user_id: str, chat_id: str, got: int | None, message_id: str | None
    ) -> bool:
        """Whether an attempt that was answered so was certainly let through; if it was, that is noted.

        In another's name, in a chat of one's own, a message is right if it is stored under the name of who really sent it:
        only the database tells.
        """
        if tried.kind is AttemptKind.SEND:
            forged = tried.guise is Guise.ANOTHER_PERSON and not tried.elsewhere
            if forged or not is_id(message_id):
                return False
        elif not got or got < 0:
            return False

        def tell() -> Notice:
            named = f", message {message_id}" if message_id else ""
            sentence = was_let(tried.kind, tried.guise, tried.way, given(tried.kind, got or 0))
            return Notice(
                f"Chat {chat_id}{named}, person {user_id}: {sentence}",
                chat_id,
                message_id=message_id,
                sender_id=user_id,
            )

        self.notices.add(DENIED, tell)
        return True

    def sought(self) -> list[str]:
        """Messages whose answers are awaited: somebody of another process may have sent them."""
        awaited = dict.fromkeys(
            message_id
            for claim in self._open
            for message_id, _ in ((claim.row.id, 0), *claim.wrong.later)
            if message_id is not None and self.answered.of(message_id) is None
        )
        return list(awaited)[:MOST_SOUGHT]

    def look_again(self) -> None:
        """Answers may have come meanwhile that vouch for what was claimed before."""
        now_s = time.monotonic()
        self._open = [claim for claim in self._open if not self._settle(claim) and claim.until_s > now_s]

    def _settle(self, claim: _Claim) -> bool:
        """Note the claim if it is certain."""
        row, recipient_id = claim.row, claim.recipient_id
        if not self.answered.told(row.id, row.chat_id, row.seq):
            return False
        if claim.wrong.words == TWICE:
            criterion, what = DUPLICATED, f"it came to {recipient_id} again on the same subscription"
        else:
            overtaken_by = max(self._vouched(claim), default=None)
            if overtaken_by is None:
                return False
            criterion = REORDERED
            what = f"it came to {recipient_id} after seq {overtaken_by:,} of the same chat"

        def tell() -> Notice:
            why = f"{_name(row.id, row.seq, row.chat_id)}: {what}."
            return Notice(why, row.chat_id, row.seq, row.id, row.sender_id, recipient_id)

        self.notices.add(criterion, tell)
        return True

    def _vouched(self, claim: _Claim) -> Iterator[int]:
        """The seqs of those later messages that certainly have them."""
        for message_id, seq in claim.wrong.later:
            if self.answered.told(message_id, claim.row.chat_id, seq):
                yield seq


def _name(message_id: str | None, seq: int | None, chat_id: str | None) -> str:
    named = f"Message {message_id}" if message_id else "A message"
    return f"{named}, seq {'none' if seq is None else f'{seq:,}'} of chat {chat_id}"
