"""Realtime frames a second on one core: chatsoak recording, websocket-client, k6. The flood counts."""

import json
import sys
from pathlib import Path

from benchmarks.cores import Cores, Pinned, k6
from benchmarks.loads.common import JOIN
from benchmarks.rounds import Side, measure

ROUNDS = 3
WARMUP_S = 1.5
WINDOW_S = 3.0


class FloodProcess:
    """`benchmarks.flood` on a core of its own."""

    def __init__(self, core: int) -> None:
        self._process = Pinned([sys.executable, "-m", "benchmarks.flood"], core, talks=True)
        self.url = f"http://127.0.0.1:{int(self._line())}"

    def __enter__(self) -> "FloodProcess":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.__exit__()

    def frames(self) -> int:
        """How many it has sent."""
        stdin = self._process.process.stdin
        assert stdin is not None
        stdin.write("\n")
        stdin.flush()
        return int(self._line())

    def _line(self) -> str:
        stdout = self._process.process.stdout
        assert stdout is not None
        return stdout.readline()


def run(cores: Cores, log: Path, rounds: int = ROUNDS) -> list[Side]:
    """Measure; chatsoak is the first side."""
    with FloodProcess(cores.server) as flood:
        env = {"BENCH_URL": flood.url}
        ours = [sys.executable, "-m", "benchmarks.loads.chatsoak_frames"]
        theirs = [sys.executable, "-m", "benchmarks.loads.websocket_client_frames"]
        sides = [
            Side("chatsoak, decoded and recorded", ours, env),
            Side("websocket-client, received only", theirs, env),
            Side("websocket-client, decoded (orjson)", theirs, env | {"BENCH_DECODE": "1"}),
            Side("k6, received only", [k6(), "run", "--quiet", "benchmarks/loads/frames.js"],
                 env | {"BENCH_JOIN": json.dumps(JOIN)}),
            Side("chatsoak, every delivery in Locust's statistics too", ours, env | {"BENCH_TIMED": "1"}),
        ]  # fmt: skip
        measure(sides, flood.frames, cores, rounds=rounds, warmup_s=WARMUP_S, window_s=WINDOW_S, log=log)
    return sides
