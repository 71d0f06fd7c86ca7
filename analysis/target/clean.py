"""Removes what chatsoak has created on a target: its chats with their messages, and its people."""

from collections.abc import Callable

from analysis.progress import Progress
from analysis.settings import Settings
from analysis.target.accounts import Accounts
from analysis.target.database import connect, place, refusals, sql


async def remove(
    settings: Settings,
    say: Callable[[str], None],
    may: Callable[[str], bool],
    progress: Callable[[], Progress],
) -> None:
    """Say what there is, ask `may`, and remove it, while `progress` tells how far that is.

    Raises:
        TargetError: Supabase Auth or the database refuses.
    """
    connection = await connect(settings)
    remedy = "mend that and run chatsoak clean again"
    try:
        async with Accounts(settings) as accounts:
            people = list((await accounts.ours()).values())
            ids = [person.id for person in people]
            with refusals(settings, "Counting what chatsoak has made", remedy):
                there = await connection.fetchrow(sql("target/count_chats"), ids)
            say(
                f"At {settings.next_public_supabase_url} and {place(settings)}: {len(people)} people, "
                f"{there['chats']} chats and {there['messages']} messages of chatsoak."
            )
            if not (people or there["chats"]):
                return
            if not may("Remove them?"):
                say("Nothing was removed.")
                return
            with progress() as shown:
                shown.so_far("Removing chats and messages")
                with refusals(settings, "Removing what chatsoak has made", remedy):
                    await connection.execute(sql("target/remove_chats"), ids)
                    await connection.execute(sql("target/remove_accounts"), ids)
                await accounts.remove(people, shown.so_far)
            say("Removed.")
    finally:
        await connection.close()
