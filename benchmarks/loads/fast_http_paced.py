"""Plain Locust at a rate: FastHttpUser with `constant_throughput`; Locust's own statistics."""

import os
import uuid

from locust import FastHttpUser, constant_throughput, task

import benchmarks.loads.own_statistics  # noqa: F401 - listens
from benchmarks.loads.common import CHAT, TEXT, TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Sender(FastHttpUser):
    """Sends so many messages a second, or fewer when it has to wait."""

    wait_time = constant_throughput(float(os.environ["BENCH_RATE"]) / int(os.environ["BENCH_USERS"]))

    @task
    def send(self) -> None:
        body = {"chatId": CHAT, "text": TEXT, "clientGeneratedId": str(uuid.uuid4())}
        self.client.post("/api/messages", json=body, headers=HEADERS)
