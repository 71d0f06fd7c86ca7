"""What the small numbers in the record's tables stand for. Part of the contract: a code never changes its meaning."""

from enum import IntEnum
from typing import Final

# Of HTTP, in ``status_code``.
REDIRECTIONS: Final = (301, 302, 303, 307, 308)
TOO_MANY_REQUESTS: Final = 429
NOT_IN_CHAT: Final = (403, 404)  # how an app refuses people who are not in a chat, or have left it


class Outcome(IntEnum):
    """What became of an operation, in Jepsen's vocabulary."""

    OK = 0  # the server acknowledged it
    FAIL = 1  # the server refused it: it must not be stored
    INFO = 2  # time-out, reset or 5xx: the database decides


class Status(IntEnum):
    """``chat_messages.status``; codes grow in the only direction in which a status may move."""

    NULL = 0
    SENT = 1
    DELIVERED = 2
    READ = 3
    OTHER = 4  # a text that the check constraint should have refused

    @classmethod
    def of(cls, text: str | None) -> "Status":
        """The code of a stored status text."""
        return _STATUS_OF.get(text, cls.OTHER)


_STATUS_OF = {None: Status.NULL, "sent": Status.SENT, "delivered": Status.DELIVERED, "read": Status.READ}


class EventType(IntEnum):
    """The kind of a Realtime ``postgres_changes`` event."""

    INSERT = 0
    UPDATE = 1
    DELETE = 2


class SocketEvent(IntEnum):
    """A step in the life of a user's Realtime socket or of one channel on it."""

    CONNECTED = 0  # the WebSocket is open
    JOINED = 1  # phx_reply ok of a channel; events are not promised yet
    SUBSCRIBED = 2  # `system` ok: from now on every change of the chat is owed to this channel
    UNSUBSCRIBED = 3  # the channel ended: left, phx_close, phx_error, system error
    CLOSED = 4  # the WebSocket ended; `at_ns` is its last sign of life, which may lie before the write
    CAUGHT_UP = 5  # history was read after a reconnect; `seq` = newest seq read
    REFUSED = 6  # a connect or a join was refused; `detail` has the server's words
    FINISHED = (
        7  # done with this chat after the drain: nothing is owed from here on; `seq`: up to it events came
    )
    GAVE_UP = 8  # the drain was over, and the user had still not come back online; `detail` says what stood in the way
    DRAINING = 9  # the user is about to go offline, and asked for the chat's newest seq; `seq`: as `get_latest_seq` answered


class MarkKind(IntEnum):
    """Which receipt a user sent."""

    DELIVERED = 0
    READ = 1


class PagePurpose(IntEnum):
    """Why a page of history was read."""

    BROWSE = 0  # keyset pages from the newest backwards
    CATCH_UP = 1  # after a reconnect, everything newer than the last seq seen
    DRAIN = 2  # at the end of the run, the newest page of each chat


class AttemptKind(IntEnum):
    """What somebody tried who may not."""

    READ = 0  # a chat's history
    LATEST = 1  # a chat's newest seq
    SEND = 2
    SUBSCRIBE = 3  # to the changes of a chat
    MARK_DELIVERED = 4
    MARK_READ = 5
    UNREAD = 6  # how many messages of a chat somebody has not read


class Guise(IntEnum):
    """As whom they tried it: on a chat that they are not in as `OUTSIDER`, on one of their own otherwise.

    As `ANOTHER_PERSON` messages are sent through the app into both: an app that knows the sender by the token rightly
    stores those in their own chat, under their own name. Earlier records have none of the latter.
    """

    OUTSIDER = 0  # with their own valid token
    EXPIRED_TOKEN = 1  # their own, some time ago
    ALTERED_TOKEN = 2  # their own, with another person's id written into it
    NO_TOKEN = 3
    ANON_KEY = 4  # as the token
    ANOTHER_PERSON = 5  # their own valid token, and another participant's id in the request


class Way(IntEnum):
    """Through what they tried it."""

    APP = 0
    REST = 1
    REALTIME = 2


class ObservedChange(IntEnum):
    """What a monitor's look at a row found."""

    APPEARED = 0
    CHANGED = 1
    GONE = 2  # was there at an earlier look


class PollKind(IntEnum):
    """A monitor's look at the database."""

    POLL = 0  # incremental: new rows, rows not settled yet, and a slice of the settled ones
    SWEEP = 1  # the last look after the drain: every row of the run's chats
    FAILED = 2  # the database did not answer; `error` says how
    HOLES = 3  # after the sweep: only where seqs are missing, until the transactions that ran then have ended
