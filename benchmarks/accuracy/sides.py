"""One run of one tool against a calibrated server of its own: what it reports, and what was true."""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence import read_evidence
from analysis.judge import judge_evidence
from analysis.latency import summarize
from analysis.record.codes import Outcome
from benchmarks.accuracy.latencies import Latency
from benchmarks.accuracy.scenarios import Scenario
from benchmarks.cores import Cores, Pinned, k6
from benchmarks.loads import common

FIGURES = ("avg_ms", "p50_ms", "p95_ms", "p99_ms")
USERS = 50
IN_FLIGHT = 1200  # k6's virtual users
PATIENCE_S = 60.0  # beyond the run itself
LOOK_S = 0.05
FLOOD_PER_S = 60_000  # more than any of the sides can do
FLOOD_S = 5

Figures = dict[str, float]


@dataclass(slots=True)
class Told:
    """What came of a run.

    Attributes:
        truth: of the requests that the server answered, by its own clock.
        reported: by the tool itself. chatsoak: service time, left → answered.
        response: chatsoak only: due → answered.
        locust: chatsoak only: what Locust's statistics make of the same requests.
        outcomes: chatsoak only: criterion → outcome.
    """

    truth: Figures
    reported: Figures
    count: int
    response: Figures = field(default_factory=dict)
    locust: Figures = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)


class CalibratedProcess:
    """`benchmarks.accuracy.server` on a core of its own."""

    def __init__(self, latency: Latency, core: int) -> None:
        told = json.dumps({"kind": type(latency).__name__, **asdict(latency)})  # type: ignore[call-overload]
        self._process = Pinned([sys.executable, "-m", "benchmarks.accuracy.server", told], core, talks=True)
        self.url = f"http://127.0.0.1:{int(self._line())}"

    def __enter__(self) -> "CalibratedProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.__exit__()

    def held_ms(self) -> list[float]:
        """How long each answered request lay with it."""
        stdin = self._process.process.stdin
        assert stdin is not None
        stdin.write("\n")
        stdin.flush()
        held: list[float] = json.loads(self._line())["held_ms"]
        return held

    def _line(self) -> str:
        stdout = self._process.process.stdout
        assert stdout is not None
        return stdout.readline()


def chatsoak(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """chatsoak's client, record and judge."""
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        truth, own = _run(
            _locust("chatsoak_paced.py", scenario.run_s), scenario, rate_per_s, cores, log, folder
        )
        evidence = read_evidence(Path(folder) / "record")
        criteria = {
            one["id"]: one["outcome"] for one in judge_evidence(evidence, lambda _: None).verdict["criteria"]
        }
    ok = evidence.sends[evidence.sends["outcome"] == Outcome.OK]
    service, response = (
        _figures(summarize((ok["answered_ns"] - ok[began]).to_numpy(np.int64)))
        for began in ("left_ns", "due_ns")
    )
    outcomes = {name: criteria[name] for name in ("latency.send.avg", "latency.send.p95")}
    return Told(truth, service, len(ok), response, own, outcomes)


def locust(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """Plain Locust with `FastHttpUser`."""
    return _peer(_locust("fast_http_paced.py", scenario.run_s), scenario, rate_per_s, cores, log)


def k6_open(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """k6 with its executor for an open workload."""
    return _peer([k6(), "run", "--quiet", "benchmarks/loads/paced.js"], scenario, rate_per_s, cores, log)


def most_per_s(latency: Latency, cores: Cores, log: Path) -> float:
    """How many sends a second chatsoak manages when far too many are due."""
    flood = Scenario("flood", latency, FLOOD_PER_S, FLOOD_S)
    return chatsoak(flood, FLOOD_PER_S, cores, log).count / FLOOD_S


def _locust(file: str, run_s: int) -> list[str]:
    return [
        sys.executable, "-m", "locust", "--headless", "--only-summary", "--users", str(USERS),
        "--spawn-rate", "1000", "--run-time", f"{run_s}s", "--locustfile", f"benchmarks/loads/{file}",
    ]  # fmt: skip


def _peer(command: Sequence[str], scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        truth, own = _run(command, scenario, rate_per_s, cores, log, folder)
    return Told(truth, own, int(own["count"]))


def _run(
    command: Sequence[str], scenario: Scenario, rate_per_s: float, cores: Cores, log: Path, folder: str
) -> tuple[Figures, Figures]:
    """The truth, and what the tool wrote to BENCH_OWN."""
    own = Path(folder) / "own.json"
    with CalibratedProcess(scenario.latency, cores.server) as server:
        env: Mapping[str, str] = {
            "BENCH_URL": server.url,
            "BENCH_RATE": f"{rate_per_s:.0f}",
            "BENCH_USERS": str(USERS),
            "BENCH_SECONDS": str(scenario.run_s),
            "BENCH_IN_FLIGHT": str(IN_FLIGHT),
            "BENCH_RECORD": f"{folder}/record",
            "BENCH_OWN": str(own),
            "BENCH_COMMON": json.dumps({"token": common.TOKEN, "chat": common.CHAT, "text": common.TEXT}),
            "LOCUST_HOST": server.url,
        }
        deadline = time.monotonic() + scenario.run_s + PATIENCE_S
        with Pinned(command, cores.load, env=env, log=log) as load:
            while load.process.poll() is None:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{command!r} did not end: see {log}")
                time.sleep(LOOK_S)
            if load.process.returncode not in (0, 1):
                raise RuntimeError(f"{command!r} ended with {load.process.returncode}: see {log}")
        held_ns = (np.array(server.held_ms()) * 1e6).astype(np.int64)
    found: dict[str, Any] = json.loads(own.read_text(encoding="utf-8"))
    return _figures(summarize(held_ns)), found


def _figures(summary: Any) -> Figures:
    return {name: getattr(summary, name) for name in FIGURES}
