"""A client of Phoenix channels for tests: says what it is told, and keeps whatever comes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

WAIT_S = 10.0

Frame = dict[str, Any]


class Phoenix:
    """A connection. Frames are objects with topic, event, payload, ref and join_ref, whatever the serializer."""

    def __init__(self, connection: ClientConnection, version: str) -> None:
        self.connection = connection
        self.frames: list[Frame | bytes] = []
        self._version = version
        self._ref = 0
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for data in self.connection:
            async with self._arrived:
                self.frames.append(data if isinstance(data, bytes) else self._decoded(json.loads(data)))
                self._arrived.notify_all()

    def _decoded(self, message: Any) -> Frame:
        if self._version.startswith("2"):
            return dict(zip(("join_ref", "ref", "topic", "event", "payload"), message, strict=True))
        assert set(message) == {"topic", "event", "payload", "ref"}
        return message

    async def push(self, topic: str, event: str, payload: Any, join_ref: str | None = None) -> str:
        """Send, and answer the reference used."""
        self._ref += 1
        ref = str(self._ref)
        message: Any = {"topic": topic, "event": event, "payload": payload, "ref": ref, "join_ref": join_ref}
        if self._version.startswith("2"):
            message = [join_ref, ref, topic, event, payload]
        await self.connection.send(json.dumps(message))
        return ref

    async def wait_until(self, condition: Callable[[], Any]) -> None:
        """Wait until it holds; it is looked at whenever a frame has come. Bounded."""
        try:
            async with asyncio.timeout(WAIT_S), self._arrived:
                await self._arrived.wait_for(condition)
        except TimeoutError:
            raise AssertionError(f"never came to hold; the last frames: {self.frames[-10:]}") from None

    async def wait_for(self, wanted: Callable[[Frame], Any]) -> Frame:
        """The first frame of which `wanted` is true, also if it came before. Bounded."""
        seen = 0
        found: Frame | None = None

        def look() -> bool:
            nonlocal seen, found
            while found is None and seen < len(self.frames):
                frame = self.frames[seen]
                seen += 1
                if isinstance(frame, dict) and wanted(frame):
                    found = frame
            return found is not None

        await self.wait_until(look)
        assert found is not None
        return found

    async def reply_to(self, ref: str) -> Any:
        """The payload of the answer to a push."""
        return (await self.wait_for(lambda f: f["event"] == "phx_reply" and f["ref"] == ref))["payload"]

    async def join(self, topic: str, token: str | None = None, **config: Any) -> Any:
        """Join; the reply's payload."""
        payload: Frame = {"config": config}
        if token is not None:
            payload["access_token"] = token
        ref = str(self._ref + 1)
        return await self.reply_to(await self.push(topic, "phx_join", payload, join_ref=ref))

    async def system(self, topic: str, number: int = 1) -> Any:
        """The payload of the topic's first (second, ...) `system` message."""
        await self.wait_until(lambda: len(self.events("system", topic)) >= number)
        return self.events("system", topic)[number - 1]

    async def subscribe(self, topic: str, token: str | None, **entry: Any) -> int:
        """Join with one `postgres_changes` entry, and wait until it is live; its id."""
        reply = await self.join(topic, token, postgres_changes=[entry])
        assert reply["status"] == "ok", reply
        system = await self.system(topic)
        assert system["message"] == "Subscribed to PostgreSQL", system
        return int(reply["response"]["postgres_changes"][0]["id"])

    def events(self, event: str, topic: str | None = None) -> list[Any]:
        """The payloads of all such events that have come."""
        return [
            frame["payload"]
            for frame in self.frames
            if isinstance(frame, dict) and frame["event"] == event and topic in (None, frame["topic"])
        ]

    def changes(self, topic: str | None = None) -> list[Any]:
        """The `data` of all database changes that have come."""
        return [payload["data"] for payload in self.events("postgres_changes", topic)]

    async def change(self, wanted: Callable[[Any], Any]) -> Any:
        """The `data` of the first database change of which `wanted` is true."""
        frame = await self.wait_for(
            lambda f: f["event"] == "postgres_changes" and wanted(f["payload"]["data"])
        )
        return frame["payload"]["data"]

    async def closed(self) -> None:
        """Wait until the server has ended the connection."""
        async with asyncio.timeout(WAIT_S):
            await asyncio.wait([self._reader])

    async def close(self) -> None:
        """Close, and stop reading."""
        await self.connection.close()
        await asyncio.gather(self._reader, return_exceptions=True)


@asynccontextmanager
async def phoenix(
    supabase_url: str, key: str | None, version: str | None = "1.0.0", path: str = "/realtime/v1/websocket"
) -> AsyncIterator[Phoenix]:
    """A connection with this API key."""
    query = {name: value for name, value in (("apikey", key), ("vsn", version)) if value is not None}
    url = f"ws{supabase_url.removeprefix('http')}{path}?{urlencode(query)}"
    connection = await connect(url, compression=None, open_timeout=WAIT_S, max_size=None)
    client = Phoenix(connection, version or "1.0.0")
    try:
        yield client
    finally:
        await client.close()
