"""What the monitor can say for certain while the run goes on: pure. The verdict is made later, from everything."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from analysis.criteria import Finding
from analysis.monitor.rows import Stored
from analysis.record.codes import Status

JUDGED = ("messages.lost", "seq.missing", "seq.duplicates", "status.invalid", "status.regressed")


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding, and the criterion of `JUDGED` that it breaks."""

    criterion: str
    finding: Finding


def judge(row: Stored, before: Status | None, others: Iterable[bytes], at_ns: int) -> list[Noticed]:
    """Findings about a row that is new or has changed.

    Args:
        before: its status at the look before, None for a new row.
        others: messages that hold the same seq in the same chat.
    """
    whys: list[tuple[str, str]] = []
    if row.status is Status.OTHER:
        unknown = f"its status is {row.status_text!r}, which is none of sent, delivered and read"
        whys.append(("status.invalid", unknown))
    if before is not None and before is not Status.OTHER and row.status < before:
        back = f"its status went back from {before.name.lower()} to {row.status_text}"
        whys.append(("status.regressed", back))
    if row.seq is None:
        whys.append(("seq.missing", "it has no seq"))
    whys += [("seq.duplicates", f"it has the same seq as message {UUID(bytes=other)}") for other in others]
    return [
        Noticed(
            criterion,
            Finding(
                why=f"Message {UUID(bytes=row.message_id)}: {why}.",
                chat_id=str(UUID(bytes=row.chat_id)),
                seq=row.seq,
                message_id=str(UUID(bytes=row.message_id)),
                client_generated_id=str(UUID(bytes=row.client_generated_id))
                if row.client_generated_id
                else None,
                sender_id=str(UUID(bytes=row.sender_id)) if row.sender_id else None,
                at_ns=at_ns,
            ),
        )
        for criterion, why in whys
    ]


def gone(message_id: bytes, chat_id: bytes, seq: int | None, at_ns: int) -> Noticed:
    """A row that was there and is not any more."""
    return Noticed(
        "messages.lost",
        Finding(
            why=f"Message {UUID(bytes=message_id)} was stored and is gone.",
            chat_id=str(UUID(bytes=chat_id)),
            seq=seq,
            message_id=str(UUID(bytes=message_id)),
            at_ns=at_ns,
        ),
    )
