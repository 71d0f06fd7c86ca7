"""Keeps a PostgreSQL server for as long as its owner lives: ``python -m staging.watchdog HOME -- COMMAND…``.

The owner holds the other end of our standard input. When it ends, in whatever way, the pipe closes; then the
server is stopped at once and, with ``--remove``, the folder HOME is removed. Should we be killed ourselves, the
kernel stops the server (PR_SET_PDEATHSIG). Output of the server goes to ``HOME/server.log``.
"""

import argparse
import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1  # linux/prctl.h
FAST_STOP_S = 8.0
_LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_parent(signal_number: int) -> None:
    """Ask the kernel to send us `signal_number` when our parent ends. See prctl(2)."""
    _LIBC.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)


def main() -> int:
    """Start the server, wait for either end, clean up."""
    options = _options()
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    with (options.home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            options.command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            user=options.uid,
            group=options.gid,
            extra_groups=[] if options.uid is not None else None,
            cwd=options.home,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            preexec_fn=_as_server,  # noqa: PLW1509 - this process has one thread
        )
    code = _watch(server)
    if options.remove:
        shutil.rmtree(options.home, ignore_errors=True)
    return code


def _watch(server: subprocess.Popen[bytes]) -> int:
    """Until the owner or the server is gone; returns 0 when it was the owner."""
    exited = os.pidfd_open(server.pid)
    ready, _, _ = select.select([sys.stdin.fileno(), exited], [], [])
    if exited in ready:
        return server.wait() or 1
    server.send_signal(signal.SIGINT)  # fast shutdown: ends sessions, writes a checkpoint
    try:
        server.wait(FAST_STOP_S)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)  # immediate shutdown: recovery at the next start
        server.wait()
    return 0


def _as_server() -> None:
    for restored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(restored, signal.SIG_DFL)
    die_with_parent(signal.SIGQUIT)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m staging.watchdog")
    parser.add_argument("home", type=Path)
    parser.add_argument("--remove", action="store_true")
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
