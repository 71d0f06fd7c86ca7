"""What a device has still to read in history: the gaps of its chats, and the walk through the pages that closes one.

A gap begins with what was known before it, and lasts until history has been read down to that, by pages that were asked for once the
chat was subscribed again. What comes meanwhile by events is newer: by that alone nobody knows what lies below it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analysis.record.codes import NOT_IN_CHAT, Outcome, PagePurpose
from locustfiles.clients.interfaces import Stored
from locustfiles.clients.messages import MessagesClient, Page
from locustfiles.clients.websocket import RealtimeError

CATCH_UP_PAGE = 100


class ShutOutError(RealtimeError):
    """The app says that this person is not in a chat any more."""

    def __init__(self, chat_id: str) -> None:
        super().__init__(f"the history of chat {chat_id} was refused")
        self.chat_id = chat_id


@dataclass(frozen=True, eq=False, slots=True)
class Gap:
    """Something may be missing of a chat.

    Attributes:
        known: newest seq that was known before; None: nothing was, so that one page says what there is.
    """

    known: int | None


class Gaps:
    """The open gaps of one device, at most one a chat."""

    def __init__(self) -> None:
        self._open: dict[str, Gap] = {}

    def open(self, chat_id: str, known: int | None) -> Gap:
        """Another one begins; what an open one has not read belongs to it, too."""
        before = self._open.get(chat_id)
        floors = [seq for seq in (known, before.known if before else None) if seq is not None]
        self._open[chat_id] = Gap(min(floors, default=None))
        return self._open[chat_id]

    def close(self, chat_id: str, gap: Gap) -> None:
        """It is read; not so what another one has begun with since."""
        if self.is_open(chat_id, gap):
            del self._open[chat_id]

    def is_open(self, chat_id: str, gap: Gap) -> bool:
        """Whether it is, and no other one has taken its place."""
        return self._open.get(chat_id) is gap

    def forget(self, chat_id: str) -> None:
        """There is nothing to be read any more, such as for somebody who is not in the chat."""
        self._open.pop(chat_id, None)

    def first_of(self, chat_ids: Iterable[str]) -> tuple[str, Gap] | None:
        """One that is open in these chats; None: none is."""
        return next(((chat_id, self._open[chat_id]) for chat_id in chat_ids if chat_id in self._open), None)


def missed(messages: MessagesClient, chat_id: str, gap: Gap, walk: int) -> Iterator[Stored]:
    """What history has above the gap's beginning, newest first: as many pages as it takes.

    Args:
        walk: number of this walk within the process.

    Raises:
        ShutOutError: this person is not in the chat, the app says.
        RealtimeError: a page could not be read.
    """
    before: int | None = None
    while True:
        page = messages.history(chat_id, before, CATCH_UP_PAGE, PagePurpose.CATCH_UP, walk)
        if page.status_code in NOT_IN_CHAT:
            raise ShutOutError(chat_id)
        if page.outcome is not Outcome.OK:
            raise RealtimeError(f"history of chat {chat_id} could not be read")
        for message in page.messages:
            if message.seq is not None and message.seq > (gap.known or 0):
                yield message
        before = None if gap.known is None else further(before, page, above=gap.known)
        if before is None:
            return


def further(before: int | None, page: Page, above: int) -> int | None:
    """The bound of the next page of a walk down to `above`, exclusive; None when this one was the last.

    A page with fewer messages than were asked for need not be the last: servers have limits of their own.
    """
    lowest = min((message.seq for message in page.messages if message.seq is not None), default=None)
    if lowest is None or lowest <= above + 1 or (before is not None and lowest >= before):
        return None
    return lowest
