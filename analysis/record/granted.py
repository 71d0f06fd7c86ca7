"""What somebody was let do who may not, in words: what the codes of table `attempts` mean to a reader."""

from typing import Final

from analysis.record.codes import AttemptKind, Guise, Way

TO: Final = {
    AttemptKind.READ: "to read the messages of",
    AttemptKind.LATEST: "to ask for the newest seq of",
    AttemptKind.SEND: "to send into",
    AttemptKind.SUBSCRIBE: "to listen to",
    AttemptKind.MARK_DELIVERED: "to mark messages as delivered in",
    AttemptKind.MARK_READ: "to mark messages as read in",
    AttemptKind.UNREAD: "to count the unread messages of",
}
_WHAT: Final = {
    AttemptKind.READ: "{got:,} messages came back",
    AttemptKind.LATEST: "the answer was {got:,}",
    AttemptKind.SEND: "the message is stored",
    AttemptKind.SUBSCRIBE: "{got:,} events came",
    AttemptKind.MARK_DELIVERED: "{got:,} messages were marked",
    AttemptKind.MARK_READ: "{got:,} messages were marked",
    AttemptKind.UNREAD: "{got:,} messages were counted",
}
AS: Final = {
    Guise.OUTSIDER: "who is not in it",
    Guise.EXPIRED_TOKEN: "with an expired token",
    Guise.ALTERED_TOKEN: "with a token that was altered",
    Guise.NO_TOKEN: "without a token",
    Guise.ANON_KEY: "with no more than the anon key",
    Guise.ANOTHER_PERSON: "in another participant's name",
}
_THROUGH: Final = {Way.APP: "the app", Way.REST: "Supabase's REST interface", Way.REALTIME: "Realtime"}


def was_let(kind: AttemptKind, guise: Guise, way: Way, what: str) -> str:
    """The sentence about an attempt that was granted, which gave or changed `what`."""
    return f"Somebody {AS[guise]} tried {TO[kind]} this chat through {_THROUGH[way]}, and was let: {what}."


def given(kind: AttemptKind, got: int) -> str:
    """What an attempt gave or changed; `got` as in the table."""
    return _WHAT[kind].format(got=got)
