"""The official Python client, async, against the embedded staging environment."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

import httpx
import pytest
from postgrest.exceptions import APIError
from supabase import AsyncClient, AsyncClientOptions, AuthApiError, acreate_client

from tests.staging.stages import PASSWORD, Person, RunningStage

WAIT_S = 15.0


@asynccontextmanager
async def client(stage: RunningStage, person: Person | None = None) -> AsyncIterator[AsyncClient]:
    """A client, signed in as `person`."""
    async with httpx.AsyncClient() as http:
        made = await acreate_client(stage.supabase_url, stage.anon_key, AsyncClientOptions(httpx_client=http))
        try:
            if person is not None:
                await made.auth.sign_in_with_password({"email": person.email, "password": PASSWORD})
            yield made
        finally:
            await made.realtime.close()


class Listener:
    """A channel of the official client, with what came in over it."""

    def __init__(self, supabase: AsyncClient, topic: str) -> None:
        self.channel = supabase.channel(topic)
        self.events: list[dict[str, Any]] = []
        self.systems: list[Any] = []
        self.states: list[str] = []
        self.channel.on_system(self.systems.append)

    def on(self, event: str, chat_id: str) -> "Listener":
        """Listen to this chat's messages."""
        self.channel.on_postgres_changes(
            event,  # type: ignore[arg-type]
            schema="public",
            table="chat_messages",
            filter=f"chat_id=eq.{chat_id}",
            callback=lambda event: self.events.append(event["data"]),  # type: ignore[arg-type,index]
        )
        return self

    async def subscribe(self) -> "Listener":
        """Join, and wait until the subscription is live."""
        await self.channel.subscribe(lambda state, _: self.states.append(state.value))
        assert self.states == ["SUBSCRIBED"]
        await eventually(lambda: self.systems)
        assert [str(system.message) for system in self.systems] == ["Subscribed to PostgreSQL"]
        return self

    async def event(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first event of which `wanted` is true."""
        await eventually(lambda: any(map(wanted, self.events)))
        return next(filter(wanted, self.events))


async def eventually(condition: Callable[[], Any]) -> None:
    """Wait until it holds. Bounded."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.02)


def run(test: Callable[[], Any]) -> None:
    asyncio.run(test())


def test_it_is_the_version_whose_wire_behaviour_was_read() -> None:
    assert tuple(map(int, version("supabase").split("."))) >= (2, 34, 1)


def test_signs_in_and_tells_who_one_is(stage: RunningStage) -> None:
    person = stage.person()

    async def test() -> None:
        async with client(stage, person) as supabase:
            answer = await supabase.auth.get_user()
            assert answer is not None
            assert answer.user.id == person.id
            assert answer.user.email == person.email

    run(test)


def test_refuses_a_wrong_password(stage: RunningStage) -> None:
    person = stage.person()

    async def test() -> None:
        async with client(stage) as supabase:
            with pytest.raises(AuthApiError, match="Invalid login credentials"):
                await supabase.auth.sign_in_with_password({"email": person.email, "password": "wrong"})

    run(test)


def test_inserts_selects_and_calls_functions(stage: RunningStage) -> None:
    ann, ben = stage.person(), stage.person()
    chat_id = stage.chat(ann, ben)

    async def test() -> None:
        async with client(stage, ann) as supabase, client(stage, ben) as other:
            for number in (1, 2, 3):
                row = {"chat_id": chat_id, "sender_id": ann.id, "message_text": f"message {number}"}
                row["client_generated_id"] = str(uuid.uuid4())
                stored = (await supabase.table("chat_messages").insert(row).execute()).data[0]
                assert stored["seq"] == number
                assert stored["status"] == "sent"
            page = (
                await other.table("chat_messages")
                .select("seq,message_text")
                .eq("chat_id", chat_id)
                .lt("seq", 3)
                .order("seq", desc=True)
                .limit(2)
                .execute()
            )
            assert [row["seq"] for row in page.data] == [2, 1]
            marked = await other.rpc(
                "mark_messages_as_delivered", {"p_chat_id": chat_id, "p_receiver_id": ben.id}
            ).execute()
            assert marked.data == [{"updated_count": 3}]
            unread = await other.rpc(
                "get_unread_count", {"p_chat_id": chat_id, "p_user_id": ben.id}
            ).execute()
            assert unread.data == 3

    run(test)


def test_hears_what_others_send_and_mark_in_its_chat_and_nothing_else(stage: RunningStage) -> None:
    ann, ben = stage.person(), stage.person()
    chat_id, other_chat = stage.chat(ann, ben), stage.chat(ann, ben)

    async def test() -> None:
        async with client(stage, ann) as supabase, client(stage, ben) as other:
            listener = Listener(supabase, f"chat:{chat_id}").on("*", chat_id)
            await listener.subscribe()
            for chat, text in ((other_chat, "elsewhere"), (chat_id, 'hier: "ü" 👋\n')):
                row = {"chat_id": chat, "sender_id": ben.id, "message_text": text}
                await other.table("chat_messages").insert(row).execute()
            inserted = await listener.event(lambda event: event["type"] == "INSERT")
            assert inserted["record"]["message_text"] == 'hier: "ü" 👋\n'
            assert inserted["record"]["seq"] == 1
            marked = {"p_chat_id": chat_id, "p_receiver_id": ann.id}
            await supabase.rpc("mark_messages_as_delivered", marked).execute()
            updated = await listener.event(lambda event: event["type"] == "UPDATE")
            assert updated["old_record"]["status"] == "sent"
            assert updated["record"]["status"] == "delivered"
            await other.table("chat_messages").delete().eq("id", inserted["record"]["id"]).execute()
            deleted = await listener.event(lambda event: event["type"] == "DELETE")
            assert deleted["old_record"] == {"id": inserted["record"]["id"]}
            assert {event["type"] for event in listener.events} == {"INSERT", "UPDATE", "DELETE"}
            assert len(listener.events) == 3

    run(test)


def test_goes_on_hearing_after_its_token_was_refreshed(stage: RunningStage) -> None:
    ann, ben = stage.person(), stage.person()
    chat_id = stage.chat(ann, ben)

    async def test() -> None:
        async with client(stage, ann) as supabase, client(stage, ben) as other:
            listener = await Listener(supabase, "chat").on("INSERT", chat_id).subscribe()
            await asyncio.sleep(1.1)  # tokens made in one second are the same text, and no refresh at all
            session = (await supabase.auth.refresh_session()).session
            assert session is not None
            await supabase.realtime.set_auth(session.access_token)
            await eventually(lambda: len(listener.systems) == 2)
            row = {"chat_id": chat_id, "sender_id": ben.id, "message_text": "still here?"}
            await other.table("chat_messages").insert(row).execute()
            await listener.event(lambda event: event["record"]["message_text"] == "still here?")
            assert len(listener.events) == 1

    run(test)


def test_an_outsider_is_refused_everywhere(stage: RunningStage) -> None:
    ann, ben, outsider = stage.person(), stage.person(), stage.person()
    chat_id = stage.chat(ann, ben)
    own_chat = stage.chat(ann, outsider)

    async def test() -> None:
        async with client(stage, outsider) as supabase, client(stage, ann) as inside:
            listener = Listener(supabase, "peep").on("*", chat_id).on("*", own_chat)
            await listener.subscribe()
            for chat in (chat_id, own_chat):
                row = {"chat_id": chat, "sender_id": ann.id, "message_text": "secret"}
                await inside.table("chat_messages").insert(row).execute()
            # What was committed later has arrived: what came before it in another chat never will.
            await listener.event(lambda event: event["record"]["chat_id"] == own_chat)
            assert [event["record"]["chat_id"] for event in listener.events] == [own_chat]

            assert (
                await supabase.table("chat_messages").select("id").eq("chat_id", chat_id).execute()
            ).data == []
            row = {"chat_id": chat_id, "sender_id": outsider.id, "message_text": "let me in"}
            with pytest.raises(APIError) as refused:
                await supabase.table("chat_messages").insert(row).execute()
            assert refused.value.code == "42501"
            with pytest.raises(APIError) as refused:
                await supabase.rpc(
                    "mark_messages_as_read", {"p_chat_id": chat_id, "p_user_id": outsider.id}
                ).execute()
            assert refused.value.code == "42501"

    run(test)


def test_is_told_when_a_table_is_not_published(stage: RunningStage) -> None:
    person = stage.person()

    async def test() -> None:
        async with client(stage, person) as supabase:
            channel = supabase.channel("accounts")
            channel.on_postgres_changes("*", schema="public", table="accounts", callback=lambda _: None)
            states: list[str] = []
            await channel.subscribe(lambda state, _: states.append(state.value))
            await eventually(lambda: "CHANNEL_ERROR" in states)
            assert states[0] == "SUBSCRIBED"  # of the join; the subscription fails after it

    run(test)


def test_broadcasts_to_others_and_to_itself_if_asked(stage: RunningStage) -> None:
    ann, ben = stage.person(), stage.person()

    async def test() -> None:
        async with client(stage, ann) as supabase, client(stage, ben) as other:
            heard: list[Any] = []
            own: list[Any] = []
            listener = other.channel("room").on_broadcast("typing", heard.append)
            await listener.subscribe()
            options: Any = {"config": {"broadcast": {"ack": True, "self": True}, "private": False}}
            sender = supabase.channel("room", options).on_broadcast("typing", own.append)
            await sender.subscribe()
            await sender.send_broadcast("typing", {"who": "ann"})
            await eventually(lambda: heard and own)
            assert heard[0]["payload"] == own[0]["payload"] == {"who": "ann"}

    run(test)
