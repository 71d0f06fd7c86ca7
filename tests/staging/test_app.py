"""`/api/messages`: what is stored, what is answered, and who and what is refused in clear words."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import asyncpg
import jwt
import orjson
import pytest

from tests.staging.calls import Calls, Office, new_key
from tests.staging.stages import Person, running_stage

LONGEST = 10_000
TEXTS = {
    "emoji": "👩‍👩‍👧‍👦 done ✅ 🇳🇴",
    "right to left": "שלום, مرحبا \u202eand back\u202c",
    "quotes": """'single' "double" `back` \\ ); drop table chat_messages; --""",
    "lines": "one\ntwo\r\nthree\ttabbed\u2028",
    "spaces": "  kept as they are  ",
    "combining": "e\u0301 is not é",
    "the longest": "🙂" * LONGEST,
}


@dataclass(frozen=True)
class Talk:
    """A chat of two, and somebody who is not in it."""

    chat_id: str
    anna: Calls
    ben: Calls
    outsider: Calls
    anna_person: Person
    ben_person: Person


@pytest.fixture(scope="module")
def people(office: Office) -> tuple[Person, Person, Person]:
    return office.stage.person(), office.stage.person(), office.stage.person()


@pytest.fixture
def talk(office: Office, people: tuple[Person, Person, Person]) -> Talk:
    """A new chat, so that each test counts from 1."""
    anna, ben, outsider = people
    chat_id = office.stage.chat(anna, ben)
    return Talk(chat_id, office.of(anna), office.of(ben), office.of(outsider), anna, ben)


def test_a_send_answers_the_message_as_it_is_stored(talk: Talk) -> None:
    key = new_key()
    sent = talk.anna.send(talk.chat_id, "hello", clientGeneratedId=key)
    assert sent.status_code == 201
    assert sent.json() == {
        "id": sent.json()["id"],
        "chat_id": talk.chat_id,
        "sender_id": talk.anna_person.id,
        "message_text": "hello",
        "message_type": "text",
        "client_generated_id": key,
        "seq": 1,
        "status": "sent",
        "created_at": sent.json()["created_at"],
        "updated_at": sent.json()["updated_at"],
    }
    assert talk.ben.history(chatId=talk.chat_id).json() == [sent.json()]


def test_a_repeat_answers_200_with_the_same_message_and_stores_nothing(talk: Talk) -> None:
    key = new_key()
    first = talk.anna.send(talk.chat_id, "once", clientGeneratedId=key)
    again = talk.anna.send(talk.chat_id, "once", clientGeneratedId=key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert talk.anna.send(talk.chat_id, "next").json()["seq"] == 2
    assert [row["seq"] for row in talk.ben.stored(talk.chat_id)] == [1, 2]


def test_repeats_in_flight_at_once_store_one_message(talk: Talk) -> None:
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            key = new_key()
            answers = list(
                threads.map(
                    lambda _, key=key: talk.anna.send(talk.chat_id, "x", clientGeneratedId=key), range(8)
                )
            )
            assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
            assert len({answer.text for answer in answers}) == 1
    assert [row["seq"] for row in talk.ben.stored(talk.chat_id)] == [1, 2, 3, 4, 5]


def test_one_key_of_two_people_makes_two_messages(talk: Talk) -> None:
    key = new_key()
    answers = [who.send(talk.chat_id, "mine", clientGeneratedId=key) for who in (talk.anna, talk.ben)]
    assert [(answer.status_code, answer.json()["seq"]) for answer in answers] == [(201, 1), (201, 2)]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_text_comes_back_byte_for_byte(talk: Talk, text: str) -> None:
    assert talk.anna.send(talk.chat_id, text).json()["message_text"] == text
    (read,) = talk.ben.history(chatId=talk.chat_id).json()
    assert read["message_text"].encode() == text.encode()


def test_the_session_may_come_in_supabases_cookie(office: Office, talk: Talk) -> None:
    session = quote(orjson.dumps({"access_token": talk.anna_person.token}).decode())
    sent = office.http.post(
        f"{office.stage.app_url}/api/messages",
        headers={"Cookie": f"sb-staging-auth-token={session}"},
        json={"chatId": talk.chat_id, "text": "by cookie"},
    )
    assert (sent.status_code, sent.json()["sender_id"]) == (201, talk.anna_person.id)


def test_nobody_gets_in_without_a_valid_session(office: Office, talk: Talk) -> None:
    genuine = talk.anna_person.token
    claims = jwt.decode(genuine, options={"verify_signature": False})
    head, body, signature = genuine.split(".")
    forged = {
        "another key": jwt.encode(claims, "k" * 64, algorithm="HS256"),
        "no signature": jwt.encode(claims, None, algorithm="none"),
        "other claims": ".".join([jwt.encode(claims | {"sub": new_key()}, "k" * 64).rpartition(".")[0], signature]),
        "cut short": f"{head}.{body}",
        "no token": "nonsense",
        "the anon key": office.stage.anon_key,
        "the service role key": office.stage.service_role_key,
    }  # fmt: skip
    for what, token in forged.items():
        who = office.with_token(token)
        for answer in (who.send(talk.chat_id, "forged"), who.history(chatId=talk.chat_id)):
            assert (answer.status_code, list(answer.json())) == (401, ["error"]), what
    assert office.nobody.send(talk.chat_id, "nobody").json() == {"error": "Sign in first"}
    assert office.nobody.history(chatId=talk.chat_id).status_code == 401
    assert talk.anna.stored(talk.chat_id) == []


def test_an_outsider_is_refused_and_reads_nothing(talk: Talk) -> None:
    talk.anna.send(talk.chat_id, "between us")
    refused = talk.outsider.send(talk.chat_id, "let me in")
    assert (refused.status_code, refused.json()) == (403, {"error": "You are not in this chat"})
    assert talk.outsider.history(chatId=talk.chat_id).json() == []
    assert [row["message_text"] for row in talk.ben.stored(talk.chat_id)] == ["between us"]


def test_nobody_sends_in_anothers_name(talk: Talk) -> None:
    names = {"senderId": talk.ben_person.id, "sender_id": talk.ben_person.id}
    assert talk.anna.send(talk.chat_id, "as ben?", **names).json()["sender_id"] == talk.anna_person.id


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"text": ""}, "text: expected some text"),
        ({"text": None}, "text: expected some text"),
        ({"text": 7}, "text: expected some text"),
        ({"text": "x" * 10_001}, "text: expected at most 10000 characters, found 10001"),
        ({"text": "a\0b"}, "text: the character NUL cannot be stored"),
        ({"chatId": "general"}, "chatId: expected a UUID"),
        ({"chatId": None}, "chatId: expected a UUID"),
        ({"clientGeneratedId": "1"}, "clientGeneratedId: expected a UUID"),
        ({"clientGeneratedId": ["1"]}, "clientGeneratedId: expected a UUID"),
    ],
)
def test_a_wrong_field_is_refused_by_name(talk: Talk, change: dict[str, Any], error: str) -> None:
    answer = talk.anna.app({"chatId": talk.chat_id, "text": "fine", **change})
    assert (answer.status_code, answer.json()) == (400, {"error": error})
    assert talk.anna.stored(talk.chat_id) == []


@pytest.mark.parametrize("body", [b"", b"{", b'{"text": "\\ud800"}', b"\xff", b'"a text"', b"[]", b"null"])
def test_a_body_that_is_no_json_object_is_refused(talk: Talk, body: bytes) -> None:
    answer = talk.anna.app(content=body)
    assert answer.status_code == 400
    assert answer.json()["error"] in ("The body is not JSON", "The body is not a JSON object")


def test_a_chat_that_does_not_exist_is_refused_like_one_of_others(talk: Talk) -> None:
    answer = talk.anna.send(new_key(), "hello?")
    assert (answer.status_code, answer.json()) == (403, {"error": "You are not in this chat"})
    assert talk.anna.history(chatId=new_key()).json() == []


def test_a_key_that_stands_in_a_chat_one_has_left_is_a_conflict(office: Office, talk: Talk) -> None:
    key = new_key()
    talk.anna.send(talk.chat_id, "stays", clientGeneratedId=key)
    left = {"chat_id": f"eq.{talk.chat_id}", "user_id": f"eq.{talk.anna_person.id}"}
    assert office.service.rest("DELETE", "chat_participants", **left).status_code == 204
    assert talk.anna.send(talk.chat_id, "stays", clientGeneratedId=key).status_code == 403
    elsewhere = office.stage.chat(talk.anna_person)
    assert talk.anna.send(elsewhere, "stays", clientGeneratedId=key).status_code == 409
    assert talk.anna.stored(elsewhere) == []


def test_who_is_removed_while_a_repeat_waits_for_the_first_attempt_is_refused(
    office: Office, talk: Talk
) -> None:
    message = (talk.chat_id, talk.anna_person.id, "once", new_key())

    async def removed_meanwhile() -> int:
        first = await asyncpg.connect(office.stage.database_url)
        try:
            async with first.transaction():
                await first.execute(
                    "insert into chat_messages (chat_id, sender_id, message_text, client_generated_id) "
                    "values ($1, $2, $3, $4)",
                    *message,
                )
                repeat = asyncio.create_task(
                    asyncio.to_thread(talk.anna.send, talk.chat_id, "once", clientGeneratedId=message[3])
                )
                while not await first.fetchval(
                    "select count(*) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
                ):
                    assert not repeat.done(), "it had to wait"
                    await asyncio.sleep(0.01)
                await first.execute(
                    "delete from chat_participants where chat_id = $1 and user_id = $2", *message[:2]
                )
            return (await repeat).status_code
        finally:
            await first.close()

    assert asyncio.run(removed_meanwhile()) == 403
    assert [row["message_text"] for row in talk.ben.stored(talk.chat_id)] == ["once"]


def test_pages_put_together_are_the_history_newest_first(talk: Talk) -> None:
    sent = [talk.anna.send(talk.chat_id, str(number)).json() for number in range(7)]
    pages, before = [], None
    while page := talk.ben.history(
        chatId=talk.chat_id, limit=3, **({"beforeSeq": before} if before else {})
    ).json():
        pages.append(page)
        before = page[-1]["seq"]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [row for page in pages for row in page] == sent[::-1]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"limit": "0"}, "limit: expected a positive whole number"),
        ({"limit": "-1"}, "limit: expected a positive whole number"),
        ({"limit": "many"}, "limit: expected a positive whole number"),
        ({"limit": "9" * 5000}, "limit: expected a positive whole number"),
        ({"beforeSeq": "1.5"}, "beforeSeq: expected a positive whole number"),
        ({"beforeSeq": str(2**63)}, "beforeSeq: expected a positive whole number"),
        ({"chatId": "x"}, "chatId: expected a UUID"),
    ],
)
def test_a_wrong_query_is_refused_by_name(talk: Talk, query: dict[str, str], error: str) -> None:
    answer = talk.anna.history(**{"chatId": talk.chat_id, **query})
    assert (answer.status_code, answer.json()) == (400, {"error": error})


def test_a_page_is_never_longer_than_200(talk: Talk, office: Office) -> None:
    rows = [
        {"chat_id": talk.chat_id, "sender_id": talk.anna_person.id, "message_text": str(number)}
        for number in range(201)
    ]
    assert office.service.rest("POST", "chat_messages", rows).status_code == 201
    assert len(talk.ben.history(chatId=talk.chat_id, limit=1000).json()) == 200
    assert len(talk.ben.history(chatId=talk.chat_id).json()) == 50


def test_an_expired_session_is_refused(office: Office, talk: Talk) -> None:
    with running_stage("token_lifetime_s=0", database_url=office.stage.database_url) as brief:
        late = Office(brief, office.http).of(brief.person())
        for answer in (late.send(talk.chat_id, "too late"), late.history(chatId=talk.chat_id)):
            assert answer.status_code == 401
            assert answer.json()["error"].startswith("Token has expired ")
