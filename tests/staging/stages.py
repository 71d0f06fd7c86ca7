"""Runs the embedded staging environment for tests, as a user would: `python -m staging --json`, a process of its own."""

import contextlib
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    """Somebody who has signed in."""

    id: str
    email: str
    token: str = field(repr=False)
    refresh_token: str = field(repr=False)


@dataclass(frozen=True)
class RunningStage:
    """What `--json` printed."""

    app_url: str
    supabase_url: str
    anon_key: str = field(repr=False)
    service_role_key: str = field(repr=False)
    database_url: str = field(repr=False)
    pid: int

    def person(self) -> Person:
        """A new person, signed in, with an account in the app."""
        email = f"{uuid.uuid4().hex}@example.com"
        admin = {"apikey": self.service_role_key, "Authorization": f"Bearer {self.service_role_key}"}
        made = httpx.post(
            f"{self.supabase_url}/auth/v1/admin/users",
            headers=admin,
            json={"email": email, "password": PASSWORD, "email_confirm": True},
        )
        made.raise_for_status()
        user_id = made.json()["id"]
        httpx.post(
            f"{self.supabase_url}/rest/v1/accounts",
            headers=admin,
            json={"id": user_id, "name": email, "email": email},
        ).raise_for_status()
        session = httpx.post(
            f"{self.supabase_url}/auth/v1/token?grant_type=password",
            headers={"apikey": self.anon_key},
            json={"email": email, "password": PASSWORD},
        )
        session.raise_for_status()
        return Person(user_id, email, session.json()["access_token"], session.json()["refresh_token"])

    def chat(self, *people: Person) -> str:
        """A new group chat of these people."""
        chat_id = str(uuid.uuid4())
        admin = {"apikey": self.service_role_key, "Authorization": f"Bearer {self.service_role_key}"}
        rest = f"{self.supabase_url}/rest/v1"
        httpx.post(f"{rest}/chats", headers=admin, json={"id": chat_id, "type": "group"}).raise_for_status()
        members = [{"chat_id": chat_id, "user_id": person.id} for person in people]
        httpx.post(f"{rest}/chat_participants", headers=admin, json=members).raise_for_status()
        return chat_id


@contextlib.contextmanager
def running_stage(
    *faults: str, database_url: str | None = None, data: Path | None = None
) -> Iterator[RunningStage]:
    """A stage with these faults (`NAME=VALUE`), gone afterwards, but for its `data` where a folder is given."""
    command = [sys.executable, "-m", "staging", "--json"]
    command += ["--data", str(data)] if data else []
    for fault in faults:
        command += ["--fault", fault]
    environment = dict(os.environ)
    if database_url:
        environment["CHATSOAK_STAGE_DATABASE_URL"] = database_url
    # What it says on stderr shows up among pytest's captured output.
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready, "the stage did not start; its last words are on stderr"
        yield RunningStage(**json.loads(ready))
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
