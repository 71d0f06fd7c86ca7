"""Sends a second on one core: chatsoak with record and statistics, plain FastHttpUser, k6. nginx counts."""

import json
import sys
from pathlib import Path

from benchmarks.cores import Cores, k6
from benchmarks.loads import common
from benchmarks.nginx import Nginx
from benchmarks.rounds import Side, measure

USERS = 50
ROUNDS = 4
WARMUP_S = 1.5
WINDOW_S = 4.0


def locust(url: str) -> list[str]:
    """The command that runs a locustfile, which is its last argument, against `url`."""
    return [
        sys.executable, "-m", "locust", "--headless", "--only-summary", "--host", url,
        "--users", str(USERS), "--spawn-rate", "1000", "--run-time", "1h", "--locustfile",
    ]  # fmt: skip


def run(cores: Cores, log: Path, rounds: int = ROUNDS) -> list[Side]:
    """Measure; chatsoak is the first side."""
    with Nginx(cores.server) as nginx:
        env = {"BENCH_URL": nginx.url}
        fixed = json.dumps({"token": common.TOKEN, "chat": common.CHAT, "text": common.TEXT})
        sides = [
            Side(
                "chatsoak, recorded and in Locust's statistics",
                [*locust(nginx.url), "benchmarks/loads/chatsoak_sends.py"],
                env,
            ),
            Side("k6", [k6(), "run", "--quiet", "benchmarks/loads/sends.js"], env | {"BENCH_COMMON": fixed}),
            Side("Locust's FastHttpUser", [*locust(nginx.url), "benchmarks/loads/fast_http_sends.py"], env),
        ]
        measure(sides, nginx.requests, cores, rounds=rounds, warmup_s=WARMUP_S, window_s=WINDOW_S, log=log)
    return sides
