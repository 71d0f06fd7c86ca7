"""One server on one loopback port: the app, and Supabase's Auth, REST and Realtime beside it."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import uvicorn
from starlette.applications import Starlette
from starlette.routing import BaseRoute

from staging import misdeeds
from staging.app import app_routes
from staging.auth import auth_routes
from staging.database import open_pool
from staging.errors import StageError
from staging.faults import Faults
from staging.realtime import Realtime
from staging.rest import rest_routes
from staging.stage import Stage
from staging.tokens import Tokens

HOST = "127.0.0.1"
POOL_SIZE = 20
BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Door:
    """Where the environment will be found; taken before anything else is started."""

    listener: socket.socket

    @property
    def url(self) -> str:
        """The app's URL and Supabase's: they share a port."""
        return f"http://{HOST}:{self.listener.getsockname()[1]}"


def open_door(port: int) -> Door:
    """Take the port (0 = any free one).

    Raises:
        StageError: somebody else has it.
    """
    # The protocol is named, because asyncio sets TCP_NODELAY on sockets of IPPROTO_TCP only; without it,
    # every answer waits up to 40 ms for the client's acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise StageError(
            f"--port {port}: it cannot be taken on {HOST} ({error}); choose another one, or 0 for any that is free."
        ) from error
    listener.listen(BACKLOG)
    return Door(listener)


@contextlib.asynccontextmanager
async def open_stage(dsn: str, url: str, faults: Faults, secret: str) -> AsyncIterator[Stage]:
    """A stage over the database `dsn`, which has the schema already."""
    tokens = Tokens(secret, issuer=f"{url}/auth/v1")
    pool = await open_pool(dsn, POOL_SIZE)
    try:
        await misdeeds.prepare(pool, faults)
        yield Stage(
            pool=pool,
            dsn=dsn,
            tokens=tokens,
            faults=faults,
            anon_key=tokens.api_key("anon"),
            service_role_key=tokens.api_key("service_role"),
        )
    finally:
        with contextlib.suppress(TimeoutError, asyncpg.PostgresError, OSError):
            await asyncio.wait_for(pool.close(), 2)  # a request may hang in a database that is gone
        pool.terminate()


def new_secret() -> str:
    """A secret for signing tokens."""
    return secrets.token_urlsafe(48)


async def serve(stage: Stage, door: Door, stopping: asyncio.Event) -> None:
    """Serve until `stopping` is set."""
    realtime = Realtime(stage)
    feed = asyncio.create_task(realtime.run(), name="realtime feed")
    routes: list[BaseRoute] = [
        *app_routes(stage),
        *auth_routes(stage),
        *rest_routes(stage),
        *realtime.routes(),
    ]
    server = uvicorn.Server(
        uvicorn.Config(
            Starlette(routes=routes),
            http="httptools",
            ws="websockets-sansio",
            lifespan="off",
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=75,  # as nginx; uvicorn's own 5 s end many a connection in the moment it is used again
            ws_ping_interval=None,  # Phoenix has heartbeats of its own
            ws_max_size=5_000_000,
            ws_per_message_deflate=False,  # Supabase does not compress either
        )
    )
    serving = asyncio.create_task(server._serve([door.listener]), name="http")
    waiting = asyncio.create_task(stopping.wait())
    await asyncio.wait({feed, serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    feed.cancel()
    waiting.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    ended = await asyncio.gather(feed, return_exceptions=True)
    if isinstance(ended[0], Exception) and not stopping.is_set():
        raise ended[0]
