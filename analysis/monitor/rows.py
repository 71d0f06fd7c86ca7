"""Stored messages as the monitor's queries give them, and as it writes them down."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from analysis.record.codes import ObservedChange, Status

Row = tuple[Any, ...]


class Stored(
    NamedTuple
):  # cheaper to make than a dataclass, and the last sweep makes one for each row of the run
    """A row of chat_messages at one look. Ids are 16 bytes."""

    message_id: bytes
    chat_id: bytes
    seq: int | None
    sender_id: bytes | None
    client_generated_id: bytes | None
    status_text: str | None
    text: str | None
    created_us: int | None
    deleted: bool

    @property
    def status(self) -> Status:
        """Code of the status."""
        return Status.of(self.status_text)

    @property
    def fingerprint(self) -> int:
        """Differs, but for one chance in 2^64, when any field does; within one process only."""
        return hash(tuple(self))

    @property
    def said(self) -> int:
        """Differs, but for one chance in 2^64, when who says what, and where, does; see `said`."""
        return said(self.sender_id, self.chat_id, self.text)

    def observation(self, poll: int, change: ObservedChange, at_ns: int) -> Row:
        """The row of table `observations`."""
        status = self.status
        return (
            poll,
            change,
            at_ns,
            self.message_id,
            self.chat_id,
            self.seq,
            self.sender_id,
            self.client_generated_id,
            status,
            self.status_text if status is Status.OTHER else None,
            self.text,
            self.created_us,
            self.deleted,
        )


def said(sender_id: bytes | None, chat_id: bytes, text: str | None) -> int:
    """A fingerprint of a message's content; within one process only."""
    return hash((sender_id, chat_id, text))


def recorded(row: Mapping[str, Any]) -> Stored:
    """What `Stored.observation` has written down, read back."""
    status = Status(row["status"])
    known = {Status.NULL: None, Status.OTHER: row["status_text"]}
    return Stored(
        row["message_id"],
        row["chat_id"],
        row["seq"],
        row["sender_id"],
        row["client_generated_id"],
        known.get(status, status.name.lower()),
        row["text"],
        row["created_us"],
        row["deleted"],
    )


def gone_observation(
    poll: int, at_ns: int, message_id: bytes, chat_id: bytes, seq: int | None, status: Status
) -> Row:
    """The row of table `observations` for a message that is not there any more, with what is remembered of it."""
    unknown = None
    return (
        poll,
        ObservedChange.GONE,
        at_ns,
        message_id,
        chat_id,
        seq,
        unknown,  # sender_id
        unknown,  # client_generated_id
        status,
        unknown,  # status_text
        unknown,  # text
        unknown,  # created_us
        unknown,  # deleted
    )


def read(records: Iterable[Any]) -> list[Stored]:
    """What a query of ``sql/monitor/`` for rows of chat_messages gave."""
    return [
        Stored(
            message.bytes,
            chat.bytes,
            seq,
            sender.bytes if sender else None,
            key.bytes if key else None,
            status,
            text,
            created_us,
            deleted,
        )
        for message, chat, seq, sender, key, status, text, created_us, deleted in records
    ]
