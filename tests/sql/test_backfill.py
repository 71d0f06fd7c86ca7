"""Promise: the backfill numbers every message in the order of its chat, in batches, while people go on writing."""

import asyncio
import uuid

import asyncpg
import pytest

from tests.analysis.targets import MIGRATIONS
from tests.sql.databases import PSQL_S, People, connected, psql_command

WRITERS = 3

# A chat's messages in the order in which they were made, and whether each one's seq is its place there.
MISNUMBERED = """
select count(*) from (
  select seq, row_number() over (partition by chat_id order by created_at, id) as place from chat_messages
) numbered where seq is distinct from place
"""


async def fill(db: asyncpg.Connection, people: People, messages: int) -> None:
    """Messages of the past: every third shares its created_at with the one before."""
    await db.execute(
        "insert into chat_messages (chat_id, sender_id, message_text, created_at) "
        "select $1, $2, n::text, now() - interval '1 year' + (n - n % 3) * interval '1 ms' "
        "from generate_series(1, $3::int) n",
        people.chat,
        people.ann,
        messages,
    )


async def migrate(url: str) -> None:
    for name in MIGRATIONS:
        process = await asyncio.create_subprocess_exec(
            *psql_command(url, name), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(PSQL_S):
            _, said = await process.communicate()
        assert process.returncode == 0, said.decode()


async def write_on(url: str, people: People, done: asyncio.Event) -> int:
    """Write until `done`; how many. No statement may wait for a lock longer than 5 s."""
    written = 0
    async with connected(url) as db:
        await db.execute("set lock_timeout = '5s'")
        while not done.is_set():
            await db.execute(
                "insert into chat_messages (id, chat_id, sender_id, message_text) values ($1, $2, $3, 'new')",
                uuid.uuid4(),
                people.chat,
                people.ben,
            )
            written += 1
            await asyncio.sleep(0.001)
    return written


def test_messages_get_their_place_and_those_read_are_read(bare_database: str) -> None:
    async def test() -> None:
        async with connected(bare_database) as db:
            chats = [await People().move_in(db) for _ in range(3)]
            for people, messages in zip(chats, (12_000, 7, 8_000), strict=True):
                await fill(db, people, messages)
            # Ben has read half of the second chat; that Ann has read her own says nothing.
            await db.execute(
                "update chat_participants set last_read_at = (select created_at from chat_messages "
                "where chat_id = $1 and message_text = '3') where chat_id = $1 and user_id = $2",
                chats[1].chat,
                chats[1].ben,
            )
            await db.execute(
                "update chat_participants set last_read_at = now() where chat_id = $1 and user_id = $2",
                chats[2].chat,
                chats[2].ann,
            )
        await migrate(bare_database)
        async with connected(bare_database) as db:
            assert await db.fetchval("select count(*) from chat_messages") == 20_010
            assert await db.fetchval(MISNUMBERED) == 0
            statuses = await db.fetch(
                "select status, count(*) from chat_messages where chat_id = $1 group by status order by status",
                chats[1].chat,
            )
            assert [tuple(row) for row in statuses] == [("read", 5), ("sent", 3)]
            assert (
                await db.fetchval(
                    "select count(*) from chat_messages where chat_id = $1 and status <> 'sent'",
                    chats[2].chat,
                )
                == 0
            )

    asyncio.run(test())


async def numbers_while_people_write(url: str, messages: int) -> None:
    """Fill one chat, migrate while others write into it, and look at the numbers."""
    async with connected(url) as db:
        people = await People().move_in(db)
        await fill(db, people, messages)
    done = asyncio.Event()
    writers = [asyncio.create_task(write_on(url, people, done)) for _ in range(WRITERS)]
    try:
        await migrate(url)
    finally:
        done.set()
        written = await asyncio.gather(*writers)
    assert min(written) > 0
    async with connected(url) as db:
        seqs = [row["seq"] for row in await db.fetch("select seq from chat_messages order by seq")]
        assert seqs == list(range(1, messages + 1 + sum(written) + 1))
        old = "from chat_messages where message_text <> 'new' and message_text <> 'Hello'"
        in_order = f"select bool_and(seq > before) from (select seq, lag(seq) over (order by created_at, id) as before {old}) o"
        assert await db.fetchval(in_order)
        assert (await people.write(db))["seq"] == len(seqs) + 1


def test_people_write_meanwhile(bare_database: str) -> None:
    asyncio.run(numbers_while_people_write(bare_database, 20_000))


@pytest.mark.long
def test_a_million_messages_in_one_chat_while_people_write(bare_database: str) -> None:
    asyncio.run(numbers_while_people_write(bare_database, 1_000_000))
