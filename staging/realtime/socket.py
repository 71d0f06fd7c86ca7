"""One WebSocket: its handshake, its frames in and out, and the channels on it.

Frames to a client wait in a bounded queue of its own: a client that reads too slowly is cut off and holds up nobody.
"""

import asyncio
from collections import deque
from urllib.parse import parse_qs

import orjson
from starlette.types import Message, Receive, Scope, Send

from staging.realtime.binding import parse_join
from staging.realtime.channel import Channel, Services
from staging.realtime.credentials import Credentials, RefusedError, authorize
from staging.realtime.frames import Incoming, MalformedFrameError, Version, decode, encode

__all__ = ["SocketEndpoint"]

# Frames that wait for one client; about 5 MB of events. The server that this one stands for keeps no count.
MAX_WAITING = 5_000
# Phoenix closes a connection on which nothing arrived for so long; heartbeats come every 25 s.
IDLE_S = 60.0
# Of one socket, as on Supabase.
MAX_CHANNELS = 100

CLOSE_NORMAL = 1000


class SocketEndpoint:
    """The ASGI application at /realtime/v1/websocket."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        query = {
            name: values[0] for name, values in parse_qs(scope["query_string"].decode("latin-1")).items()
        }
        await receive()  # websocket.connect
        faults = self._services.faults
        version = _version(query.get("vsn", Version.V1.value))
        token = _header(scope, b"x-api-key") or query.get("apikey")
        if faults.hit("realtime_refuse_socket_rate"):
            await _refuse(send, 429, "Too many connected users")
        elif token is None:
            await _refuse(send, 401, "API key is missing")
        elif version is None:
            await _refuse(send, 403, "")
        else:
            try:
                credentials = authorize(self._services.tokens, token)
                if faults.hit("realtime_unauthorized_rate"):
                    raise RefusedError("JwtSignatureError", "Failed to validate JWT signature")
            except RefusedError as refused:
                await _refuse(send, 401, refused.at_handshake)
                return
            await send({"type": "websocket.accept"})
            await _Socket(self._services, version, credentials).run(receive, send)


def _version(text: str) -> Version | None:
    """Phoenix takes any 1.x for the first serializer and any 2.x for the second."""
    return {"1": Version.V1, "2": Version.V2}.get(text.partition(".")[0])


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


async def _refuse(send: Send, status: int, message: str) -> None:
    body = orjson.dumps({"error": message}) if message else b""
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


class _Socket:
    """An accepted connection. Ends when the client goes, when it is cut, or when it is closed."""

    def __init__(self, services: Services, version: Version, credentials: Credentials) -> None:
        self.version = version
        self.is_deaf = services.faults.hit("realtime_deaf_rate")
        self._services = services
        self._credentials = credentials
        self._channels: dict[str, Channel] = {}
        self._waiting: deque[str | bytes] = deque()
        self._wake = asyncio.Event()
        self._cut = asyncio.Event()
        self._close_code: int | None = None
        self._heard_at_s = asyncio.get_running_loop().time()

    async def run(self, receive: Receive, send: Send) -> None:
        """Serve the connection to its end. Returning without a close frame cuts it."""
        self._services.hub.sockets.add(self)
        tasks = [
            asyncio.create_task(self._read(receive), name="socket reader"),
            asyncio.create_task(self._write(send), name="socket writer"),
            asyncio.create_task(self._idle(), name="socket idle"),
            asyncio.create_task(self._cut.wait(), name="socket cut"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._services.hub.sockets.discard(self)
            for channel in list(self._channels.values()):
                channel.close()
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, Exception) and not isinstance(
                outcome, OSError
            ):  # OSError: the client is gone
                raise outcome

    # As the hub sees it

    def cut(self) -> None:
        """Drop the connection without a close frame."""
        self._cut.set()

    def close(self, code: int) -> None:
        """Close, once what waits has been sent."""
        self._close_code = code
        self._wake.set()

    # As its channels see it

    def send(self, frame: str | bytes) -> None:
        """Queue a frame."""
        if len(self._waiting) >= MAX_WAITING:
            self._cut.set()
            return
        self._waiting.append(frame)
        self._wake.set()

    def push(
        self, topic: str, event: str, payload: object, ref: str | None = None, join_ref: str | None = None
    ) -> None:
        """Queue an event."""
        self.send(encode(self.version, topic, event, payload, ref=ref, join_ref=join_ref))

    def reply(self, to: Incoming, status: str, response: object) -> None:
        """Queue an answer."""
        self.push(
            to.topic, "phx_reply", {"status": status, "response": response}, ref=to.ref, join_ref=to.join_ref
        )

    def forget(self, channel: Channel) -> None:
        """The channel is closed."""
        if self._channels.get(channel.topic) is channel:
            del self._channels[channel.topic]

    # Its tasks

    async def _write(self, send: Send) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                frame = self._waiting.popleft()
                await send({"type": "websocket.send", "text" if isinstance(frame, str) else "bytes": frame})
            if self._close_code is not None:
                await send({"type": "websocket.close", "code": self._close_code})
                return

    async def _read(self, receive: Receive) -> None:
        while True:
            message: Message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            self._heard_at_s = asyncio.get_running_loop().time()
            data = message.get("text")
            try:
                self._handle(decode(self.version, message["bytes"] if data is None else data))
            except MalformedFrameError:
                continue  # dropped, and the connection stays up, as on Supabase

    async def _idle(self) -> None:
        while (left_s := self._heard_at_s + IDLE_S - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(left_s)
        self.close(CLOSE_NORMAL)
        await asyncio.Event().wait()  # until the writer has said so

    def _handle(self, message: Incoming) -> None:
        if message.topic == "phoenix":
            if message.event == "heartbeat" and not self.is_deaf:
                self.reply(message, "ok", {})
        elif message.event == "phx_join":
            self._join(message)
        elif (channel := self._channels.get(message.topic)) is None:
            if message.event == "phx_leave":
                self.reply(message, "ok", {})
            else:
                self.reply(message, "error", {"reason": "unmatched topic"})
        elif message.event == "phx_leave" and message.join_ref not in (None, channel.join_ref):
            self.reply(message, "ok", {})  # it meant a channel that a later join has replaced
        else:
            channel.handle(message)

    def _join(self, message: Incoming) -> None:
        if not message.topic.startswith("realtime:"):
            self.reply(message, "error", {"reason": "unmatched topic"})
            return
        earlier = self._channels.get(message.topic)
        if earlier is not None:
            earlier.close_and_tell()
        config = parse_join(message.payload)
        name = message.topic.removeprefix("realtime:")
        try:
            if not name:
                raise RefusedError("TopicNameRequired", "You must provide a topic name")
            if self._services.faults.hit("realtime_refuse_join_rate"):
                raise RefusedError(
                    "UnableToConnectToProject", "Realtime was unable to connect to the project database"
                )
            if len(self._channels) >= MAX_CHANNELS:
                raise RefusedError("ChannelRateLimitReached", "Too many channels")
            credentials = self._credentials_of(message.payload)
            if config.private:
                # What a private channel may do stands in policies of realtime.messages; there are none here.
                raise RefusedError(
                    "Unauthorized", f"You do not have permissions to read from this Channel topic: {name}"
                )
        except RefusedError as refused:
            self.reply(message, "error", {"reason": f"{refused.code}: {refused.message}"})
            return
        channel = Channel(self._services, self, message, config, credentials)
        self._channels[message.topic] = channel
        self.reply(message, "ok", config.reply())
        channel.open()

    def _credentials_of(self, payload: object) -> Credentials:
        """The join's own token if it has one, otherwise the connection's.

        Raises:
            RefusedError: it is not accepted.
        """
        given = payload if isinstance(payload, dict) else {}
        user_token, access_token = given.get("user_token"), given.get("access_token")
        if isinstance(access_token or user_token, str) and str(access_token or user_token).startswith("sb_"):
            return self._credentials
        token = next((token for token in (user_token, access_token) if isinstance(token, str)), None)
        return self._credentials if token is None else authorize(self._services.tokens, token)
