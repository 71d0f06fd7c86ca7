"""One database at a time, as its owner, and as the people whom its rules are for."""

import json
import subprocess
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg

from staging.database import SQL
from staging.postgres import binaries

PSQL_S = 300.0
ANON, OUTSIDER, PARTICIPANT, SERVICE = "anon", "outsider", "participant", "service_role"


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A session of the database's owner."""
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def acting_as(
    db: asyncpg.Connection, role: str, user_id: uuid.UUID | None = None
) -> AsyncIterator[None]:
    """A transaction as PostgREST opens it for somebody, rolled back at its end."""
    transaction = db.transaction()
    await transaction.start()
    try:
        claims = {"role": role} | ({"sub": str(user_id)} if user_id else {})
        await db.execute("select set_config('request.jwt.claims', $1, true)", json.dumps(claims))
        await db.execute(f"set local role {role}")
        yield
    finally:
        await transaction.rollback()


@dataclass
class People:
    """A chat of Ann and Ben with one message of Ann's, and Oz, who is not in it."""

    ann: uuid.UUID = field(default_factory=uuid.uuid4)
    ben: uuid.UUID = field(default_factory=uuid.uuid4)
    oz: uuid.UUID = field(default_factory=uuid.uuid4)
    chat: uuid.UUID = field(default_factory=uuid.uuid4)
    message: uuid.UUID = field(default_factory=uuid.uuid4)

    async def move_in(self, db: asyncpg.Connection) -> "People":
        """Create them."""
        for person in (self.ann, self.ben, self.oz):
            email = f"{person}@example.com"
            await db.execute("insert into auth.users (id, email) values ($1, $2)", person, email)
            await db.execute(
                "insert into accounts (id, name, email) values ($1, 'Somebody', $2)", person, email
            )
        await db.execute(
            "insert into chats (id, type, created_by) values ($1, 'group', $2)", self.chat, self.ann
        )
        for person in (self.ann, self.ben):
            await db.execute(
                "insert into chat_participants (chat_id, user_id) values ($1, $2)", self.chat, person
            )
        await db.execute(
            "insert into chat_messages (id, chat_id, sender_id, message_text) values ($1, $2, $3, 'Hello')",
            self.message,
            self.chat,
            self.ann,
        )
        return self

    async def write(self, db: asyncpg.Connection, text: str = "Hi") -> asyncpg.Record:
        """Ben writes; the row."""
        return await db.fetchrow(
            "insert into chat_messages (chat_id, sender_id, message_text) values ($1, $2, $3) returning *",
            self.chat,
            self.ben,
            text,
        )


def psql(url: str, file: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run ``sql/<file>.sql`` as its head says."""
    return subprocess.run(
        psql_command(url, file, *options), capture_output=True, text=True, timeout=PSQL_S, check=False
    )


def psql_command(url: str, file: str, *options: str) -> list[str]:
    """The command line that `psql` runs."""
    stop = ("--no-psqlrc", "--set", "ON_ERROR_STOP=1", *options)
    return [str(binaries() / "psql"), *stop, "--file", str(SQL / f"{file}.sql"), url]


def apply(url: str, *files: str) -> None:
    """Run files that must succeed."""
    for file in files:
        done = psql(url, file)
        assert done.returncode == 0, f"{file}: {done.stderr}"


async def not_in_place(db: asyncpg.Connection, migration: str) -> list[str]:
    """What the verification of a migration finds not to be so."""
    rows = await db.fetch((SQL / "verify" / f"{migration}.sql").read_text(encoding="utf-8"))
    assert rows
    return [row["check"] for row in rows if not row["ok"]]
