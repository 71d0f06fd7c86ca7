"""Standard output and standard error, whose readers may leave before the end, as ``head`` does."""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from analysis.errors import OutputError


class _Output(io.FileIO):
    """A descriptor that is written to whether anybody reads it or not, and whether that is possible or not.

    To end at the first line that nobody reads, as programs that only print do, would leave work half done: a report unwritten, a
    run unwatched, a full disk not pruned. And Rich and Click end with 1 then, which would say that a criterion failed.

    Attributes:
        failure: why something could not be written, other than that nobody reads it any more.
    """

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:  # a buffer, whose type has a name since Python 3.12
        try:
            # Not at once where whoever gave us this descriptor also made it one that does not wait.
            while (written := super().write(data)) is None:
                select.select([], [self], [])
            return written
        except OSError as error:
            if not nobody_reads(self.fileno(), error):
                self.failure = error
            go_nowhere(self.fileno())
            return super().write(data)


def nobody_reads(descriptor: int, error: OSError) -> bool:
    """Whether it cannot be written since a pipe, a socket or a terminal has been closed at its other end."""
    closed_terminal = error.errno == errno.EIO and stat.S_ISCHR(os.fstat(descriptor).st_mode)
    return isinstance(error, BrokenPipeError | ConnectionResetError) or closed_terminal


def go_nowhere(descriptor: int) -> None:
    """Let what is written to it from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def not_all(failure: OSError) -> str:
    """The sentence about what could not be printed."""
    return f"All else is done, but not all that was to be printed could be written: {failure.strerror}. Print it somewhere else."


class Printed:
    """What has been printed."""

    def __init__(self, output: _Output | None) -> None:
        self._output = output

    def must_be_written(self) -> None:
        """To be called at the end.

        Raises:
            OutputError: some of it could not be.
        """
        sys.stdout.flush()
        if self._output and (failure := self._output.failure):
            raise OutputError(not_all(failure))


@contextmanager
def standard_streams() -> Iterator[Printed]:
    """Meanwhile ``sys.stdout`` and ``sys.stderr`` print whatever the locale, and go on when nobody reads them any more.

    What is printed to a stream that is closed goes nowhere. One that is no descriptor of ours stays as it is.
    """
    before = sys.stdout, sys.stderr
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        sys.stdout, output = _opened_anew(sys.stdout or nowhere)
        sys.stderr, _ = _opened_anew(sys.stderr or nowhere)
        try:
            yield Printed(output)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            sys.stdout, sys.stderr = before


def _opened_anew(stream: TextIO) -> tuple[TextIO, _Output | None]:
    """A stream on the same descriptor; the same where there is no such thing."""
    if not isinstance(stream, io.TextIOWrapper):
        return stream, None
    raw = getattr(stream.buffer, "raw", stream.buffer)  # the buffer is itself raw with PYTHONUNBUFFERED
    if not isinstance(raw, io.FileIO):
        return stream, None
    stream.flush()
    output = _Output(raw.fileno(), "w", closefd=False)
    anew = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=stream.encoding,
        errors="backslashreplace",  # no locale is a reason to fail
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
    return anew, output
