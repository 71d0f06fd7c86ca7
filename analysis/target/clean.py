"""Removes what chatsoak has created on a target: its chats with their messages, and its people."""

from collections.abc import Callable

import asyncpg

from analysis.errors import TargetError
from analysis.settings import Settings
from analysis.target.accounts import Accounts
from analysis.target.database import connect, place, sql


async def remove(settings: Settings, say: Callable[[str], None], may: Callable[[str], bool]) -> None:
    """Say what there is, ask `may`, and remove it.

    Raises:
        TargetError: Supabase Auth or the database refuses.
    """
    connection = await connect(settings)
    try:
        async with Accounts(settings) as accounts:
            people = list((await accounts.ours()).values())
            there = await connection.fetchrow(sql("target/count_chats"))
            say(
                f"At {settings.next_public_supabase_url} and {place(settings)}: {len(people)} people, "
                f"{there['chats']} chats and {there['messages']} messages of chatsoak."
            )
            if not (people or there["chats"]):
                return
            if not may("Remove them?"):
                say("Nothing was removed.")
                return
            await connection.execute(sql("target/remove_chats"))
            await connection.execute(sql("target/remove_accounts"), [person.id for person in people])
            await accounts.remove(people)
            say("Removed.")
    except asyncpg.PostgresError as error:
        raise TargetError(
            f"{place(settings)} refused: {error}; nothing, or not everything, was removed."
        ) from None
    finally:
        await connection.close()
