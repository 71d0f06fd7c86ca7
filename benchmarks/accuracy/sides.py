"""One run of one tool against a calibrated server of its own: what it reports, and what was true."""

import json
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analysis.evidence import read_evidence
from analysis.judge import judge_evidence
from analysis.latency import NS_PER_S, summarize
from analysis.record.codes import Outcome
from benchmarks.accuracy.latencies import Latency
from benchmarks.accuracy.scenarios import Scenario
from benchmarks.cores import Cores, Pinned, k6
from benchmarks.loads import common

JUDGED = ("latency.send.avg", "latency.send.p95")
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
        reported: by the tool itself. chatsoak: service time, left → answered, which is what can be held against a server.
        count: requests that were answered.
        server_busy: share of its time that the server spent on requests; near 1 it is what was measured.
        load_cpu: of its core the tool used so much, in the half of the run in which it used most.
        response: chatsoak only: due → answered, which its verdict holds against the targets in an open workload.
        response_truth: chatsoak only: due → answered by the server's clock, of the same sends.
        lateness: chatsoak only: due → received by the server's kernel: what the generator itself held its sends up.
        locust: chatsoak only: what Locust's statistics make of the same requests.
        outcomes: chatsoak only: criterion → outcome.
        in_time: chatsoak only: of the answered ones those that left within the seconds of the load.
    """

    truth: Figures
    reported: Figures
    count: int
    server_busy: float
    load_cpu: float
    response: Figures = field(default_factory=dict)
    response_truth: Figures = field(default_factory=dict)
    lateness: Figures = field(default_factory=dict)
    locust: Figures = field(default_factory=dict)
    outcomes: dict[str, str] = field(default_factory=dict)
    in_time: int = 0


@dataclass(frozen=True, slots=True)
class Ran:
    """A run of a tool: the server's side of it, what the tool wrote to BENCH_OWN, and what both used.

    Attributes:
        answered: by idempotency key, when the server's kernel had received a send, and when it was answered (ns).
    """

    truth: Figures
    answered: dict[str, tuple[int, int]]
    own: Figures
    server_busy: float
    load_cpu: float


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

    def told(self) -> dict[str, Any]:
        """``answered``: of each answered request its key, when it was received and when answered; ``busy_share``: of its
        time, spent on requests."""
        stdin = self._process.process.stdin
        assert stdin is not None
        stdin.write("\n")
        stdin.flush()
        told: dict[str, Any] = json.loads(self._line())
        return told

    def _line(self) -> str:
        stdout = self._process.process.stdout
        assert stdout is not None
        return stdout.readline()


def chatsoak(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """chatsoak's client, record and judge; both latencies as its verdict tells them."""
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        ran = _run(_locust("chatsoak_paced.py", scenario.run_s), scenario, rate_per_s, cores, log, folder)
        evidence = read_evidence(Path(folder) / "record")
        criteria = {one["id"]: one for one in judge_evidence(evidence, lambda _: None).verdict["criteria"]}
    average, p95 = (criteria[name] for name in JUDGED)
    service, response = (
        {figure: average["facts"][f"{kind}_{figure}"] for figure in FIGURES}
        for kind in ("service", "response")
    )
    sends = evidence.sends[evidence.sends["outcome"] == Outcome.OK]
    left_ns, due_ns = (sends[name].to_numpy(np.int64) for name in ("left_ns", "due_ns"))
    received_ns, answered_ns = np.array(
        [ran.answered[str(evidence.messages.text(code))] for code in sends["client_generated_id"].tolist()]
    ).T
    return Told(
        ran.truth,
        service,
        p95["checked"],
        ran.server_busy,
        ran.load_cpu,
        response,
        _figures(summarize(answered_ns - due_ns)),
        _figures(summarize(received_ns - due_ns)),
        ran.own,
        {name: criteria[name]["outcome"] for name in JUDGED},
        int((left_ns - left_ns.min() < scenario.run_s * NS_PER_S).sum()),
    )


def locust(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """Plain Locust with `FastHttpUser`."""
    return _peer(_locust("fast_http_paced.py", scenario.run_s), scenario, rate_per_s, cores, log)


def k6_open(scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    """k6 with its executor for an open workload."""
    return _peer([k6(), "run", "--quiet", "benchmarks/loads/paced.js"], scenario, rate_per_s, cores, log)


def most_per_s(latency: Latency, cores: Cores, log: Path) -> float:
    """How many sends a second chatsoak manages when far too many are due: those that left while the load lasted."""
    flood = Scenario("flood", latency, FLOOD_PER_S, FLOOD_S)
    told = chatsoak(flood, FLOOD_PER_S, cores, log)
    print(f"  most: {told.in_time / FLOOD_S:,.0f} a second, {used(told)}", flush=True)
    return told.in_time / FLOOD_S


def used(told: Told) -> str:
    """What both sides used of their cores, in words: whether the server or the generator was at its end."""
    return f"generator at {told.load_cpu:.0%} of its core, server at {told.server_busy:.0%}"


def _locust(file: str, run_s: int) -> list[str]:
    return [
        sys.executable, "-m", "locust", "--headless", "--only-summary", "--users", str(USERS),
        "--spawn-rate", "1000", "--run-time", f"{run_s}s", "--locustfile", f"benchmarks/loads/{file}",
    ]  # fmt: skip


def _peer(command: Sequence[str], scenario: Scenario, rate_per_s: float, cores: Cores, log: Path) -> Told:
    with tempfile.TemporaryDirectory(prefix="chatsoak-bench-") as folder:
        ran = _run(command, scenario, rate_per_s, cores, log, folder)
    return Told(ran.truth, ran.own, int(ran.own["count"]), ran.server_busy, ran.load_cpu)


def _run(
    command: Sequence[str], scenario: Scenario, rate_per_s: float, cores: Cores, log: Path, folder: str
) -> Ran:
    """One run of a tool against a server of its own."""
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
        used: list[tuple[float, float]] = []
        with Pinned(command, cores.load, env=env, log=log) as load:
            while load.process.poll() is None:
                with suppress(OSError, RuntimeError, IndexError):  # it has just ended
                    used.append((time.monotonic(), load.cpu_s()))
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{command!r} did not end: see {log}")
                time.sleep(LOOK_S)
            if load.process.returncode not in (0, 1):
                raise RuntimeError(f"{command!r} ended with {load.process.returncode}: see {log}")
        told = server.told()
    answered = {key: (received_ns, answered_ns) for key, received_ns, answered_ns in told["answered"]}
    held_ns = np.array([answered_ns - received_ns for _, received_ns, answered_ns in told["answered"]])
    found: dict[str, Any] = json.loads(own.read_text(encoding="utf-8"))
    cpu = _busiest(np.array(used), scenario.run_s / 2)
    return Ran(_figures(summarize(held_ns)), answered, found, told["busy_share"], cpu)


def _busiest(used: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", window_s: float) -> float:
    """The most of a core that was used in any time of `window_s`, of looks with their time and the processor time so far."""
    at_s, cpu_s = used.T
    later = np.searchsorted(at_s, at_s + window_s)
    whole = later < len(at_s)
    later = later[whole]
    shares = (cpu_s[later] - cpu_s[whole]) / (at_s[later] - at_s[whole])
    return float(shares.max(initial=0.0))


def _figures(summary: Any) -> Figures:
    return {name: getattr(summary, name) for name in FIGURES}
