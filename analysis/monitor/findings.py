"""What the monitor can say for certain while the run goes on: pure. The verdict is made later, from everything."""

from collections.abc import Iterable
from uuid import UUID

from analysis.criteria import Finding
from analysis.monitor.rows import Stored
from analysis.record.tables import Status


def judge(row: Stored, before: Status | None, others: Iterable[bytes], at_ns: int) -> list[Finding]:
    """Findings about a row that is new or has changed.

    Args:
        before: its status at the look before, None for a new row.
        others: messages that hold the same seq in the same chat.
    """
    whys = []
    if row.status is Status.OTHER:
        whys.append(f"its status is {row.status_text!r}, which is none of sent, delivered and read")
    if before is not None and before is not Status.OTHER and row.status < before:
        whys.append(f"its status went back from {before.name.lower()} to {row.status_text}")
    if row.seq is None:
        whys.append("it has no seq")
    whys += [f"it has the same seq as message {UUID(bytes=other)}" for other in others]
    return [
        Finding(
            why=f"Message {UUID(bytes=row.message_id)}: {why}.",
            chat_id=str(UUID(bytes=row.chat_id)),
            seq=row.seq,
            message_id=str(UUID(bytes=row.message_id)),
            client_generated_id=str(UUID(bytes=row.client_generated_id)) if row.client_generated_id else None,
            sender_id=str(UUID(bytes=row.sender_id)) if row.sender_id else None,
            at_ns=at_ns,
        )
        for why in whys
    ]


def gone(message_id: bytes, chat_id: bytes, seq: int | None, at_ns: int) -> Finding:
    """A row that was there and is not any more."""
    return Finding(
        why=f"Message {UUID(bytes=message_id)} was stored and is gone.",
        chat_id=str(UUID(bytes=chat_id)),
        seq=seq,
        message_id=str(UUID(bytes=message_id)),
        at_ns=at_ns,
    )
