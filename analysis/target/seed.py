"""Creates the people and chats of a run: people through Supabase Auth, chats by SQL."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

import asyncpg

from analysis.record import Chat, Person
from analysis.settings import Settings
from analysis.target.accounts import Accounts
from analysis.target.crowd import chats_for
from analysis.target.database import connect, place, refusals, sql


async def plant(
    settings: Settings, count: int, say: Callable[[str], None], tell: Callable[[str], None]
) -> dict[str, Any]:
    """`count` people and fresh chats between them, as ``{"people": […], "chats": […]}``.

    People of earlier runs are reused, and one of them is asked to sign in, so that a password which does not
    fit is noticed here. What is about to be done is said before it is done.

    Args:
        say: is told what is about to be done, once.
        tell: is told how far that is.

    Raises:
        TargetError: Supabase Auth or the database refuses.
    """
    say(
        f"Seeding {count} people at {settings.next_public_supabase_url} (e-mails {settings.chatsoak_person_email}) "
        f"and chats between them in {place(settings)}"
    )
    people = await _people(settings, count, tell)
    chats = chats_for(people, settings)
    tell(f"Storing {len(chats):,} chats")
    connection = await connect(settings)
    remedy = "does it have the app's schema, and may the user of DATABASE_URL write to accounts, chats and chat_participants"
    try:
        with refusals(settings, "Storing the people and chats", remedy):
            async with connection.transaction():
                await _store(connection, people, chats)
    finally:
        await connection.close()
    return {"people": [asdict(person) for person in people], "chats": [asdict(chat) for chat in chats]}


async def _people(settings: Settings, count: int, tell: Callable[[str], None]) -> list[Person]:
    emails = [
        settings.chatsoak_person_email.replace("{n}", f"{number:05d}") for number in range(1, count + 1)
    ]
    async with Accounts(settings) as accounts:
        tell("Looking for people of earlier runs")
        there = await accounts.ours()
        known = [email for email in emails if email in there]
        if known:
            await accounts.check_sign_in(known[0])
        missing = [email for email in emails if email not in there]
        created = 0

        async def create(email: str) -> None:
            nonlocal created
            there[email] = await accounts.create(email)
            created += 1
            tell(f"Creating people: {created:,} of {len(missing):,}")

        await asyncio.gather(*(create(email) for email in missing))
    return [there[email] for email in emails]


async def _store(connection: asyncpg.Connection, people: Sequence[Person], chats: Sequence[Chat]) -> None:
    await connection.executemany(
        sql("target/seed_account"),
        [(person.id, person.email.partition("@")[0], person.email) for person in people],
    )
    await connection.executemany(
        sql("target/seed_chat"),
        [(chat.id, chat.type, f"chatsoak {chat.type}", chat.participants[0]) for chat in chats],
    )
    await connection.executemany(
        sql("target/seed_participant"), [(chat.id, person) for chat in chats for person in chat.participants]
    )
