"""Supabase REST: PostgREST's selects, inserts, functions and errors, with row level security deciding."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.staging.calls import Calls, Office, new_key
from tests.staging.stages import Person, running_stage

REPRESENTATION = "return=representation"


@dataclass(frozen=True)
class Talk:
    """A chat of two with five messages of Anna's, and somebody who is not in it."""

    chat_id: str
    anna: Calls
    ben: Calls
    outsider: Calls
    anna_person: Person
    ben_person: Person
    texts: tuple[str, ...] = ("one", "two", "three", "four", "five")

    def select(self, **query: str) -> Any:
        """Rows of this chat's messages as Ben sees them."""
        answer = self.ben.rest("GET", "chat_messages", chat_id=f"eq.{self.chat_id}", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def talk(office: Office) -> Talk:
    """For tests that only read."""
    return new_talk(office)


@pytest.fixture
def fresh(office: Office) -> Talk:
    """For tests that write."""
    return new_talk(office)


def new_talk(office: Office) -> Talk:
    anna, ben, outsider = (office.stage.person() for _ in range(3))
    chat_id = office.stage.chat(anna, ben)
    talk = Talk(chat_id, office.of(anna), office.of(ben), office.of(outsider), anna, ben)
    rows = [message(talk, text) for text in talk.texts]
    assert talk.anna.rest("POST", "chat_messages", rows).status_code == 201
    return talk


def message(talk: Talk, text: str, **fields: str) -> dict[str, str]:
    return {"chat_id": talk.chat_id, "sender_id": talk.anna_person.id, "message_text": text, **fields}


def error(answer: httpx.Response) -> tuple[int, str, str]:
    """A refusal in PostgREST's shape: status, code, message."""
    body = answer.json()
    assert set(body) == {"code", "details", "hint", "message"}
    return answer.status_code, body["code"], body["message"]


@pytest.mark.parametrize(
    ("query", "texts"),
    [
        ({"order": "seq"}, ["one", "two", "three", "four", "five"]),
        ({"order": "seq.desc", "limit": "2"}, ["five", "four"]),
        ({"order": "seq.desc", "limit": "2", "seq": "lt.4"}, ["three", "two"]),
        ({"order": "seq.desc", "limit": "2", "offset": "4"}, ["one"]),
        ({"message_text": "eq.two"}, ["two"]),
        ({"seq": "gte.4", "order": "seq"}, ["four", "five"]),
        ({"seq": "in.(1,5)", "order": "seq.asc"}, ["one", "five"]),
        ({"seq": "not.in.(1,2,3)", "order": "seq"}, ["four", "five"]),
        ({"message_text": "like.t*", "order": "seq"}, ["two", "three"]),
        ({"deleted_at": "not.is.null"}, []),
        ({"message_text": "eq."}, []),
        ({"message_text": "eq.' or '1'='1"}, []),
    ],
)
def test_rows_are_filtered_ordered_and_limited(talk: Talk, query: dict[str, str], texts: list[str]) -> None:
    assert talk.select(select="message_text", **query) == [{"message_text": text} for text in texts]


def test_columns_can_be_chosen_and_renamed(talk: Talk) -> None:
    assert talk.select(select="n:seq,message_text", seq="eq.1") == [{"n": 1, "message_text": "one"}]
    assert set(talk.select(seq="eq.1")[0]) >= {"id", "chat_id", "sender_id", "seq", "status", "media_urls"}


def test_one_row_can_be_asked_for_as_an_object_and_rows_counted(office: Office, talk: Talk) -> None:
    url = f"{office.stage.supabase_url}/rest/v1/chat_messages"
    headers = talk.ben.headers | {"Accept": "application/vnd.pgrst.object+json", "Prefer": "count=exact"}
    query = {"chat_id": f"eq.{talk.chat_id}", "select": "seq"}
    one = office.http.get(url, headers=headers, params=query | {"seq": "eq.2"})
    assert (one.json(), one.headers["content-range"]) == ({"seq": 2}, "0-0/1")
    many = office.http.get(url, headers=headers, params=query)
    assert error(many) == (406, "PGRST116", "Cannot coerce the result to a single JSON object")
    assert many.json()["details"] == "The result contains 5 rows"


def test_an_insert_gives_back_what_is_stored(fresh: Talk) -> None:
    stored = fresh.anna.rest("POST", "chat_messages", message(fresh, 'six 🙂 \'n\n"q"'), REPRESENTATION)
    assert stored.status_code == 201
    (row,) = stored.json()
    assert (row["seq"], row["status"], row["message_text"]) == (6, "sent", 'six 🙂 \'n\n"q"')
    assert fresh.select(seq="eq.6") == [row]


def test_an_insert_gives_back_the_columns_asked_for(fresh: Talk) -> None:
    stored = fresh.anna.rest("POST", "chat_messages", message(fresh, "six"), REPRESENTATION, select="seq")
    assert (stored.status_code, stored.json()) == (201, [{"seq": 6}])


def test_an_insert_that_asks_for_nothing_gets_nothing(fresh: Talk) -> None:
    stored = fresh.anna.rest("POST", "chat_messages", message(fresh, "six"))
    assert (stored.status_code, stored.content) == (201, b"")
    assert fresh.select(select="message_text", seq="eq.6") == [{"message_text": "six"}]


def test_a_repeat_is_a_conflict_or_ignored_as_the_caller_prefers(office: Office, fresh: Talk) -> None:
    again = message(fresh, "once", client_generated_id=new_key())
    assert fresh.anna.rest("POST", "chat_messages", again).status_code == 201
    conflict = fresh.anna.rest("POST", "chat_messages", again, REPRESENTATION)
    assert error(conflict)[:2] == (409, "23505")
    assert "uq_chat_messages_client_generated" in conflict.json()["message"]
    assert conflict.json()["details"] is None  # row level security is on: PostgreSQL keeps the key to itself
    told = office.service.rest("POST", "chat_messages", again).json()
    key = f"({fresh.anna_person.id}, {again['client_generated_id']})"
    assert told["details"] == f"Key (sender_id, client_generated_id)={key} already exists."
    ignored = fresh.anna.rest(
        "POST",
        "chat_messages",
        again,
        f"{REPRESENTATION},resolution=ignore-duplicates",
        on_conflict="sender_id,client_generated_id",
    )
    assert (ignored.status_code, ignored.json()) == (201, [])
    assert len(fresh.select()) == 6


def test_updates_and_deletes_touch_the_rows_they_name(fresh: Talk) -> None:
    edited = fresh.anna.rest(
        "PATCH",
        "chat_messages",
        {"message_text": "edited"},
        REPRESENTATION,
        chat_id=f"eq.{fresh.chat_id}",
        seq="eq.2",
    )
    assert [row["message_text"] for row in edited.json()] == ["edited"]
    gone = fresh.anna.rest("DELETE", "chat_messages", chat_id=f"eq.{fresh.chat_id}", seq="lt.2")
    assert gone.status_code == 204
    texts = [row["message_text"] for row in fresh.select(order="seq")]
    assert texts == ["edited", "three", "four", "five"]


def test_the_five_functions(fresh: Talk) -> None:
    """The fifth, assign_message_seq, is the trigger's: it works at each insert, and cannot be called."""
    chat, ben = fresh.chat_id, fresh.ben_person.id
    assert fresh.ben.rpc("get_latest_seq", p_chat_id=chat).json() == 5
    assert fresh.ben.rpc("get_unread_count", p_chat_id=chat, p_user_id=ben).json() == 5
    delivered = fresh.ben.rpc("mark_messages_as_delivered", p_chat_id=chat, p_receiver_id=ben)
    assert (delivered.status_code, delivered.json()) == (200, [{"updated_count": 5}])
    assert {row["status"] for row in fresh.select()} == {"delivered"}
    assert fresh.ben.rpc("mark_messages_as_read", p_chat_id=chat, p_user_id=ben).json() == [
        {"updated_count": 5}
    ]
    assert {row["status"] for row in fresh.select()} == {"read"}
    assert fresh.ben.rpc("get_unread_count", p_chat_id=chat, p_user_id=ben).json() == 0
    assert error(fresh.ben.rpc("assign_message_seq"))[:2] == (404, "PGRST202")


def test_functions_refuse_whoever_acts_for_another_and_outsiders(talk: Talk) -> None:
    ben = talk.ben_person.id
    assert error(talk.anna.rpc("mark_messages_as_read", p_chat_id=talk.chat_id, p_user_id=ben)) == (
        403,
        "42501",
        "not allowed to act for another user",
    )
    assert error(talk.outsider.rpc("get_latest_seq", p_chat_id=talk.chat_id)) == (
        403,
        "42501",
        "not a participant of this chat",
    )
    assert {row["status"] for row in talk.select()} == {"sent"}


def test_functions_are_found_by_the_names_of_their_arguments(talk: Talk) -> None:
    wrong = talk.ben.rpc("get_latest_seq", chat=talk.chat_id)
    assert error(wrong) == (
        404,
        "PGRST202",
        "Could not find the function public.get_latest_seq(chat) in the schema cache",
    )
    assert error(talk.ben.rpc("pg_sleep", seconds="1"))[:2] == (404, "PGRST202")
    assert error(talk.ben.rpc("get_latest_seq", p_chat_id="no uuid"))[:2] == (400, "22P02")


def test_row_level_security_decides(office: Office, talk: Talk) -> None:
    chat = {"chat_id": f"eq.{talk.chat_id}"}
    assert talk.outsider.rest("GET", "chat_messages", **chat).json() == []
    assert talk.outsider.rest("GET", "chats", id=f"eq.{talk.chat_id}").json() == []
    assert talk.outsider.rest("GET", "accounts", id=f"eq.{talk.anna_person.id}").json() == []
    assert len(talk.ben.rest("GET", "chat_participants", **chat).json()) == 2

    own = message(talk, "let me in", sender_id=talk.ben_person.id)
    for caller, row in ((talk.outsider, message(talk, "as Anna")), (talk.anna, own)):
        refused = error(caller.rest("POST", "chat_messages", row))
        assert refused == (
            403,
            "42501",
            'new row violates row-level security policy for table "chat_messages"',
        )
    edit = {"message_text": "not mine"}
    assert talk.ben.rest("PATCH", "chat_messages", edit, REPRESENTATION, **chat).json() == []
    assert talk.ben.rest("DELETE", "chat_messages", prefer=REPRESENTATION, **chat).json() == []
    assert [row["message_text"] for row in talk.select(order="seq")] == list(talk.texts)
    assert len(office.service.rest("GET", "chat_messages", **chat).json()) == 5


def test_the_anon_key_alone_reads_and_writes_nothing(office: Office, talk: Talk) -> None:
    read = office.nobody.rest("GET", "chat_messages", chat_id=f"eq.{talk.chat_id}")
    assert (read.status_code, read.json()) == (200, [])
    assert error(office.nobody.rest("POST", "chat_messages", message(talk, "hi")))[:2] == (401, "42501")
    assert error(office.nobody.rpc("get_latest_seq", p_chat_id=talk.chat_id))[:2] == (401, "42501")


def test_a_token_that_is_forged_or_expired_is_refused(office: Office, talk: Talk) -> None:
    forged = office.with_token(talk.anna_person.token[:-4] + "AAAA").rest("GET", "chats")
    assert error(forged)[:2] == (401, "PGRST301")
    with running_stage("token_lifetime_s=0", database_url=office.stage.database_url) as brief:
        late = Office(brief, office.http).of(brief.person())
        assert error(late.rest("GET", "chats")) == (401, "PGRST303", "JWT expired")


NAMES = [
    'seq" from chat_messages; drop table attachments; --',
    "seq;drop table attachments",
    "(select 1)",
    "seq::text",
    "pg_sleep(10)",
]


@pytest.mark.parametrize("name", NAMES)
def test_no_sql_gets_in_through_names(talk: Talk, name: str) -> None:
    chat = {"chat_id": f"eq.{talk.chat_id}"}
    assert error(talk.ben.rest("GET", "chat_messages", select=name, **chat))[1] in ("42703", "PGRST100")
    assert error(talk.ben.rest("GET", "chat_messages", order=name, **chat))[1] in ("42703", "PGRST100")
    assert error(talk.ben.rest("GET", "chat_messages", **chat, **{name: "eq.1"}))[1] == "42703"
    insert = talk.anna.rest("POST", "chat_messages", {**message(talk, "x"), name: 1})
    assert error(insert)[:2] == (400, "PGRST204")
    assert error(talk.anna.rest("PATCH", "chat_messages", {name: 1}, **chat))[1] == "PGRST204"
    conflict = talk.anna.rest(
        "POST", "chat_messages", message(talk, "x"), "resolution=merge-duplicates", on_conflict=name
    )
    assert error(conflict)[1] == "42703"
    assert talk.ben.rest("GET", name.replace("/", "")).status_code == 404
    assert error(talk.ben.rpc("get_latest_seq", **{name: 1}))[:2] == (404, "PGRST202")
    renamed = talk.select(select=f"{name.replace(',', ' ').replace(':', ' ')}:seq", seq="eq.1")
    assert list(renamed[0].values()) == [1]
    assert talk.ben.rest("GET", "attachments").json() == []


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ({"limit": "ten"}, (400, "22P02", 'invalid input syntax for type integer: "ten"')),
        ({"seq": "eq.one"}, (400, "22P02", 'invalid input syntax for type bigint: "one"')),
        ({"seq": "near.1"}, (400, "PGRST100", '"failed to parse filter (near.1)" (line 1, column 1)')),
        ({"seq": "1"}, (400, "PGRST100", '"failed to parse filter (1)" (line 1, column 1)')),
        ({"order": "seq.up"}, (400, "PGRST100", '"failed to parse order (seq.up)" (line 1, column 1)')),
        ({"nose": "eq.1"}, (400, "42703", "column chat_messages.nose does not exist")),
        ({"message_text": "eq.a\0b"}, (400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00')),
    ],
)
def test_a_wrong_query_is_refused_in_postgrests_words(
    talk: Talk, query: dict[str, str], refusal: tuple[int, str, str]
) -> None:
    assert error(talk.ben.rest("GET", "chat_messages", **query)) == refusal


def test_a_limit_beyond_all_numbers_is_refused(talk: Talk) -> None:
    assert error(talk.ben.rest("GET", "chat_messages", limit="9" * 5000))[0] == 400


def test_a_wrong_body_or_table_is_refused_in_postgrests_words(office: Office, talk: Talk) -> None:
    url = f"{office.stage.supabase_url}/rest/v1/chat_messages"
    for body in (b"{", b"", b'"text"', b"[1]"):
        wrong = office.http.post(url, headers=talk.anna.headers, content=body)
        assert error(wrong) == (400, "PGRST102", "Empty or invalid json"), body
    assert error(talk.ben.rest("GET", "secrets")) == (
        404,
        "PGRST205",
        "Could not find the table 'public.secrets' in the schema cache",
    )
    assert error(talk.anna.rest("POST", "chat_messages", message(talk, "x", chat_id="x")))[:2] == (
        400,
        "22P02",
    )
    orphan = office.service.rest("POST", "chat_messages", message(talk, "x", chat_id=new_key()))
    assert error(orphan)[:2] == (409, "23503")
