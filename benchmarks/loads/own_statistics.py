"""Locust's own figures of a run, as it would print them, into the file that BENCH_OWN names."""

import json
import os
from pathlib import Path
from typing import Any

from locust import events
from locust.env import Environment


@events.quitting.add_listener
def _write(environment: Environment, **_: Any) -> None:
    total = environment.stats.total
    figures = {
        "avg_ms": total.avg_response_time,
        "p50_ms": total.get_response_time_percentile(0.50),
        "p95_ms": total.get_response_time_percentile(0.95),
        "p99_ms": total.get_response_time_percentile(0.99),
        "count": total.num_requests,
    }
    Path(os.environ["BENCH_OWN"]).write_text(json.dumps(figures), encoding="utf-8")
