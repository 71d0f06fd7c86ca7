"""Promise: seed makes people who can sign in and chats between them; clean removes these and nothing else."""

import json
import uuid
from typing import Any

import httpx
import pytest

from tests.analysis.targets import Target, run, value


@pytest.fixture
def target(target: Target) -> Target:
    """The stage's own database, with people whom no other test has."""
    return target.but(CHATSOAK_PERSON_EMAIL=f"{uuid.uuid4().hex}+{{n}}@example.com")


def seed(target: Target, people: int) -> dict[str, Any]:
    done = target.chatsoak("seed", "--people", str(people), "--json")
    assert done.returncode == 0, done.stderr
    assert not [secret for secret in target.secrets if secret in done.stdout + done.stderr]
    pool: dict[str, Any] = json.loads(done.stdout)
    return pool


def sign_in(target: Target, email: str) -> httpx.Response:
    return httpx.post(
        f"{target.host}/auth/v1/token",
        params={"grant_type": "password"},
        json={"email": email, "password": target.settings.password_of(email)},
        headers={"apikey": target.environment["NEXT_PUBLIC_SUPABASE_ANON_KEY"]},
    )


def test_people_can_sign_in_and_are_in_the_chats_that_it_names(target: Target) -> None:
    pool = seed(target, 7)
    assert len({person["id"] for person in pool["people"]}) == 7
    for person in pool["people"]:
        answer = sign_in(target, person["email"])
        assert answer.status_code == 200, answer.text
        assert answer.json()["user"]["id"] == person["id"]
    database = target.environment["DATABASE_URL"]
    for chat in pool["chats"]:
        assert set(chat) == {"id", "type", "participants", "weight"}
        stored = value(
            database, "select array_agg(user_id::text) from chat_participants where chat_id = $1", chat["id"]
        )
        assert sorted(stored) == sorted(chat["participants"])
        assert value(database, "select type from chats where id = $1", chat["id"]) == chat["type"]


def test_people_are_reused_and_chats_are_fresh(target: Target) -> None:
    first, second = seed(target, 4), seed(target, 6)
    assert second["people"][:4] == first["people"]
    assert not {chat["id"] for chat in first["chats"]} & {chat["id"] for chat in second["chats"]}


def test_an_account_that_somebody_else_has_made_is_not_taken_over(target: Target) -> None:
    key = target.environment["SUPABASE_SERVICE_ROLE_KEY"]
    email = target.environment["CHATSOAK_PERSON_EMAIL"].replace("{n}", "00001")
    theirs = httpx.post(
        f"{target.host}/auth/v1/admin/users",
        json={"email": email, "password": "their own password", "email_confirm": True},
        headers={"apikey": key, "authorization": f"Bearer {key}"},
    )
    assert theirs.is_success
    done = target.chatsoak("seed", "--people", "2", "--json")
    assert done.returncode == 2
    assert "CHATSOAK_PERSON_EMAIL" in done.stderr.splitlines()[-1]
    assert target.chatsoak("clean", "--yes").returncode == 0
    assert (
        value(target.environment["DATABASE_URL"], "select count(*) from auth.users where email = $1", email)
        == 1
    )


def test_clean_removes_what_seed_has_made_and_nothing_else(target: Target) -> None:
    database = target.environment["DATABASE_URL"]
    pool = seed(target, 5)
    somebody = "11111111-2222-3333-4444-555555555555"
    theirs = "66666666-7777-8888-9999-000000000000"
    run(
        database,
        f"insert into auth.users (id, email) values ('{somebody}', 'somebody@example.com') on conflict do nothing",
        f"insert into accounts (id, name, email) values ('{somebody}', 's', 'somebody@example.com') on conflict do nothing",
        f"insert into chats (id, type, name, created_by) values ('{theirs}', 'group', 'chatsoak group', '{somebody}') "
        "on conflict do nothing",
    )
    said = target.chatsoak("clean", "--yes")
    assert said.returncode == 0, said.stderr
    assert "5 people" in said.stderr
    ids = [person["id"] for person in pool["people"]]
    chats = [chat["id"] for chat in pool["chats"]]
    assert value(database, "select count(*) from chats where id = any ($1::uuid[])", chats) == 0
    assert value(database, "select count(*) from auth.users where id = any ($1::uuid[])", ids) == 0
    assert value(database, "select count(*) from chats where id = $1", theirs) == 1
    assert sign_in(target, pool["people"][0]["email"]).status_code == 400


def test_clean_asks_first(target: Target) -> None:
    pool = seed(target, 2)
    done = target.chatsoak("clean")
    assert done.returncode == 2
    assert "2 people" in done.stderr
    assert "--yes" in done.stderr.splitlines()[-1]
    assert sign_in(target, pool["people"][0]["email"]).status_code == 200


def test_the_same_email_is_never_made_twice_by_seeding_again(target: Target) -> None:
    seed(target, 3)
    seed(target, 3)
    head = target.environment["CHATSOAK_PERSON_EMAIL"].partition("{n}")[0]
    count = "select count(*) from auth.users where starts_with(email, $1)"
    assert value(target.environment["DATABASE_URL"], count, head) == 3
