"""Who wrote a part of a record, and by which clocks: ``process.json``.

Written when a process opens its part and again, whole, when it closes it. A file that says
``"closed": false`` is of a process that was killed, or still runs.

On a full disk nothing can be written, not even that rows are lost. So a second file, ``process.json.lost``, lies ready
from the start, and takes the place of the first as soon as a row is lost: that takes no room.
"""

import json
import os
import platform
import socket
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from analysis.errors import RecordError
from analysis.record.run import write_json

PROCESS_FILE = "process.json"
LOST_FILE = "process.json.lost"

# Linux only; elsewhere the host's name has to do.
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIME_NAMESPACE = Path("/proc/self/ns/time")
KERNEL, READER = "kernel", "reader"  # `ProcessInfo.arrivals`


@dataclass(frozen=True, slots=True)
class ProcessInfo:
    """A process that writes a part of a record.

    Attributes:
        name: unique in the run and the name of its folder, e.g. ``local``, ``worker-0``, ``monitor``.
        boot_id: of the running kernel; empty where the system has none.
        time_namespace: in which it runs: each has a monotonic clock of its own. Empty where there are none, and in
            records of earlier versions. Source: time_namespaces(7).
        arrivals: who says when an answer or an event had come in: `KERNEL`, or `READER`, the process itself when it read it.
        monotonic_ns: CLOCK_MONOTONIC at the moment at which the wall clock showed `wall_us`.
        wall_us: microseconds since the Unix epoch.
    """

    name: str
    pid: int
    host: str
    boot_id: str
    monotonic_ns: int
    wall_us: int
    versions: dict[str, str] = field(default_factory=dict)
    time_namespace: str = ""
    arrivals: str = READER

    @property
    def machine(self) -> str:
        """Equal for two processes on one host."""
        return f"{self.host}/{self.boot_id}"

    @property
    def clock_domain(self) -> str:
        """Equal for two processes exactly when their ``*_ns`` may be compared and subtracted as they are."""
        return f"{self.machine}/{self.time_namespace}"

    @classmethod
    def here(cls, name: str, arrivals: str = READER) -> "ProcessInfo":
        """The calling process under the name `name`."""
        boot_id = _BOOT_ID.read_text(encoding="ascii").strip() if _BOOT_ID.exists() else ""
        return cls(
            name=name,
            pid=os.getpid(),
            host=socket.gethostname(),
            boot_id=boot_id,
            monotonic_ns=time.monotonic_ns(),
            wall_us=time.time_ns() // 1000,
            versions={"python": platform.python_version(), "pyarrow": version("pyarrow")},
            time_namespace=_time_namespace(),
            arrivals=arrivals,
        )


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """The content of ``process.json``.

    Attributes:
        closed: the process ended in good order; only then do the counts below say anything.
        counts: rows written, by table.
        dropped: rows that could not be written, by table; tables without any are left out.
        error: the first thing that went wrong while writing, or None.
        lost_rows: some rows could not be written, whether or not the process came to count them. Records of earlier
            versions do not say it of a process that was cut off.
    """

    info: ProcessInfo
    closed: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    error: str | None = None
    lost_rows: bool = False

    def write(self, folder: Path, name: str = PROCESS_FILE) -> None:
        """Replace ``process.json`` in `folder`, or another file of that kind, atomically."""
        info = asdict(self.info) | {"clock_domain": self.info.clock_domain}
        rest = {field: getattr(self, field) for field in _REST}
        write_json(folder / name, {**info, **rest})


_REST = ("closed", "counts", "dropped", "error", "lost_rows")


def read_process(folder: Path) -> ProcessRecord:
    """What ``process.json`` in `folder` says.

    Raises:
        RecordError: it is missing or no such file.
    """
    path = folder / PROCESS_FILE
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path} cannot be read as a process of a record: {error!r}.") from error


def _time_namespace() -> str:
    try:
        return _TIME_NAMESPACE.readlink().name
    except OSError:
        return ""


def _parsed(data: Mapping[str, object]) -> ProcessRecord:
    data = {"time_namespace": "", "lost_rows": False, **data}  # which earlier versions did not write
    fields = {name: data[name] for name in ProcessInfo.__dataclass_fields__}
    rest = {name: data[name] for name in _REST}
    return ProcessRecord(info=ProcessInfo(**fields), **rest)  # type: ignore[arg-type]
