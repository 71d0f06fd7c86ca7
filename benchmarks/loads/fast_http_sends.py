"""Plain Locust: FastHttpUser making the same POST; Locust's statistics and no record."""

import uuid

from locust import FastHttpUser, task

from benchmarks.loads.common import CHAT, TEXT, TOKEN

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


class Sender(FastHttpUser):
    """Sends one message after another."""

    @task
    def send(self) -> None:
        body = {"chatId": CHAT, "text": TEXT, "clientGeneratedId": str(uuid.uuid4())}
        self.client.post("/api/messages", json=body, headers=HEADERS)
