"""Carries out the faults that act on stored messages. Called by the app and REST at the points they name."""

from typing import Any

from staging.database import sql
from staging.faults import Faults
from staging.stage import Stage

AFTER_SEND = (
    "duplicate_rate",
    "corrupt_text_rate",
    "wrong_sender_rate",
    "skip_seq_rate",
    "null_seq_rate",
    "repeat_seq_rate",
    "swap_seq_rate",
)
AFTER_RECEIPT = ("status_invalid_rate", "status_regress_rate")
PREPARED = ("repeat_seq_rate", "swap_seq_rate", "status_invalid_rate")


async def prepare(pool: Any, faults: Faults) -> None:
    """Take away what in the database would prevent the faults that are on."""
    for name in PREPARED:
        if faults.is_on(name):
            await pool.execute(sql(f"faults/{name}_prepare"))


async def after_send(stage: Stage, message_id: object) -> None:
    """What happens to a message that has just been stored."""
    for name in AFTER_SEND:
        if stage.faults.hit(name):
            await stage.pool.execute(sql(f"faults/{name}"), message_id)


async def after_receipt(stage: Stage, chat_id: object) -> None:
    """What happens to a chat in which a receipt has just been written."""
    for name in AFTER_RECEIPT:
        if stage.faults.hit(name):
            await stage.pool.execute(sql(f"faults/{name}"), chat_id)
