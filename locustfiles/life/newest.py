"""What a drain has to wait for: the newest message of a chat, by whoever can tell it."""

import time
from typing import Final

from analysis.record.codes import NOT_IN_CHAT, Outcome, PagePurpose, SocketEvent
from locustfiles.clients.ledger import Ledger
from locustfiles.clients.messages import MessagesClient
from locustfiles.run.load import Load

_OF_NO_SOCKET: Final = 0


def newest_seq(
    chat_id: str, *, seen: int, load: Load, ledger: Ledger, messages: MessagesClient, user_id: str
) -> int:
    """The newest seq of a chat; 0: there is none.

    The function that tells it (`get_latest_seq`) is itself under test: where it tells of none, or of less than is known here
    already, history is asked as well. Both may be right, when the newest message was deleted.

    Args:
        seen: the newest seq that this person knows of.
        load: knows the newest seq that a send of this process was answered with.
        ledger: told when and what the function was asked.
    """
    known = max(load.newest[chat_id], seen)
    asked_ns = time.monotonic_ns()
    answer = messages.latest_seq(chat_id)
    ledger.sockets((user_id, _OF_NO_SOCKET, chat_id, SocketEvent.DRAINING, asked_ns, answer, None))
    if answer and answer >= known:
        return answer
    page = messages.history(chat_id, None, 1, PagePurpose.BROWSE, load.next_walk())
    shown = max((message.seq or 0 for message in page.messages), default=0)
    if page.outcome is Outcome.OK and shown == answer:
        return shown
    left = answer is None and page.outcome is Outcome.OK and not page.messages
    if left or page.status_code in NOT_IN_CHAT:  # there is nothing to wait for any more
        return seen
    return max(known, answer or 0, shown)
