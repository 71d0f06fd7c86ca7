"""Standard output and standard error, whose readers may leave before the end, as ``head`` does."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from analysis.errors import OutputError


class _Output(io.FileIO):
    """A descriptor that is written to whether anybody reads it or not.

    To end at the first line that nobody reads, as programs that only print do, would leave work half done: a report unwritten, a
    run unwatched. And Rich and Click end with 1 then, which would say that a criterion failed.
    """

    def write(self, data: Any, /) -> int:  # a buffer, whose type has a name since Python 3.12
        try:
            return super().write(data)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            self._could_not(error)
            return super().write(data)

    def _could_not(self, error: OSError) -> None:
        if not isinstance(error, BrokenPipeError):
            raise OutputError(
                f"What was to be printed cannot be written: {error.strerror}. Print it somewhere else."
            ) from None


class _Commentary(_Output):
    """Standard error, where nobody can be told that it cannot be written."""

    def _could_not(self, error: OSError) -> None:
        pass


@contextmanager
def standard_streams() -> Iterator[None]:
    """Meanwhile ``sys.stdout`` and ``sys.stderr`` print whatever the locale, and go on when nobody reads them any more.

    A stream that is closed, or somebody else's, stays as it is.

    Raises:
        OutputError: standard output is a file that cannot be written; what is printed later goes nowhere.
    """
    before = sys.stdout, sys.stderr
    sys.stdout = _opened_anew(sys.stdout, _Output) or sys.stdout
    sys.stderr = _opened_anew(sys.stderr, _Commentary) or sys.stderr
    try:
        yield
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
        sys.stdout, sys.stderr = before


def _opened_anew(stream: object, kind: type[_Output]) -> io.TextIOWrapper | None:
    """A stream on the same descriptor; None where there is no such thing."""
    if not isinstance(stream, io.TextIOWrapper):
        return None
    raw = getattr(stream.buffer, "raw", stream.buffer)  # the buffer is itself raw with PYTHONUNBUFFERED
    if not isinstance(raw, io.FileIO):
        return None
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(raw.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors="backslashreplace",  # no locale is a reason to fail
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
