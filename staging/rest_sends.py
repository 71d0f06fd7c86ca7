"""A message stored through REST, with every fault that may befall it; staging/app.py is the app's own way."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from staging import misdeeds
from staging.database import as_caller
from staging.rest_query import RestError
from staging.stage import Stage
from staging.tokens import Claims

MESSAGES = "chat_messages"
KEY = "client_generated_id"


@dataclass(frozen=True, slots=True)
class Sent:
    """What the insert gave back.

    Attributes:
        rows: the answer's body, a JSON array.
        ids: the new messages' ids.
    """

    rows: bytes
    ids: list[uuid.UUID]


class _TakeBack(Exception):  # noqa: N818 - rolls a transaction back, nothing more
    pass


async def store(
    stage: Stage, claims: Claims, statement: str, columns: str, messages: list[dict[str, Any]]
) -> Sent:
    """Run `statement`, an insert of `messages` (its ``$1``, as JSON), for the caller.

    Raises:
        RestError: a fault refuses what is stored, or stores nothing.
        asyncpg.PostgresError: the database refuses.
    """
    faults = stage.faults
    if faults.hit("error_rate"):
        raise RestError(500, "XX000", "internal error")
    if faults.hit("lost_ack_rate"):
        return await _pretend(stage, claims, statement, columns, messages)
    try:
        sent = await _insert(stage, claims, statement, columns, messages)
    except asyncpg.UniqueViolationError:
        if not faults.hit("forget_idempotency_rate"):
            raise
        forgotten = [message | {KEY: None} for message in messages]
        sent = await _insert(stage, claims, statement, columns, forgotten)
    for message_id in sent.ids:
        await misdeeds.after_send(stage, message_id)
    if faults.hit("error_after_commit_rate"):
        raise RestError(500, "XX000", "internal error")
    if faults.hit("refuse_stored_rate"):
        message = 'new row violates row-level security policy for table "chat_messages"'
        raise RestError(403, "42501", message)
    if faults.hit("wrong_seq_answer_rate"):
        rows = [row | {"seq": row["seq"] + 1} if "seq" in row else row for row in orjson.loads(sent.rows)]
        return Sent(orjson.dumps(rows), sent.ids)
    return sent


async def _insert(
    stage: Stage, claims: Claims, statement: str, columns: str, messages: list[dict[str, Any]]
) -> Sent:
    async with as_caller(stage.pool, claims) as connection:
        return await _run(connection, statement, columns, messages)


async def _pretend(
    stage: Stage, claims: Claims, statement: str, columns: str, messages: list[dict[str, Any]]
) -> Sent:
    """Fault: store, answer, and take it back."""
    answer = Sent(b"[]", [])
    try:
        async with as_caller(stage.pool, claims) as connection:
            answer = await _run(connection, statement, columns, messages)
            raise _TakeBack
    except _TakeBack:
        return answer


async def _run(
    connection: asyncpg.Connection, statement: str, columns: str, messages: Sequence[dict[str, Any]]
) -> Sent:
    # The caller may want other columns than the id, and the faults need the id in any case.
    row = await connection.fetchrow(
        f"with chat_messages as ({statement} returning *), answer as (select {columns} from chat_messages) "
        "select coalesce((select json_agg(answer) from answer), '[]')::text as body, "
        "array(select id from chat_messages) as ids",
        *([orjson.dumps(messages).decode()] if "$1" in statement else []),
    )
    return Sent(row["body"].encode(), row["ids"])
