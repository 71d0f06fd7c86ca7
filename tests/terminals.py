"""Terminals, as a program sees them, that keep what is written to them."""

import os
import pty
import select
import subprocess
import termios
from collections.abc import Mapping, Sequence

from tests.staging.stages import ROOT

SILENCE_S = 120.0  # longest silence of a program that is not stuck


def on_a_terminal(
    command: Sequence[str], environment: Mapping[str, str], columns: int = 80
) -> tuple[int, str]:
    """The exit code of `command`, and what it writes to a terminal that is its stdout and stderr."""
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, columns))
    process = subprocess.Popen(
        list(command), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=its, stderr=its, env=dict(environment)
    )
    os.close(its)
    written = bytearray()
    try:
        while select.select([ours], [], [], SILENCE_S)[0]:
            written += os.read(ours, 4096)
    except OSError:  # the other end is closed: EIO
        pass
    finally:
        os.close(ours)
        if process.poll() is None:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
    return process.returncode, written.decode()
