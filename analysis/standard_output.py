"""Standard output whose reader may leave before the end, as ``head`` does: that is no verdict on anything."""

import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

# As shells have it. Rich and Click end with 1, which would say that a criterion failed.
READER_LEFT = 128 + signal.SIGPIPE


class _Output(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except BrokenPipeError:
            self._leave()

    def flush(self) -> None:
        try:
            super().flush()
        except BrokenPipeError:
            self._leave()

    def _leave(self) -> NoReturn:
        # What is still buffered goes nowhere, or else Python complains at its exit.
        # Source: https://docs.python.org/3/library/signal.html#note-on-sigpipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())
        raise SystemExit(READER_LEFT)


@contextmanager
def standard_output() -> Iterator[None]:
    """Meanwhile ``sys.stdout`` prints whatever the locale, and ends the program with `READER_LEFT` once nobody reads it.

    Raises:
        SystemExit: the reader has left.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):
        yield
        return
    output = _Output(
        stream.buffer,
        encoding=stream.encoding,
        errors="backslashreplace",  # no locale is a reason to fail
        line_buffering=stream.line_buffering,
    )
    sys.stdout = output
    try:
        yield
    finally:
        sys.stdout = stream
        try:
            output.flush()
        finally:
            output.detach()  # or else the stream would be closed with it
