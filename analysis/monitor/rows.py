"""Stored messages as the monitor reads them, and what it remembers of each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from analysis.record.tables import ObservedChange, Status

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Stored:
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


def read(records: Iterable[Any]) -> list[Stored]:
    """What a query of ``sql/monitor/rows_*.sql`` gave."""
    return [
        Stored(
            message_id=record["id"].bytes,
            chat_id=record["chat_id"].bytes,
            seq=record["seq"],
            sender_id=record["sender_id"].bytes if record["sender_id"] else None,
            client_generated_id=record["client_generated_id"].bytes
            if record["client_generated_id"]
            else None,
            status_text=record["status"],
            text=record["text"],
            created_us=record["created_us"],
            deleted=record["deleted"],
        )
        for record in records
    ]
