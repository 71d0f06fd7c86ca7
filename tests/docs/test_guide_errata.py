"""docs/guide-errata.md says of the guide's SQL only what PostgreSQL says of it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from tests.staging.stages import RunningStage, running_stage


@pytest.fixture(scope="module")
def own() -> Iterator[RunningStage]:
    with running_stage() as running:
        yield running


def run(stage: RunningStage, *statements: str) -> list[Any]:
    """The rows of the last statement; nothing of it stays."""

    async def all_of_them() -> list[Any]:
        connection = await asyncpg.connect(stage.database_url)
        transaction = connection.transaction()
        await transaction.start()
        try:
            for statement in statements[:-1]:
                await connection.execute(statement)
            return [tuple(row) for row in await connection.fetch(statements[-1])]
        finally:
            await transaction.rollback()
            await connection.close()

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(
    ("statement", "refusal", "words"),
    [
        ("SELECT * FROM pg_dump_create_script()", asyncpg.UndefinedFunctionError, "does not exist"),
        (
            "ALTER PUBLICATION supabase_realtime DROP TABLE IF EXISTS attachments",
            asyncpg.PostgresSyntaxError,
            "syntax error",
        ),
        (
            "SELECT replica_identity FROM pg_tables WHERE tablename = 'chat_messages'",
            asyncpg.UndefinedColumnError,
            "replica_identity",
        ),
        (
            "SELECT ROUND(100.0 * COUNT(*) FILTER (WHERE seq IS NOT NULL) / COUNT(*), 2) FROM chat_messages",
            asyncpg.DivisionByZeroError,
            "division by zero",
        ),
        (
            "CREATE INDEX CONCURRENTLY in_a_transaction ON chat_messages (seq)",
            asyncpg.ActiveSQLTransactionError,
            "cannot run inside a transaction block",
        ),
    ],
)
def test_what_is_said_to_fail_fails(
    own: RunningStage, statement: str, refusal: type[asyncpg.PostgresError], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        run(own, statement)


def test_the_guides_index_query_lists_other_tables(own: RunningStage) -> None:
    listed = run(
        own,
        "CREATE TABLE other (client_generated_id uuid)",
        "CREATE INDEX other_client_generated ON other (client_generated_id)",
        """SELECT indexname FROM pg_indexes
           WHERE tablename = 'chat_messages'
             AND indexname LIKE '%seq%' OR indexname LIKE '%client_generated%'""",
    )
    assert ("other_client_generated",) in listed


def test_the_guides_sample_users_lack_what_auth_reads(own: RunningStage) -> None:
    user = "('00000000-0000-0000-0000-000000000001', 'test1@example.com')"
    (row,) = run(
        own,
        f"INSERT INTO auth.users (id, email) VALUES {user}",
        "SELECT role, aud, encrypted_password, confirmation_token FROM auth.users WHERE email = 'test1@example.com'",
    )
    assert row[:3] == (None, None, None)


def test_the_query_that_replaces_the_guides_tells_the_replica_identity(own: RunningStage) -> None:
    (row,) = run(own, "select relreplident::text from pg_class where oid = 'public.chat_messages'::regclass")
    assert row[0] in ("d", "f")
