"""Realtime's faults: each does what its name says, where a client can see it."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from tests.staging.realtime.phoenix import Phoenix, phoenix
from tests.staging.stages import Person, RunningStage, running_stage

MESSAGES = {"event": "*", "schema": "public", "table": "chat_messages"}


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(test)


def send(faulty: RunningStage, sender: Person, chat_id: str, *texts: str) -> list[str]:
    """Store messages; their ids."""
    headers = {"Authorization": f"Bearer {sender.token}"}
    sent = []
    for text in texts:
        answer = httpx.post(
            f"{faulty.app_url}/api/messages", headers=headers, json={"chatId": chat_id, "text": text}
        )
        answer.raise_for_status()
        sent.append(answer.json()["id"])
    return sent


@contextlib.asynccontextmanager
async def listening(
    stage: RunningStage, *faults: str
) -> AsyncIterator[tuple[RunningStage, Phoenix, Person, str]]:
    """A stage with faults over the other one's database, and somebody who listens to a chat of theirs."""
    with running_stage(*faults, database_url=stage.database_url) as faulty:
        person = faulty.person()
        chat_id = faulty.chat(person)
        async with phoenix(faulty.supabase_url, faulty.anon_key) as client:
            await client.subscribe("realtime:a", person.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}")
            yield faulty, client, person, chat_id


def inserted(client: Phoenix) -> list[str]:
    return [data["record"]["id"] for data in client.changes() if data["type"] == "INSERT"]


def test_events_are_dropped(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_drop_rate=0.5") as (faulty, client, person, chat_id):
            sent = send(faulty, person, chat_id, *map(str, range(40)))
            while not inserted(client) or inserted(client)[-1] != sent[-1]:
                sent += send(faulty, person, chat_id, "one more")
                await asyncio.sleep(0.1)
            assert set(inserted(client)) < set(sent)

    run(test())


def test_events_are_doubled(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_duplicate_rate=1") as (faulty, client, person, chat_id):
            (sent,) = send(faulty, person, chat_id, "twice")
            await client.wait_until(lambda: inserted(client) == [sent, sent])

    run(test())


def test_events_are_reordered_and_none_is_lost(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_reorder_rate=1") as (faulty, client, person, chat_id):
            first, second, third = send(faulty, person, chat_id, "1", "2", "3")
            await client.wait_until(lambda: inserted(client) == [second, first, third])

    run(test())


def test_events_of_rows_that_do_not_exist(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_phantom_rate=1") as (faulty, client, person, chat_id):
            (sent,) = send(faulty, person, chat_id, "real")
            await client.wait_until(lambda: len(inserted(client)) == 2)
            assert inserted(client)[0] == sent
            assert inserted(client)[1] != sent

    run(test())


def test_events_wait_for_the_next_look_at_the_slot(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_poll_ms=900") as (faulty, client, person, chat_id):
            first = send(faulty, person, chat_id, "1")
            await client.wait_until(lambda: inserted(client) == first)
            loop = asyncio.get_running_loop()
            looked = loop.time()
            second = send(faulty, person, chat_id, "2")
            await client.wait_until(lambda: inserted(client) == first + second)
            assert loop.time() - looked >= 0.6

    run(test())


def test_events_are_late(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_delay_ms=700") as (faulty, client, person, chat_id):
            loop = asyncio.get_running_loop()
            started = loop.time()
            sent = send(faulty, person, chat_id, "1", "2")
            await client.wait_until(lambda: inserted(client) == sent)
            assert loop.time() - started >= 0.7

    run(test())


def test_events_go_to_outsiders(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_open=1") as (faulty, _, person, chat_id):
            outsider = faulty.person()
            async with phoenix(faulty.supabase_url, faulty.anon_key) as client:
                await client.subscribe(
                    "realtime:b", outsider.token, **MESSAGES, filter=f"chat_id=eq.{chat_id}"
                )
                sent = send(faulty, person, chat_id, "secret")
                await client.wait_until(lambda: inserted(client) == sent)

    run(test())


def test_a_join_is_refused(stage: RunningStage) -> None:
    async def test() -> None:
        with running_stage("realtime_refuse_join_rate=1", database_url=stage.database_url) as faulty:
            async with phoenix(faulty.supabase_url, faulty.anon_key) as client:
                assert await client.join("realtime:a") == {
                    "status": "error",
                    "response": {
                        "reason": "UnableToConnectToProject: Realtime was unable to connect to the project database"
                    },
                }

    run(test())


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("realtime_refuse_socket_rate=1", 429, "Too many connected users"),
        ("realtime_unauthorized_rate=1", 401, "Failed to validate JWT signature"),
    ],
)
def test_the_handshake_is_refused(stage: RunningStage, fault: str, status: int, error: str) -> None:
    async def test() -> None:
        with running_stage(fault, database_url=stage.database_url) as faulty:
            with pytest.raises(InvalidStatus) as refused:
                async with phoenix(faulty.supabase_url, faulty.anon_key):
                    pass
            assert refused.value.response.status_code == status
            assert json.loads(refused.value.response.body or b"") == {"error": error}

    run(test())


def test_a_subscription_never_becomes_live_and_a_socket_goes_deaf(stage: RunningStage) -> None:
    async def test() -> None:
        faults = ("realtime_no_system_rate=1", "realtime_deaf_rate=1")
        with running_stage(*faults, database_url=stage.database_url) as faulty:
            async with phoenix(faulty.supabase_url, faulty.anon_key) as client:
                assert (await client.join("realtime:a", postgres_changes=[MESSAGES]))["status"] == "ok"
                await client.push("phoenix", "heartbeat", {})
                await client.push("realtime:a", "phx_leave", {})
                await client.wait_for(lambda frame: frame["event"] == "phx_close")
                assert [frame["event"] for frame in client.frames] == ["phx_reply", "phx_reply", "phx_close"]

    run(test())


@pytest.mark.parametrize(
    ("fault", "code"),
    [("realtime_cut_every_s=1", None), ("realtime_close_every_s=1", 1000)],
    ids=["cut", "closed"],
)
def test_sockets_end_every_so_often(stage: RunningStage, fault: str, code: int | None) -> None:
    async def test() -> None:
        with running_stage(fault, database_url=stage.database_url) as faulty:
            async with phoenix(faulty.supabase_url, faulty.anon_key) as client:
                await client.closed()
                received = client.connection.protocol.close_rcvd
                assert (None if received is None else received.code) == code

    run(test())


def test_a_token_expires_in_the_life_of_a_channel(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "token_lifetime_s=2") as (faulty, client, person, _):
            system = await client.system("realtime:a", 2)
            assert (system["extension"], system["status"]) == ("system", "error")
            assert system["message"].startswith("Token has expired ")
            await client.wait_for(lambda frame: frame["event"] == "phx_close")
            reply = await client.join("realtime:again", person.token)
            assert reply["response"]["reason"].startswith("InvalidJWTToken: Token has expired ")
            with pytest.raises(InvalidStatus) as refused:
                async with phoenix(faulty.supabase_url, person.token):
                    pass
            assert json.loads(refused.value.response.body or b"") == {"error": "Token has expired"}

    run(test())


def test_a_token_can_be_made_to_expire_early(stage: RunningStage) -> None:
    async def test() -> None:
        async with listening(stage, "realtime_token_life_s=0.5") as (_, client, _, _):
            assert (await client.system("realtime:a", 2))["message"] == "Token has expired 0 seconds ago"
            await client.wait_for(lambda frame: frame["event"] == "phx_close")

    run(test())
