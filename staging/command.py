"""The command line: ``python -m staging``, which is what ``chatsoak stage`` runs."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TextIO

from staging.errors import StageError
from staging.faults import DECLARED, Faults
from staging.postgres import Postgres, borrowed
from staging.watchdog import die_with_parent

EXAMPLE = """\
example:
  chatsoak stage --port 8010 --env-file .env.stage.local
  locust -f locustfiles/chat.py --host http://127.0.0.1:8010 --env-file .env.stage.local

faults (all off unless named; a share is 0 to 1):
"""


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Returns the exit code: 0, or 2 when it cannot start as asked."""
    parent = os.getppid()
    die_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        return 0  # our parent ended while we started
    # Closed by whoever started us: the next file that is opened would have their number, and Uvicorn expects both.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - to the end
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115 - to the end
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_run(options))
    except StageError as error:
        _print(f"chatsoak stage: {error}", sys.stderr)
        return 2
    return 0


async def _run(options: argparse.Namespace) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    faults = Faults(options.fault)
    if options.env_file:
        _check_env_file(options.env_file)
    # Imported late: `--help` and a wrong option answer at once, and a missing extra has a sentence of its own.
    try:
        from staging import schema, server  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise StageError(
            f"The embedded staging environment needs {error.name}: run pip install 'chatsoak[staging]'."
        ) from None
    door = server.open_door(options.port)
    started = time.monotonic()
    postgres = None if options.database_url else Postgres(options.data)
    try:
        if postgres is None:
            dsn = options.database_url
            await borrowed(dsn)
        else:
            _say("Starting PostgreSQL")
            await postgres.start()
            dsn = postgres.dsn
        _say("Applying the schema and the migrations")
        await schema.apply(dsn)
        secret = _secret(options.data)
        async with server.open_stage(dsn, door.url, faults, secret) as stage:
            details = {
                "app_url": door.url,
                "supabase_url": door.url,
                "anon_key": stage.anon_key,
                "service_role_key": stage.service_role_key,
                "database_url": dsn,
                "pid": os.getpid(),
            }
            if options.env_file:
                _write_env_file(options.env_file, details)
            serving = asyncio.create_task(server.serve(stage, door, stopping))
            _say(
                f"Ready at {door.url} after {time.monotonic() - started:.1f} s (faults: {faults}); Ctrl-C ends it"
            )
            if options.json:
                _print(json.dumps(details), sys.stdout)
            await serving
    finally:
        door.listener.close()
        if postgres is not None:
            await postgres.stop()
    _say("Ended; nothing of it is left running")


def _parser() -> argparse.ArgumentParser:
    width = max(len(fault.name) for fault in DECLARED)
    faults = "\n".join(f"  {fault.name:{width}}  {fault.meaning} ({fault.unit})" for fault in DECLARED)
    parser = argparse.ArgumentParser(
        prog="chatsoak stage",
        description="Run the embedded staging environment: a real PostgreSQL with the app's schema and migrations, "
        "the app's API, and Supabase's Auth, REST and Realtime, on loopback.",
        epilog=EXAMPLE + faults,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="port on 127.0.0.1; 0 (default): any free one"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the database here between starts")
    parser.add_argument(
        "--database-url",
        metavar="DSN",
        default=os.environ.get("CHATSOAK_STAGE_DATABASE_URL"),
        help="use this PostgreSQL (wal_level = logical) in place of our own; better set as "
        "CHATSOAK_STAGE_DATABASE_URL, where no process list shows it",
    )
    parser.add_argument(
        "--fault", action="append", default=[], metavar="NAME=VALUE", help="misbehave; may be repeated"
    )
    parser.add_argument("--env-file", type=Path, metavar="FILE", help="write a ready .env.staging for it")
    parser.add_argument(
        "--json", action="store_true", help="print one line of JSON with URLs and keys when ready"
    )
    return parser


def _secret(data: Path | None) -> str:
    """The signing secret; kept beside the data, so that tokens outlive a restart."""
    from staging.server import new_secret  # noqa: PLC0415 - see _run

    if data is None:
        return new_secret()
    file = data / "jwt-secret"
    if not file.exists():
        _write_private(file, new_secret())
    return file.read_text(encoding="ascii")


OURS = "# The embedded staging environment at "  # how the env files that we may replace begin


def _check_env_file(path: Path) -> None:
    """Refuse to replace a file that somebody else has written: it may be the only place of its keys."""
    try:
        found = path.read_bytes() if path.exists() else b""
        if found and not found.startswith(OURS.encode()):
            raise StageError(
                f"--env-file {path}: expected a new or empty file, or one that chatsoak stage has written, and this one is "
                "neither; choose another name, or remove it."
            )
    except OSError as error:
        raise StageError(
            f"--env-file {path}: it cannot be written ({error.strerror}); choose another file."
        ) from error


def _write_env_file(path: Path, details: dict[str, str | int]) -> None:
    try:
        _write_private(
            path,
            f"{OURS}{details['app_url']}, written by chatsoak stage.\n"
            f"# locust -f locustfiles/chat.py --host {details['app_url']} --env-file {path}\n"
            f"NEXT_PUBLIC_SUPABASE_URL={details['supabase_url']}\n"
            f"NEXT_PUBLIC_SUPABASE_ANON_KEY={details['anon_key']}\n"
            f"SUPABASE_SERVICE_ROLE_KEY={details['service_role_key']}\n"
            f"DATABASE_URL={details['database_url']}\n",
        )
    except OSError as error:
        raise StageError(
            f"--env-file {path}: it cannot be written ({error.strerror}); choose another file."
        ) from error


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)


def _say(text: str) -> None:
    _print(f"stage: {text}", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    """Print a line, whether anybody reads it or not: the stage serves on, and stops its PostgreSQL at the end."""
    try:
        print(text, file=stream, flush=True)
    except OSError as error:
        # Python would try what is left once more when it ends, and end with 120.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise StageError(
                f"What was to be printed cannot be written: {error.strerror}. Print it somewhere else."
            ) from None
