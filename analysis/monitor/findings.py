"""What the monitor can say for certain while the run goes on: pure. The verdict is made later, from everything."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from analysis.criteria import Finding
from analysis.monitor.rows import Stored
from analysis.record.codes import Status

# By the rows alone, and by what the load processes were answered (see `analysis.monitor.answers`).
JUDGED = (
    "messages.lost",
    "messages.unexpected",
    "messages.duplicated",
    "messages.corrupted",
    "idempotency.retries",
    "seq.missing",
    "seq.gaps",
    "seq.duplicates",
    "seq.order",
    "status.invalid",
    "status.regressed",
)


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding, and the criterion of `JUDGED` that it breaks."""

    criterion: str
    finding: Finding


@dataclass(slots=True)
class Remembered:
    """A row as last seen; `poll` is the look that saw it, `said` differs when who says what, and where, does."""

    chat_id: bytes
    seq: int | None
    status: Status
    sender_id: bytes | None
    client_generated_id: bytes | None
    said: int
    fingerprint: int
    poll: int


def judge(
    row: Stored, before: Remembered | None, holders: Iterable[bytes], copy_of: bytes | None, at_ns: int
) -> list[Noticed]:
    """Findings about what is new in a row.

    Args:
        before: as it was at the look before, None for a new row.
        holders: other messages that have, or had, the same seq in the same chat.
        copy_of: another message of the same sender with the same client_generated_id.
    """
    whys: list[tuple[str, str]] = []
    if before is None or before.status is not row.status:
        whys += _of_status(row, before)
    if before is None or before.seq != row.seq:
        if row.seq is None:
            whys.append(("seq.missing", "it has no seq"))
        whys += [
            ("seq.duplicates", f"it has the same seq as message {UUID(bytes=other)}") for other in holders
        ]
    if before is not None and before.said != row.said:
        whys.append(("messages.corrupted", "its text, sender or chat is another than it was"))
    new_key = before is None or before.client_generated_id != row.client_generated_id
    if copy_of is not None and new_key:
        whys.append(
            ("messages.duplicated", f"it has the client_generated_id of message {UUID(bytes=copy_of)}")
        )
    return [
        noticed(
            criterion,
            f"Message {UUID(bytes=row.message_id)}: {why}.",
            at_ns,
            chat_id=row.chat_id,
            seq=row.seq,
            message_id=row.message_id,
            client_generated_id=row.client_generated_id,
            sender_id=row.sender_id,
        )
        for criterion, why in whys
    ]


def _of_status(row: Stored, before: Remembered | None) -> list[tuple[str, str]]:
    if row.status is Status.OTHER:
        unknown = f"its status is {row.status_text!r}, which is none of sent, delivered and read"
        return [("status.invalid", unknown)]
    if row.status is Status.NULL:
        return [("status.invalid", "it has no status")]
    if before is not None and before.status is not Status.OTHER and row.status < before.status:
        back = f"its status went back from {before.status.name.lower()} to {row.status_text}"
        return [("status.regressed", back)]
    return []


def gone(message_id: bytes, known: Remembered, at_ns: int) -> Noticed:
    """A row that was there and is not any more."""
    return noticed(
        "messages.lost",
        f"Message {UUID(bytes=message_id)} was stored and is gone.",
        at_ns,
        chat_id=known.chat_id,
        seq=known.seq,
        message_id=message_id,
        client_generated_id=known.client_generated_id,
        sender_id=known.sender_id,
    )


def gap(chat_id: bytes, first: int, last: int, at_ns: int) -> Noticed:
    """Numbers that nobody has, and nobody will have."""
    numbers = f"seq {first:,}" if first == last else f"seqs {first:,} to {last:,}"
    why = (
        f"No message has {numbers} of this chat, and every transaction that might have brought it has ended: left out, "
        "or of a message that came and went between two looks."
    )
    return noticed("seq.gaps", why, at_ns, chat_id=chat_id, seq=first)


def noticed(
    criterion: str,
    why: str,
    at_ns: int,
    *,
    chat_id: bytes,
    seq: int | None = None,
    message_id: bytes | None = None,
    client_generated_id: bytes | None = None,
    sender_id: bytes | None = None,
) -> Noticed:
    """A finding about a message whose ids are 16 bytes."""
    return Noticed(
        criterion,
        Finding(
            why=why,
            chat_id=_text(chat_id),
            seq=seq,
            message_id=_text(message_id),
            client_generated_id=_text(client_generated_id),
            sender_id=_text(sender_id),
            at_ns=at_ns,
        ),
    )


def _text(identifier: bytes | None) -> str | None:
    return str(UUID(bytes=identifier)) if identifier else None
