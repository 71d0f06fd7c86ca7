"""Channels over real sockets: joining, tokens, heartbeats, broadcast, and what is refused, in Supabase's words."""

import asyncio
import base64
import json
import time
from collections.abc import Coroutine

import httpx
import jwt
import pytest
from websockets.exceptions import InvalidStatus

from tests.staging.realtime.phoenix import phoenix
from tests.staging.stages import RunningStage

V1, V2 = "1.0.0", "2.0.0"
MESSAGES = {"event": "*", "schema": "public", "table": "chat_messages"}


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(test)


def forged(**claims: object) -> str:
    """A token of our own making, signed with another secret."""
    return jwt.encode(claims, "another secret, which is long enough", algorithm="HS256")


def without_signature(token: str, **changes: object) -> str:
    """A genuine token whose claims were changed afterwards."""
    head, body, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    body = base64.urlsafe_b64encode(json.dumps({**claims, **changes}).encode()).decode().rstrip("=")
    return f"{head}.{body}.{signature}"


# The handshake


@pytest.mark.parametrize("path", ["/realtime/v1/websocket", "/socket/websocket"])
@pytest.mark.parametrize("version", [None, V1, V2])
def test_answers_heartbeats(stage: RunningStage, path: str, version: str | None) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key, version, path) as client:
            ref = await client.push("phoenix", "heartbeat", {})
            assert await client.reply_to(ref) == {"status": "ok", "response": {}}

    run(test())


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (None, "API key is missing"),
        ("nonsense", "The token provided is not a valid JWT"),
        (forged(role="anon", exp=int(time.time()) + 60), "Failed to validate JWT signature"),
    ],
)
def test_refuses_a_bad_key_at_the_handshake(stage: RunningStage, key: str | None, error: str) -> None:
    async def test() -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with phoenix(stage.supabase_url, key):
                pass
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body or b"") == {"error": error}

    run(test())


def test_drops_what_is_no_frame_and_stays_up(stage: RunningStage) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            for junk in ("{", "[]", b"\x03", "{}"):
                await client.connection.send(junk)
            ref = await client.push("phoenix", "heartbeat", {})
            assert (await client.reply_to(ref))["status"] == "ok"
            assert len(client.frames) == 1

    run(test())


# Joining


@pytest.mark.parametrize("version", [V1, V2])
def test_joins_subscribes_and_leaves(stage: RunningStage, version: str) -> None:
    async def test() -> None:
        person = stage.person()
        async with phoenix(stage.supabase_url, stage.anon_key, version) as client:
            entry = {**MESSAGES, "filter": "seq=gt.0"}
            reply = await client.join("realtime:a", person.token, postgres_changes=[entry, MESSAGES])
            first, second = reply["response"]["postgres_changes"]
            assert reply["status"] == "ok"
            assert {key: first[key] for key in entry} == entry
            assert first["id"] != second["id"]
            assert await client.system("realtime:a") == {
                "extension": "postgres_changes",
                "status": "ok",
                "message": "Subscribed to PostgreSQL",
                "channel": "a",
            }
            leave = await client.push("realtime:a", "phx_leave", {}, join_ref="1")
            assert await client.reply_to(leave) == {"status": "ok", "response": {}}
            close = await client.wait_for(lambda frame: frame["event"] == "phx_close")
            assert close["payload"] == {}
            late = await client.push("realtime:a", "broadcast", {"event": "x"})
            assert await client.reply_to(late) == {
                "status": "error",
                "response": {"reason": "unmatched topic"},
            }

    run(test())


def test_joining_twice_closes_the_earlier_channel(stage: RunningStage) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key, V2) as client:
            await client.join("realtime:a")
            assert (await client.join("realtime:a"))["status"] == "ok"
            close = await client.wait_for(lambda frame: frame["event"] == "phx_close")
            assert close["join_ref"] == "1"
            stale = await client.push("realtime:a", "phx_leave", {}, join_ref="1")
            assert (await client.reply_to(stale))["status"] == "ok"
            ref = await client.push("realtime:a", "presence", {"event": "track", "payload": {}}, join_ref="2")
            assert (await client.reply_to(ref))["status"] == "ok"

    run(test())


def test_presence_is_there_and_empty(stage: RunningStage) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            await client.join("realtime:a", presence={"key": "", "enabled": True})
            await client.wait_for(lambda frame: frame["event"] == "presence_state" and frame["payload"] == {})

    run(test())


@pytest.mark.parametrize(
    ("topic", "config", "reason"),
    [
        ("realtime:", {}, "TopicNameRequired: You must provide a topic name"),
        ("room", {}, "unmatched topic"),
        (
            "realtime:a",
            {"private": True},
            "Unauthorized: You do not have permissions to read from this Channel topic: a",
        ),
    ],
)
def test_refuses_a_join(stage: RunningStage, topic: str, config: dict[str, bool], reason: str) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            reply = await client.join(topic, **config)
            assert reply == {"status": "error", "response": {"reason": reason}}

    run(test())


def test_refuses_the_hundred_and_first_channel(stage: RunningStage) -> None:
    async def test() -> None:
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            for number in range(100):
                assert (await client.join(f"realtime:{number}"))["status"] == "ok"
            reply = await client.join("realtime:100")
            assert reply["response"] == {"reason": "ChannelRateLimitReached: Too many channels"}

    run(test())


def test_refuses_a_join_with_a_bad_token(stage: RunningStage) -> None:
    async def test() -> None:
        person = stage.person()
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            for number, (token, reason) in enumerate(
                (
                    ("nonsense", "MalformedJWT: The token provided is not a valid JWT"),
                    (
                        without_signature(person.token, sub="0"),
                        "JwtSignatureError: Failed to validate JWT signature",
                    ),
                )
            ):
                reply = await client.join(f"realtime:{number}", token)
                assert reply == {"status": "error", "response": {"reason": reason}}

    run(test())


# Subscriptions that cannot be


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"event": "*", "schema": "public", "table": "accounts"},
            (
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given "
                "connect parameters: [event: *, schema: public, table: accounts, filters: [], select: nil]"
            ),
        ),
        (
            {"event": "INSERT", "schema": "public", "table": "nonesuch"},
            (
                "Unable to subscribe to changes with given parameters. Please check Realtime is enabled for the given "
                "connect parameters: [event: INSERT, schema: public, table: nonesuch, filters: [], select: nil]"
            ),
        ),
        (
            {**MESSAGES, "filter": "nonesuch=eq.1"},
            (
                "Unable to subscribe to changes with given parameters. An exception happened so please check your "
                "connect parameters: [event: *, schema: public, table: chat_messages, "
                'filters: [{"nonesuch", "eq", "1", false}], select: nil]. '
                "Exception: ERROR P0001 (raise_exception) invalid column for filter nonesuch"
            ),
        ),
        (
            {**MESSAGES, "filter": "chat_id=eq.1"},
            (
                "Unable to subscribe to changes with given parameters. An exception happened so please check your "
                "connect parameters: [event: *, schema: public, table: chat_messages, "
                'filters: [{"chat_id", "eq", "1", false}], select: nil]. Exception: '
                'ERROR 22P02 (invalid_text_representation) invalid input syntax for type uuid: "1"'
            ),
        ),
        ({**MESSAGES, "filter": "chat_id=foo.1"}, 'Error parsing `filter` params: ["foo", "1"]'),
        (
            {**MESSAGES, "filter": f"seq=in.({','.join(map(str, range(101)))})"},
            "too many values for `in` filter",
        ),
    ],
    ids=[
        "not published",
        "no such table",
        "no such column",
        "wrong type",
        "unknown operator",
        "too many values",
    ],
)
def test_says_why_it_cannot_subscribe(stage: RunningStage, entry: dict[str, str], message: str) -> None:
    async def test() -> None:
        person = stage.person()
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            assert (await client.join("realtime:a", person.token, postgres_changes=[entry]))["status"] == "ok"
            system = await client.system("realtime:a")
            assert (system["extension"], system["status"], system["channel"]) == (
                "postgres_changes",
                "error",
                "a",
            )
            assert message in system["message"]

    run(test())


# Tokens in the life of a channel


def test_a_new_token_subscribes_anew_and_an_old_one_does_not(stage: RunningStage) -> None:
    async def test() -> None:
        ann, ben = stage.person(), stage.person()
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            await client.subscribe("realtime:a", ann.token, **MESSAGES)
            for token in (ann.token, None, "sb_publishable_x"):
                await client.push("realtime:a", "access_token", {"access_token": token})
            await client.push("realtime:a", "access_token", {"access_token": ben.token})
            assert (await client.system("realtime:a", 2))["message"] == "Subscribed to PostgreSQL"
            ref = await client.push("phoenix", "heartbeat", {})
            await client.reply_to(ref)
            assert len(client.events("system")) == 2

    run(test())


def test_a_bad_token_ends_the_channel(stage: RunningStage) -> None:
    async def test() -> None:
        person = stage.person()
        async with phoenix(stage.supabase_url, stage.anon_key) as client:
            await client.subscribe("realtime:a", person.token, **MESSAGES)
            await client.push("realtime:a", "access_token", {"access_token": "nonsense"})
            assert await client.system("realtime:a", 2) == {
                "extension": "system",
                "status": "error",
                "message": "The token provided is not a valid JWT",
                "channel": "a",
            }
            await client.wait_for(lambda frame: frame["event"] == "phx_close")

    run(test())


# Broadcast


def test_broadcasts_to_others_with_and_without_self_and_acknowledgement(stage: RunningStage) -> None:
    async def test() -> None:
        async with (
            phoenix(stage.supabase_url, stage.anon_key) as ann,
            phoenix(stage.supabase_url, stage.anon_key, V2) as ben,
        ):
            await ann.join("realtime:room", broadcast={"ack": True, "self": True})
            await ben.join("realtime:room")
            payload = {"type": "broadcast", "event": "typing", "payload": {"who": "ann"}}
            ref = await ann.push("realtime:room", "broadcast", payload)
            assert await ann.reply_to(ref) == {"status": "ok", "response": {}}
            for client in (ann, ben):
                heard = await client.wait_for(lambda frame: frame["event"] == "broadcast")
                assert heard["payload"] == payload
            binary = bytes((3, 0, 0, 13, 4, 0, 1)) + b"realtime:room" + b"wave" + b'{"to":"ann"}'
            await ben.connection.send(binary)
            await ann.wait_for(lambda frame: frame["payload"].get("event") == "wave")
            assert len(ann.events("phx_reply")) == 2
            assert len(ben.events("phx_reply")) == 1
            assert len(ben.events("broadcast")) == 1

    run(test())


def test_broadcasts_over_http(stage: RunningStage) -> None:
    async def test() -> None:
        url = f"{stage.supabase_url}/realtime/v1/api/broadcast"
        message = {"topic": "room2", "event": "typing", "payload": {"who": "server"}}
        async with phoenix(stage.supabase_url, stage.anon_key) as client, httpx.AsyncClient() as http:
            await client.join("realtime:room2")
            key = {"apikey": stage.anon_key}
            private = {**message, "event": "secret", "private": True}
            sent = await http.post(url, headers=key, json={"messages": [private, message]})
            assert (sent.status_code, sent.content) == (202, b"")
            heard = await client.wait_for(lambda frame: frame["event"] == "broadcast")
            assert heard["payload"] == {"type": "broadcast", "event": "typing", "payload": {"who": "server"}}
            assert (await http.post(url, json={"messages": [message]})).status_code == 401
            bad = await http.post(url, headers=key, json={"messages": [{"topic": "room2"}]})
            assert bad.status_code == 422
            assert bad.json() == {
                "errors": {"messages": [{"payload": ["can't be blank"], "event": ["can't be blank"]}]}
            }

    run(test())
