"""Promise: a chat's seq starts at 1, has no gap and no duplicate, and is never handed out twice."""

import asyncio
import uuid

import asyncpg
import pytest

from tests.sql.databases import People, connected

WRITERS, EACH = 8, 25


async def seqs(db: asyncpg.Connection, people: People) -> list[int | None]:
    rows = await db.fetch("select seq from chat_messages where chat_id = $1 order by seq", people.chat)
    return [row["seq"] for row in rows]


def test_writers_at_once_leave_no_gap_and_no_duplicate(database: str) -> None:
    async def test() -> None:
        async with connected(database) as db:
            people = await People().move_in(db)

            async def writer(number: int) -> None:
                async with connected(database) as own:
                    for turn in range(EACH):
                        transaction = own.transaction()
                        await transaction.start()
                        await people.write(own)
                        # Now and then one changes its mind: what it took must go to the next.
                        if (number + turn) % 5 == 0:
                            await transaction.rollback()
                        else:
                            await transaction.commit()

            await asyncio.gather(*(writer(number) for number in range(WRITERS)))
            found = await seqs(db, people)
            assert found == list(range(1, len(found) + 1))
            assert len(found) == 1 + sum((n + turn) % 5 != 0 for n in range(WRITERS) for turn in range(EACH))

    asyncio.run(test())


def test_the_seq_of_a_deleted_newest_message_is_not_given_again(database: str) -> None:
    async def test() -> None:
        async with connected(database) as db:
            people = await People().move_in(db)
            newest = await people.write(db)
            assert newest["seq"] == 2
            await db.execute("delete from chat_messages where id = $1", newest["id"])
            assert (await people.write(db))["seq"] == 3

    asyncio.run(test())


def test_a_repeat_that_is_not_stored_takes_no_seq(database: str) -> None:
    async def test() -> None:
        async with connected(database) as db:
            people = await People().move_in(db)
            key = uuid.uuid4()
            insert = (
                "insert into chat_messages (chat_id, sender_id, message_text, client_generated_id) "
                "values ($1, $2, 'once', $3) on conflict (sender_id, client_generated_id) do nothing returning seq"
            )
            assert await db.fetchval(insert, people.chat, people.ben, key) == 2
            assert await db.fetchval(insert, people.chat, people.ben, key) is None
            assert (await people.write(db))["seq"] == 3
            with pytest.raises(asyncpg.UniqueViolationError):
                await db.execute(insert.replace("on conflict (sender_id, client_generated_id) do nothing", ""),
                                 people.chat, people.ben, key)  # fmt: skip
            assert (await people.write(db))["seq"] == 4

    asyncio.run(test())


def test_chats_do_not_wait_for_one_another(database: str) -> None:
    async def test() -> None:
        async with connected(database) as db, connected(database) as other:
            here, there = await People().move_in(db), await People().move_in(db)
            async with db.transaction():
                await here.write(db)  # holds this chat's counter
                async with asyncio.timeout(10):
                    assert (await there.write(other))["seq"] == 2

    asyncio.run(test())
