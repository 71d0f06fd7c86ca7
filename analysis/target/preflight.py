"""Is the target as it must be? One look at each part, in the order in which a person would mend them."""

import os
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import asyncpg
import httpx
import websockets
from websockets.asyncio.client import connect as open_websocket

from analysis.errors import ConfigurationError, TargetError
from analysis.settings import Settings, Transport, app_url
from analysis.target.accounts import Accounts, said
from analysis.target.database import connect, place, refusals, sql
from analysis.target.migrations import read_states

TIMEOUT_S = 10.0
TRANSACTION_POOLER_PORT = (
    6543  # Supabase's pooler in transaction mode: each statement may meet another session
)


@dataclass(frozen=True, slots=False)
class Check:
    """Something that was looked at and found right."""

    check: str
    ok: bool
    detail: str


async def examine(host: str, settings: Settings) -> list[Check]:
    """Look at everything that a run needs.

    Raises:
        ChatsoakError: for the first thing that is wrong: what, where, what is expected and what to do.
    """
    return [check async for check in _checks(app_url(host), settings)]


async def _checks(host: str, settings: Settings) -> AsyncIterator[Check]:
    yield _reports(settings)
    yield await _app(host, settings)
    yield await _anon_key(settings)
    yield await _accounts(settings)
    yield await _realtime(settings)
    connection = await connect(settings)
    try:
        yield _database(connection, settings)
        with refusals(settings, "Looking at the schema", "may the user of DATABASE_URL read it"):
            yield await _schema(connection, settings)
            yield await _migrations(connection, settings)
    finally:
        await connection.close()


def _reports(settings: Settings) -> Check:
    folder = settings.chatsoak_reports_dir
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"The folder {folder} for reports cannot be written ({error.strerror}); "
            "make it writable, or set CHATSOAK_REPORTS_DIR to another one."
        ) from None
    return Check("reports", True, f"{folder} can be written")


async def _app(host: str, settings: Settings) -> Check:
    _resolves(host, "--host")
    rest = settings.chatsoak_transport is Transport.REST
    path = "/" if rest else settings.chatsoak_messages_path
    answer = await _get(f"{host}{path}", "the app", "--host")
    # Without a session the app must refuse; 404 and 405 mean that it has no such endpoint at all.
    if not rest and answer.status_code in (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED):
        raise TargetError(
            f"The app at {host} has no {path} ({answer.status_code}); set CHATSOAK_MESSAGES_PATH to its messages "
            "endpoint, or CHATSOAK_TRANSPORT=rest if its clients insert through Supabase."
        )
    if answer.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise TargetError(
            f"The app at {host} answers {path} with {answer.status_code}; mend it before you load it."
        )
    return Check(
        "app",
        True,
        f"{host}{path} answers {answer.status_code} in {answer.elapsed.total_seconds() * 1000:.0f} ms",
    )


async def _anon_key(settings: Settings) -> Check:
    url = settings.next_public_supabase_url
    _resolves(url, "NEXT_PUBLIC_SUPABASE_URL")
    key = settings.next_public_supabase_anon_key.get_secret_value()
    answer = await _get(f"{url}/auth/v1/settings", "Supabase", "NEXT_PUBLIC_SUPABASE_URL", {"apikey": key})
    if answer.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise TargetError(
            f"Supabase at {url} refuses NEXT_PUBLIC_SUPABASE_ANON_KEY ({said(answer)}); "
            "take the anon key from the project's API settings."
        )
    if answer.is_error:
        raise TargetError(
            f"Supabase at {url} answers {said(answer)} to /auth/v1/settings; is NEXT_PUBLIC_SUPABASE_URL a Supabase project?"
        )
    return Check("supabase", True, f"{url} takes the anon key")


async def _accounts(settings: Settings) -> Check:
    async with Accounts(settings) as accounts:
        ours = await accounts.ours()
        if ours:
            await accounts.check_sign_in(min(ours))
    detail = f"{len(ours)} people of earlier runs, who can sign in" if ours else "no people of earlier runs"
    return Check("auth", True, f"takes the service role key; {detail}")


async def _realtime(settings: Settings) -> Check:
    url = settings.next_public_supabase_url
    address = "ws" + url.removeprefix("http") + "/realtime/v1/websocket"
    key = quote(settings.next_public_supabase_anon_key.get_secret_value())
    started = time.monotonic()
    try:
        async with open_websocket(
            f"{address}?apikey={key}&vsn=1.0.0", open_timeout=TIMEOUT_S, ping_interval=None
        ):
            pass
    except websockets.InvalidStatus as refused:
        raise TargetError(
            f"Supabase Realtime at {address} refuses the WebSocket with {refused.response.status_code}; "
            "is Realtime enabled for the project, and is the anon key of this project?"
        ) from None
    except (OSError, TimeoutError, websockets.WebSocketException) as error:
        raise TargetError(
            f"Supabase Realtime at {address} cannot be reached ({type(error).__name__}); is Realtime enabled?"
        ) from None
    return Check("realtime", True, f"{address} opens in {(time.monotonic() - started) * 1000:.0f} ms")


def _database(connection: asyncpg.Connection, settings: Settings) -> Check:
    where = place(settings)
    if f".pooler.supabase.com:{TRANSACTION_POOLER_PORT}/" in where:
        raise ConfigurationError(
            f"DATABASE_URL leads to the transaction pooler ({where}), on which the monitor's session settings do not hold; "
            "expected the direct connection or the session pooler: set its port to 5432."
        )
    version = connection.get_server_version()
    return Check("database", True, f"{where} is PostgreSQL {version.major}.{version.minor}")


async def _schema(connection: asyncpg.Connection, settings: Settings) -> Check:
    missing = [row["name"] for row in await connection.fetch(sql("target/missing_tables"))]
    if missing:
        raise TargetError(
            f"The database {place(settings)} lacks the app's tables {', '.join(missing)}; "
            "is it the right database? Copy the app's schema into it before the migrations."
        )
    return Check("schema", True, "the app's tables are there")


async def _migrations(connection: asyncpg.Connection, settings: Settings) -> Check:
    for state in await read_states(connection):
        if not state.in_place:
            missing = ", ".join(state.missing[:3])
            raise TargetError(
                f"The database {place(settings)} lacks migration {state.number:02} ({missing}); "
                f"apply it with chatsoak migrate, or psql -f sql/{state.name}.sql."
            )
    return Check("migrations", True, "01, 02 and 03 are in place")


def _resolves(url: str, setting: str) -> None:
    try:
        host = urlsplit(url).hostname
        port = urlsplit(url).port
    except ValueError as error:
        raise ConfigurationError(
            f"{setting} {url}: {error}; expected a URL such as https://staging.example.com."
        ) from None
    if not url.startswith(("http://", "https://")) or host is None:
        raise ConfigurationError(f"{setting} {url}: expected a URL such as https://staging.example.com.")
    try:
        socket.getaddrinfo(host, port or 443)
    except (socket.gaierror, UnicodeError):
        raise TargetError(f"{setting} {url}: there is no host named {host}; correct the name.") from None


async def _get(url: str, what: str, setting: str, headers: dict[str, str] | None = None) -> httpx.Response:
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            return await client.get(url, headers=headers)
    except httpx.ConnectError as error:
        certificate = "certificate" in str(error).lower()
        why = "its certificate is not trusted" if certificate else "nothing listens there"
    except httpx.TimeoutException:
        why = f"it did not answer within {TIMEOUT_S:.0f} s"
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = f"it does not speak HTTP as expected ({type(error).__name__})"
    base = "{0.scheme}://{0.netloc}".format(urlsplit(url))
    raise TargetError(
        f"{what[0].upper()}{what[1:]} at {base} cannot be reached: {why}; start it, or correct {setting}."
    )
